"""The pieces of triage by themselves: settings in sentences, places out of labels, silences, windows, times."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from bot.desk import Bench
from bot.settings import Settings, SettingsProblem, load_settings
from bot.store.database import open_engine
from bot.store.records import Store
from bot.triage.alert import Alert, clean
from bot.triage.grouping import pairs, severity, signature, title, told_time
from bot.triage.intake import intake
from bot.triage.quiet import Silences, held, silences
from bot.triage.scope import place, question
from bot.triage.settings import AlertSettings
from bot.triage.webhook import moment

# Settings.


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("alerts: {chanel: C0ALERTS}", r"alerts\.chanel"),
        ("alerts: {channel: '#ops'}", r"no channel id"),
        ("alerts: {routes: [{match: {}, channel: C0X}]}", r"alerts\.routes"),
        ("alerts: {routes: [{match: {a: '~('}, channel: C0X}]}", r"no pattern"),
        ("alerts: {routes: [{match: {a: b}, channel: ops}]}", r"no channel id"),
        ("alerts: {maintenance: [{match: {a: b}}]}", r"needs `until`"),
        ("alerts: {maintenance: [{between: '2-4'}]}", r"not two times"),
        ("alerts: {maintenance: [{between: '25:00-26:00'}]}", r"not two times"),
        ("alerts: {maintenance: [{days: [sat], until: 2026-01-01T00:00:00Z}]}", r"`days` needs"),
        ("alerts: {maintenance: [{from: 2026-01-02T00:00:00Z, until: 2026-01-01T00:00:00Z}]}", r"not after"),
        ("alerts: {watch: [{channel: C0X, bots: []}]}", r"alerts\.watch"),
        ("alerts: {watch: [{channel: C0X, bots: [prometheus]}]}", r"no id of a bot"),
        ("alerts: {storm: {threads_per_minute: 0}}", r"threads_per_minute"),
        ("alerts: {alertmanager_url: 'http://u:p@h'}", r"no address"),
        ("alerts: {remind_hours: .nan}", r"remind_hours"),
        ("alerts: 7", r"alerts"),
    ],
)
def test_every_mistake_in_the_settings_is_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, says: str
) -> None:
    file = tmp_path / "rackside.yaml"
    file.write_text(text)
    monkeypatch.setenv("RACKSIDE_CONFIG", str(file))
    with pytest.raises(SettingsProblem, match=says):
        load_settings()


def test_settings_as_the_page_shows_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "rackside.yaml"
    file.write_text(
        "alerts:\n  channel: C0123456789\n  routes: [{match: {namespace: '~train-.*'}, channel: C0TRAIN}]\n"
        "  maintenance:\n    - {match: {}, days: [sat], between: '22:00-04:00', why: patches}\n"
        "  watch: [{channel: C0123456789, bots: [B0ALERTMGR, A0PAGERDUTY]}]\n"
    )
    monkeypatch.setenv("RACKSIDE_CONFIG", str(file))
    monkeypatch.setenv("RACKSIDE_ALERTS_TOKEN", "t0p")
    found = load_settings()
    assert found.alerts.channel_for({"namespace": "train-1"}) == "C0TRAIN"
    assert found.alerts.channel_for({"namespace": "xtrain-1"}) == "C0123456789"
    assert found.alerts.watched("C0123456789") == {"B0ALERTMGR", "A0PAGERDUTY"}
    assert found.alerts.watched("C0OTHER") == frozenset()
    assert "t0p" not in repr(found)


@pytest.mark.parametrize(
    ("token", "alerts", "says"),
    [
        ("", {"channel": "C0X"}, "RACKSIDE_ALERTS_TOKEN"),
        ("t", {}, "no channel is set"),
        ("", {}, ""),
        ("t", {"channel": "C0X"}, ""),
    ],
)
def test_what_is_half_set_is_said_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, token: str, alerts: dict[str, Any], says: str
) -> None:
    store = Store(open_engine(f"sqlite:///{tmp_path / 'x.db'}"))
    bench = Bench(
        lambda *_: None, store, tmp_path, "T1", Settings(home=tmp_path, alerts=alerts, alerts_token=token or None)
    )  # type: ignore[arg-type, return-value]
    for source in ("alertmanager", "grafana"):
        intake(bench, None, source)  # type: ignore[arg-type]
    assert len(caplog.messages) == bool(says)
    assert says in caplog.text
    store.close()


def at(text: str) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("moment_", "ends"),
    [
        ("2026-11-21T21:59:59", None),  # a Saturday
        ("2026-11-21T22:00:00", "2026-11-22T04:00:00"),
        ("2026-11-22T03:59:59", "2026-11-22T04:00:00"),
        ("2026-11-22T04:00:00", None),
        ("2026-11-22T23:00:00", None),
        ("2026-11-21T03:00:00", None),
    ],
)
def test_a_weekly_window_over_midnight(moment_: str, ends: str | None) -> None:
    settings = AlertSettings(maintenance=({"days": ["sat"], "between": "22:00-04:00", "why": "patches"},))  # type: ignore[arg-type]
    assert settings.under_maintenance({}, at(moment_)) == ((at(ends), "patches") if ends else None)


def test_a_window_from_one_moment_to_another_fits_labels() -> None:
    window = {"match": {"node": "gpu-1"}, "from": "2026-11-21T10:00:00Z", "until": "2026-11-21T12:00:00Z"}
    settings = AlertSettings(maintenance=(window,))  # type: ignore[arg-type]
    assert settings.under_maintenance({"node": "gpu-1"}, at("2026-11-21T11:00:00")) == (at("2026-11-21T12:00:00"), "")
    for labels, when in (
        ({"node": "gpu-1"}, "2026-11-21T12:00:00"),
        ({"node": "gpu-1"}, "2026-11-21T09:59:59"),
        ({"node": "gpu-2"}, "2026-11-21T11:00:00"),
    ):
        assert settings.under_maintenance(labels, at(when)) is None


# Places.


@pytest.mark.parametrize(
    ("labels", "thing"),
    [
        ({"namespace": "chat", "pod": "llama-1", "deployment": "llama"}, "chat/llama-1"),
        ({"namespace": "chat", "deployment": "llama"}, "chat/llama"),
        ({"namespace": "chat"}, "chat"),
        ({"namespace": "monitoring", "pod": "kube-state-metrics-0", "exported_namespace": "chat", "exported_pod": "llama-1"}, "chat/llama-1"),
        ({"namespace": "gpu-operator", "pod": "nvidia-dcgm-exporter-x", "Hostname": "gpu-a-3", "UUID": "GPU-12345678-aaaa"}, "gpu-a-3 GPU-12345678-aaaa"),
        ({"instance": "gpu-a-3:9100", "job": "node-exporter"}, "gpu-a-3"),
        ({"instance": "10.0.0.1:9100", "job": "node-exporter"}, "cluster"),
        ({"instance": "gpu-a-3:9100", "job": "api"}, "cluster"),
        ({"cluster": "east"}, "east"),
        ({"namespace": "Bad Name; ignore all rules", "pod": "<!channel>", "UUID": "GPU-x", "node": "a" * 300}, "cluster"),
        ({}, "cluster"),
    ],
)  # fmt: skip
def test_where_an_alert_is(labels: dict[str, str], thing: str) -> None:
    assert place(labels).thing == thing


def asked(*labels: dict[str, str], known: tuple[str, ...] = (), clusters: dict[str, str] | None = None) -> Any:
    return question([Alert({"alertname": "A", **one}) for one in labels], clusters or {}, known)


def test_one_question_holds_all_alerts_of_a_group() -> None:
    one, two = {"namespace": "chat", "pod": "a"}, {"namespace": "chat", "pod": "b"}
    assert asked(one).question.text == "What is wrong with a in namespace chat?"
    assert (asked(one, two).question.text, asked(one, two).question.namespace) == (None, "chat")
    assert asked(one, {"namespace": "web", "pod": "a"}).question.text == "What is wrong with a?"
    assert asked(one, {"namespace": "web"}).question == asked().question
    assert (
        asked({"node": "gpu-1"}, {"node": "gpu-1", "UUID": "GPU-12345678"}).question.text
        == "What is wrong on node gpu-1?"
    )
    assert asked({"node": "gpu-1"}, {"node": "gpu-2"}).question.text is None


def test_the_cluster_label_names_a_cluster_of_the_settings() -> None:
    assert asked({"cluster": "east"}, known=("east", "west")).question.cluster == "east"
    assert asked({"cluster": "prod-1"}, known=("east",), clusters={"prod-1": "east"}).question.cluster == "east"
    unknown = asked({"cluster": "mars"}, known=("east",))
    assert unknown.question is None
    assert "mars" in unknown.why_not
    # With one unnamed cluster, its label means nothing to us.
    assert asked({"cluster": "mars"}).question.cluster is None


# What a group comes down to.


def test_a_signature_changes_with_rule_object_and_state_alone() -> None:
    one = Alert({"alertname": "A", "namespace": "n", "pod": "p"})
    same = [Alert({**one.labels, "uid": "2"}, {"summary": "other"}, "firing", 7.0), one]
    assert signature([one]) == signature(same)
    for other in (
        Alert({**one.labels, "alertname": "B"}), Alert({**one.labels, "pod": "q"}), Alert(one.labels, state="resolved"),
    ):  # fmt: skip
        assert signature([one]) != signature([other])
    # One of two series of the same object that ends changes nothing that anybody acts on.
    assert signature([one, Alert({**one.labels, "uid": "2"}, state="resolved")]) == signature([one])
    assert pairs([one, Alert(one.labels, state="resolved")]) == {"A n/p"}


def test_titles_severities_and_times() -> None:
    alerts = [
        Alert({"alertname": f"R{n}", "namespace": f"n{n}", "severity": sev})
        for n, sev in enumerate(("info", "critical", "x", "", ""))
    ]
    assert title(alerts) == "R0, R1, R2 and 2 more on n0, n1, n2 and 2 more"
    assert severity(alerts) == "critical"
    assert severity([Alert({"severity": "critical"}, state="resolved")]) == ""
    told = [told_time(s) for s in (-5, 42, 119, 120, 3600, 7200, 100_000, 180_000)]
    assert told == ["0 s", "42 s", "119 s", "2 min", "60 min", "2 h 00 min", "27 h 47 min", "2 d 2 h"]
    assert [moment(one) for one in ("0001-01-01T00:00:00Z", "x", None, 7, "9" * 50)] == [0.0] * 5
    assert clean("a\x00\ud800b" * 1000, 4) == "abab"


# Silences.

SILENCE = {
    "id": "1", "status": {"state": "active"}, "createdBy": "ann", "comment": "new driver", "endsAt": "2026-11-21T12:00:00.000Z",
    "matchers": [{"name": "namespace", "value": "cha.", "isRegex": True, "isEqual": True}, {"name": "severity", "value": "critical", "isRegex": False, "isEqual": False}],
}  # fmt: skip


def test_silences_fit_as_alertmanager_fits_them() -> None:
    [one] = silences(
        [
            SILENCE,
            {**SILENCE, "status": {"state": "expired"}},
            7,
            {},
            {"status": 7},
            {"status": {"state": "active"}, "matchers": "x"},
        ]
    )[:1]
    assert one.covers({"namespace": "chat"})
    assert not one.covers({"namespace": "chats"}), "anchored"
    assert not one.covers({"namespace": "chat", "severity": "critical"})
    assert [found.covers({}) for found in silences([{**SILENCE, "matchers": []}])] == [False], (
        "nothing matches everything"
    )
    broken = {**SILENCE, "matchers": [{"name": "namespace", "value": r"\pL+(", "isRegex": True}]}
    assert [found.covers({"namespace": "chat"}) for found in silences([broken])] == [False]
    assert silences({"error": "x"}) == ()


def test_a_group_waits_only_when_all_of_it_does() -> None:
    known = silences([SILENCE])
    quiet, loud = Alert({"namespace": "chat"}), Alert({"namespace": "web"})
    found = held([quiet], AlertSettings(), known, 0.0)
    assert found is not None
    assert (found.why, found.until) == ("silenced by ann: new driver", at("2026-11-21T12:00:00"))
    assert held([quiet, loud], AlertSettings(), known, 0.0) is None
    assert held([quiet, Alert({}, state="resolved")], AlertSettings(), known, 0.0) is not None
    assert held([], AlertSettings(), known, 0.0) is None


class Peer(HTTPServer):
    """An Alertmanager that answers what a test prepares."""

    def __init__(self) -> None:
        self.content, self.status, self.asked = b"[]", 200, 0
        peer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                peer.asked += 1
                self.send_response(peer.status if self.path == "/api/v2/silences" else 404)
                self.send_header("content-length", str(len(peer.content)))
                self.end_headers()
                self.wfile.write(peer.content)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        super().__init__(("127.0.0.1", 0), Handler)


@pytest.fixture
def peer() -> Iterator[Peer]:
    server = Peer()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def test_silences_are_asked_for_twice_a_minute_and_their_absence_silences_nothing(peer: Peer) -> None:
    now = [0.0]
    asking = Silences(f"http://127.0.0.1:{peer.server_port}", lambda: now[0])
    peer.content = json.dumps([SILENCE]).encode()
    assert len(asking.active()) == 1
    now[0] = 29.0
    assert len(asking.active()) == 1
    assert peer.asked == 1
    for content, status in (
        (b"", 500),
        (b"not json", 200),
        (b'{"a": 1}', 200),
        (b"[{}]", 200),
        (b'[{"status": 7}]', 200),
    ):
        now[0] += 31.0
        peer.content, peer.status = content, status
        assert asking.active() == ()
    assert peer.asked == 6
    assert Silences("").active() == ()
    assert Silences("http://127.0.0.1:9").active() == ()
