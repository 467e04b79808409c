"""An incident told again from what is kept, and the ways to ask for it."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from typing import Any

from bot.store.alerts import Event, Group
from bot.triage import incident
from bot.triage.alert import Alert
from bot.triage.incident import Case, Said
from bot.triage.message import ACTION
from bot.triage.notes import noted
from evals.slack_standin import BOT_USER
from knowledge.items import Item
from tests.bot.saturated import ANSWER
from tests.bot.triage.bodies import NOON, alert, raw
from tests.bot.triage.conftest import CHANNEL, Yard
from tools.finding import Happened, Since

ME = f"<@{BOT_USER}>"
GROUP = Group(
    "g", 1, "T1", "C1", "alertmanager", "r", "", "", "firing", "", 0.0, 0, NOON, 0.0, NOON, "s", 1, 1, "a", "a", NOON, "firing", NOON,
    "", NOON, "[]", 0, 1,
)  # fmt: skip
ALERTS = (
    Alert({"alertname": "KVCacheFull", "namespace": "chat", "pod": "a"}, {"runbook_url": "http://x/y"}, "firing", NOON),
    Alert({"alertname": "QueueLong", "namespace": "chat", "pod": "a"}, {}, "resolved", NOON + 60, NOON + 300),
)
HEAD = replace(
    ANSWER.findings[0],
    since=Since("It began at 12:01.", "2026-09-21T14:01:00+00:00"),
    happened=(
        Happened("rollout", "2026-09-21T13:55:00+00:00", "chat", "llama-70b-chat was rolled out", 6.0, "kubernetes"),
    ),
)
FOUND = noted(replace(ANSWER, findings=(HEAD, *ANSWER.findings[1:])), NOON + 120)
CASE = Case(
    NOON + 1800,
    GROUP,
    ALERTS,
    (
        Event(NOON + 120, "diagnosis", FOUND),
        Event(NOON + 400, "reopened", {}),
        Event(NOON + 500, "held", {"why": "silenced by ann"}),
    ),
    (Said(NOON + 600, "and since when?", "Since 12:01."),),
)


def shown(message: Any) -> str:
    assert all(len(block["text"]["text"]) <= 3000 for block in message.blocks)
    return "\n".join(block["text"]["text"] for block in message.blocks)


def test_catching_up_says_state_cause_last_moments_and_next_steps() -> None:
    said = shown(incident.catch_up(CASE))
    for expected in (
        "KVCacheFull on chat/a", "1 of 2 alerts fire, for 30 min", "came back 1 time", ANSWER.verdict, "Confidence high",
        "It began at 12:01", "asked: and since when?", "Scale on the queue", "Could not be seen", "pods/log",
    ):  # fmt: skip
        assert expected in said, expected


def test_the_timeline_is_in_order_and_holds_what_came_before() -> None:
    lines = incident.timeline_lines(CASE)
    order = [
        "began to fire",
        "I looked",
        "was resolved",
        "fired again",
        "kept quiet: silenced by ann",
        "asked: and since when?",
    ]
    places = [next(n for n, line in enumerate(lines) if word in line) for word in order]
    assert places == sorted(places)
    rolled, began = (
        next(n for n, line in enumerate(lines) if word in line)
        for word in ("was rolled out", "metric that does not move")
    )
    assert rolled < began
    assert len(lines) == len(set(lines))
    many = replace(
        CASE, alerts=[replace(ALERTS[1], labels={"alertname": f"R{n}"}, starts_at=NOON + n * 60) for n in range(200)]
    )
    assert len(incident.timeline_lines(many)) > 200
    assert shown(incident.timeline(many)).count("\n") <= 40


def test_a_hand_over_note_has_evidence_checks_and_open_questions() -> None:
    said = shown(incident.handover(CASE))
    for expected in (
        "Hand-over note",
        "scales on cpu, target 70 %",
        "Check: vllm:num",
        "Asked in this thread",
        "Could not be seen",
    ):
        assert expected in said, expected


def item(name: str, checks: tuple[str, ...]) -> Item:
    return Item(name, "p", "p", "a", f"title {name}", "s", 2, (), "high", "w", "v", "f", (), "2026-01-01", (), checks)


def test_a_closing_summary_says_what_the_checklist_lacks() -> None:
    case = replace(CASE, group=replace(GROUP, state="resolved", ended_at=NOON + 3600))
    said = shown(incident.closing(case, []))
    assert "Resolved after 60 min" in said
    assert "No item asks for it yet" in said
    assert "by the word of Alertmanager; what is below was found before" in said
    assert "*Could not be seen*" in said
    assert "`hpa_wrong_metric`" in said
    assert "`QueueLong` has no `runbook_url`" in said
    assert "`KVCacheFull` has no" not in said
    assert "It could not be seen" in said
    covered = incident.lessons_of(case, [item("DR-99", ("hpa_wrong_metric",))])
    assert "DR-99 (title DR-99) asks for it" in covered[0]


def test_a_closing_summary_without_a_look_makes_no_claim() -> None:
    group = replace(GROUP, state="resolved", ended_at=NOON + 3600)
    runbooks = tuple(replace(one, annotations={"runbook_url": "https://x.example.org"}) for one in ALERTS)
    blind = {**FOUND, "headlines": [], "blind": [], "nothing_seen": True}
    for events in ((), (Event(NOON, "diagnosis", blind),)):
        said = shown(incident.closing(Case(NOON + 7200, group, runbooks, events), []))
        assert "Nothing was diagnosed, so nothing is said" in said
        assert "Nothing was found that an item" not in said
    quiet = (Event(NOON, "diagnosis", {**blind, "nothing_seen": False}),)
    assert "Nothing was found that an item" in shown(incident.closing(Case(NOON + 7200, group, runbooks, quiet), []))
    over = incident.timeline_lines(Case(NOON + 7200, group, (), (Event(NOON + 3600, "resolved", {}),)))
    assert over[0].endswith("all alerts of the group were resolved, by the word of Alertmanager")


def test_hostile_names_stay_names() -> None:
    odd = "<!channel> `x` *b* <https://evil.example|x>"
    bad = {
        **FOUND,
        "verdict": odd,
        "headlines": [{**FOUND["headlines"][0], "title": odd, "subject": odd, "since_at": "never"}],
        "blind": [odd],
    }
    case = replace(
        CASE,
        alerts=(Alert({"alertname": odd, "namespace": odd}, {"summary": odd}, "firing", NOON),),
        events=(Event(NOON, "diagnosis", bad), Event(NOON, "held", {"why": odd})),
        said=(Said(NOON, odd, odd),),
    )
    for told in (incident.catch_up(case), incident.timeline(case), incident.handover(case), incident.closing(case, [])):
        assert "<!" not in shown(told) + told.text
        assert "<https" not in shown(told) + told.text


def test_nothing_is_said_to_be_nothing() -> None:
    empty = Case(NOON, None)
    for told in (
        incident.catch_up(empty),
        incident.timeline(empty),
        incident.handover(empty),
        incident.closing(empty, []),
    ):
        assert "I keep nothing of this thread" in shown(told)


# In Slack.


def test_asked_by_mention_and_by_button(yard: Yard) -> None:
    slack = yard.slack
    yard.answer = lambda _: ANSWER
    now = time.time()
    yard.post(raw(alert(at=now - 600)))
    yard.finished(1)
    [root] = yard.roots()
    asked = slack.say(CHANNEL, "U7", f"{ME} catch me up", root["ts"])
    slack.push_acknowledged(asked)
    slack.wait(lambda: bool(slack.kept.get("whispers")), "the catch-up")
    [whisper] = slack.kept["whispers"]
    assert (whisper["user"], whisper["thread_ts"]) == ("U7", root["ts"])
    assert ANSWER.verdict in json.dumps(whisper["blocks"])
    assert len(slack.answers(CHANNEL, root["ts"])) == 1, "nobody else sees it"
    press(yard, root, "timeline")
    slack.wait(lambda: any("Timeline" in one["text"] for one in slack.answers(CHANNEL, root["ts"])), "the timeline")
    yard.post(raw(alert(state="resolved", at=now - 600, ended=now)))
    slack.wait(
        lambda: any("Closing" in json.dumps(one["blocks"]) for one in yard.roots()), "the button of a resolved alert"
    )
    for _ in range(2):
        press(yard, root, "closing", "7.0")
    slack.wait(
        lambda: any("Closing summary" in one["text"] for one in slack.answers(CHANNEL, root["ts"])), "the summary"
    )
    said = next(
        json.dumps(one["blocks"]) for one in slack.answers(CHANNEL, root["ts"]) if "Closing summary" in one["text"]
    )
    assert "For the checklist" in said
    assert len(yard.asked) == 1, "nothing is looked up anew"


def test_a_bot_s_alert_is_triaged_in_the_thread_of_its_message(yard_with: Any) -> None:
    yard = yard_with(watch=[{"channel": "C0OPS", "bots": ["B0PROM"]}])
    slack = yard.slack

    def says(text: str) -> str:
        body = slack.say("C0OPS", "U0PROM", text)
        slack.push_acknowledged(slack.event({**body["event"], "bot_id": "B0PROM", "subtype": "bot_message"}))
        return str(body["event"]["ts"])

    first = says("FIRING: KVCacheFull namespace=chat deployment=llama-70b-chat")
    slack.wait(lambda: len(slack.answers("C0OPS", first)) == 2, "the triage and its diagnosis")
    yard.finished(1)
    says("FIRING: KVCacheFull namespace=chat deployment=llama-70b-chat")
    says("RESOLVED: KVCacheFull namespace=chat deployment=llama-70b-chat")
    slack.wait(lambda: len(slack.answers("C0OPS", first)) == 3, "that it is over")
    assert "Resolved after" in slack.answers("C0OPS", first)[0]["text"]
    assert len(slack.answers("C0OPS")) == 3, "nothing in other threads"
    assert len(yard.asked) == 1
    people = slack.say("C0OPS", "U1", "FIRING: not an alert, namespace=chat")
    slack.push_acknowledged(people)
    assert len(slack.answers("C0OPS")) == 3


def press(yard: Yard, root: dict[str, Any], what: str, at: str = "1.0") -> None:
    """Somebody presses a button of the alert's message."""
    yard.slack.push_acknowledged(
        {
            "type": "block_actions",
            "team": {"id": "T0STANDIN"},
            "user": {"id": "U7", "team_id": "T0STANDIN"},
            "api_app_id": "A0STANDIN",
            "channel": {"id": CHANNEL},
            "container": {"type": "message", "message_ts": root["ts"], "channel_id": CHANNEL},
            "message": {"ts": root["ts"], "text": root["text"]},
            "actions": [
                {"action_id": f"{ACTION}{what}", "block_id": "b", "type": "button", "value": "x", "action_ts": at}
            ],
        },
        kind="interactive",
    )
