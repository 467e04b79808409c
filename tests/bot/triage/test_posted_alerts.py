"""Messages of other bots as alerts: their usual shapes, and whatever else bots say."""

from __future__ import annotations

from typing import Any

import pytest

from bot.listeners.alerts import alert_in, incident_in
from bot.triage.posted import read
from bot.triage.settings import AlertSettings

ME = "U0RACKSIDE"

ALERTMANAGER = {
    "text": "",
    "attachments": [
        {
            "color": "a30200",
            "fallback": "[FIRING:1] KVCacheFull chat (critical)",
            "title": "[FIRING:1] KVCacheFull chat (critical llama-70b-chat)",
            "title_link": "http://alertmanager.example",
            "text": "*Alert:* the cache is full - `critical`\n*Details:*\n • *alertname:* `KVCacheFull`\n • *namespace:* `chat`\n"
            " • *deployment:* `llama-70b-chat`\n • *severity:* `critical`\n*Runbook:* <https://runbooks.example/kv|runbook>",
        }
    ],
}
GRAFANA = {
    "attachments": [
        {
            "color": "#D63232",
            "title": "[FIRING:1] GPU hot gpu (gpu-a-3)",
            "text": "**Firing**\n\nValue: A=91\nLabels:\n - alertname = GPU hot\n - Hostname = gpu-a-3\n - UUID = GPU-12345678-aaaa\n"
            "Annotations:\n - summary = 91 degrees\nSource: <http://grafana.example/x>",
        }
    ]
}
PAGERDUTY = {
    "text": "Triggered *#4711*: <https://acme.pagerduty.com/incidents/Q1|KVCacheFull on chat>",
    "attachments": [{"fields": [{"title": "Service", "value": "inference"}, {"title": "Urgency", "value": "high"}]}],
}
DATADOG = {
    "attachments": [
        {
            "title": "[Triggered on {host:gpu-a-3,kube_namespace:chat}] GPU memory is nearly full",
            "text": "More than 95 % for 5 minutes. pod_name:llama-70b-chat-abc",
        }
    ]
}
PLAIN = {"text": ':fire: FIRING: KVCacheFull namespace=chat pod="llama-1"'}


@pytest.mark.parametrize(
    ("message", "rule", "labels"),
    [
        (ALERTMANAGER, "KVCacheFull", {"namespace": "chat", "deployment": "llama-70b-chat", "severity": "critical"}),
        (GRAFANA, "GPU hot", {"Hostname": "gpu-a-3"}),
        (PAGERDUTY, "KVCacheFull", {"Service": "inference"}),
        (DATADOG, "GPU memory is nearly full", {"node": "gpu-a-3", "namespace": "chat", "pod": "llama-70b-chat-abc"}),
        (PLAIN, "KVCacheFull", {"namespace": "chat", "pod": "llama-1"}),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*[FIRING] NodeDown*\nnode: gpu-1"}}]}, "NodeDown", {"node": "gpu-1"}),
    ],
)  # fmt: skip
def test_the_usual_shapes(message: dict[str, Any], rule: str, labels: dict[str, str]) -> None:
    notice = read(message, 100.0)
    assert notice is not None
    [alert] = notice.alerts
    assert (alert.rule, alert.state, alert.starts_at) == (rule, "firing", 100.0)
    assert labels.items() <= alert.labels.items()


@pytest.mark.parametrize("message", [ALERTMANAGER, GRAFANA, PAGERDUTY, DATADOG, PLAIN])
def test_the_end_of_an_alert_is_of_the_same_group(message: dict[str, Any]) -> None:
    over = repr(message)
    for word, other in (("FIRING:1", "RESOLVED"), ("FIRING", "RESOLVED"), ("Triggered", "Resolved")):
        over = over.replace(word, other)
    began, ended = read(message, 100.0), read(eval(over), 200.0)
    assert began is not None
    assert ended is not None
    assert began.group == ended.group
    assert (ended.state, ended.alerts[0].ends_at) == ("resolved", 200.0)


@pytest.mark.parametrize(
    "message",
    [
        {}, {"text": ""}, {"text": "deploy of chat finished"}, {"text": "I am firing up the new nodes"}, {"text": "OK"},
        {"text": "x" * 1_000_000}, {"attachments": [None, 7, "x"]}, {"attachments": "x", "blocks": {"a": 1}},
        {"text": "[FIRING:1]"}, {"text": "closed"}, {"blocks": [{"text": 7, "fields": [1]}]}, {"text": "["*5000},
    ],
)  # fmt: skip
def test_what_is_no_alert(message: dict[str, Any]) -> None:
    assert read(message, 1.0) is None


def test_hostile_text_stays_text() -> None:
    notice = read({"text": "FIRING: <!channel> \x00\ud800 <https://evil.example|x>\nnamespace: <@U1>; rm -rf"}, 1.0)
    assert notice is not None
    assert "\x00" not in repr(notice.alerts)
    assert len(notice.group) < 2000


def event(**other: Any) -> dict[str, Any]:
    said = {
        "type": "message",
        "subtype": "bot_message",
        "channel": "C0OPS",
        "bot_id": "B0PROM",
        "ts": "10.5",
        "event_ts": "10.5",
        **PLAIN,
    }
    return {"type": "event_callback", "api_app_id": "A0ME", "event": {**said, **other}}


WATCHING = AlertSettings(watch=({"channel": "C0OPS", "bots": ["B0PROM", "A0PAGER"]},))  # type: ignore[arg-type]


def test_a_watched_bot_is_heard() -> None:
    for other in ({}, {"subtype": None}, {"bot_id": "B1", "bot_profile": {"app_id": "A0PAGER"}}, {"thread_ts": "10.5"}):
        notice = alert_in(event(**other), WATCHING, ME)
        assert notice is not None
        assert (notice.channel, notice.thread_ts) == ("C0OPS", "10.5")


@pytest.mark.parametrize(
    "other",
    [
        {"channel": "C0OTHER"}, {"bot_id": "B0ELSE"}, {"bot_id": None}, {"user": ME}, {"thread_ts": "9.0"},
        {"subtype": "message_deleted"}, {"text": "hello"}, {"bot_profile": {"app_id": "A0ME"}}, {"ts": "", "event_ts": "x"},
    ],
)  # fmt: skip
def test_who_is_not_heard(other: dict[str, Any]) -> None:
    """Other channels, other bots, people, ourselves, replies in threads (no two bots keep each other talking)."""
    assert alert_in(event(**other), WATCHING, ME) is None
    assert alert_in(event(), AlertSettings(), ME) is None


def test_an_edited_message_is_read_again() -> None:
    inner = {"bot_id": "B0PROM", "ts": "10.5", "text": "RESOLVED: KVCacheFull namespace=chat pod=llama-1"}
    body = {
        "type": "event_callback",
        "event": {
            "type": "message",
            "subtype": "message_changed",
            "channel": "C0OPS",
            "message": inner,
            "event_ts": "20.0",
        },
    }
    notice = alert_in(body, WATCHING, ME)
    assert notice is not None
    assert (notice.state, notice.thread_ts, notice.alerts[0].ends_at) == ("resolved", "10.5", 20.0)


def mention(text: str, thread: str | None = "1.0") -> dict[str, Any]:
    said = {
        "type": "app_mention",
        "channel": "C1",
        "user": "U1",
        "ts": "2.0",
        "text": f"<@{ME}> {text}",
        "thread_ts": thread,
    }
    return {"type": "event_callback", "team_id": "T1", "event": said}


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("catch me up", "catch_up"), ("Catch me up!", "catch_up"), ("what did I miss?", "catch_up"), ("tl;dr please", "catch_up"),
        ("timeline", "timeline"), ("show me the timeline", "timeline"), ("please write a hand-over note", "handover"),
        ("handover", "handover"), ("closing summary", "closing"), ("post-mortem please", "closing"),
    ],
)  # fmt: skip
def test_what_is_asked_of_an_incident(text: str, what: str) -> None:
    ask = incident_in(mention(text), ME)
    assert ask is not None
    assert (ask.kind, ask.payload, ask.key) == ("incident", {"what": what}, "T1:C1:2.0")
    assert incident_in(mention(text, None), ME) is None, "only in a thread"


@pytest.mark.parametrize(
    "text", ["why is it slow?", "timeline of the autoscaler in namespace chat last night?", "catch up on the queue", ""]
)
def test_what_is_a_question_stays_one(text: str) -> None:
    assert incident_in(mention(text), ME) is None
    body = mention("catch me up")
    body["event"]["text"] = "<@U2> catch me up"
    assert incident_in(body, ME) is None
