"""Watchdogs: what is idle and what is only unseen, what ends, who is told and how often."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
import sqlalchemy as sa

from bot.blocks import MESSAGE_SIZE, size
from bot.chores.watch import asks, open_chore
from bot.cli.watch import nothing
from bot.desk import Bench
from bot.desks.watch import open_desk
from bot.settings import Settings
from bot.store.readiness import Place, Readiness
from bot.store.records import Ask, Store
from bot.store.watches import Said, Watch, Watches
from bot.watch.expiry import certificates, ending, of_certificates
from bot.watch.idle import idle
from bot.watch.look import look
from bot.watch.notice import AGAIN_S, Found, Looked, allowed, compose, due
from evals.slack_web.blocks import valid
from tests.bot.conftest import echo
from tests.bot.readiness.test_audit_marks import mark
from tests.bot.readiness.worlds_of_items import DAY, NOW
from tests.tools.scenes import WORKLOAD, snapshot
from tools.costs_figures import Figure, Kind, Spent
from tools.costs_output import Costs, NodeCost, WorkloadCost
from tools.finding import BlindSpot
from tools.reading import Blind, Reason
from tools.snapshot import SourceState
from tools.sources.prom import Result, Row

HOURS = 4.0
WATCH = Watch("w1", "idle", "C1", Place(), "4h", 0.95)


def spent(**hours: float) -> tuple[Spent, ...]:
    return tuple(Spent(kind, f"why {kind}", count, None) for kind, count in hours.items())  # type: ignore[arg-type]


def workload(name: str = "llama", gpus: float = 2.0, usd: float | None = 5.0, **hours: float) -> WorkloadCost:
    figure = None if usd is None else Figure(usd, "USD/h", "")
    none = object()
    return WorkloadCost(
        f"deployment/chat/{name}", "chat", "team-a", "", "vllm", gpus, (), figure, spent(**hours), none, none  # type: ignore[arg-type]
    )  # fmt: skip


def costs(*workloads: WorkloadCost, nodes: tuple[NodeCost, ...] = (), blind: tuple[BlindSpot, ...] = ()) -> Costs:
    return Costs("", "4h", 0.0, 0.0, None, 0.0, workloads, nodes, (), (), (), "", (), (), (), blind)


def node(devices: float = 8.0, **hours: float) -> NodeCost:
    return NodeCost("n1", None, None, devices, 0.0, spent(**hours))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "told", "unknown"),
    [
        (workload(idle=8.0), True, False),
        (workload(idle=7.6, used=0.4), True, False),
        (workload(idle=7.5, used=0.5), False, False),
        (workload(used=8.0), False, False),
        (workload(standby=8.0), False, False),
        (workload(unseen=8.0), False, True),
        (workload(idle=7.6, unseen=0.4), True, False),
        (workload(idle=7.5, unseen=0.5), False, True),
        (workload(idle=0.5), False, False),  # a pod of a quarter of an hour is in its grace, however idle it was
        (workload(), False, False),
        (workload(gpus=0.0), False, False),
    ],
)
def test_idle_is_what_was_seen_to_do_nothing_for_the_whole_time(one: WorkloadCost, told: bool, unknown: bool) -> None:
    found = idle(costs(one), HOURS)
    assert (bool(found.found), bool(found.unknown)) == (told, unknown)


def test_an_idle_holder_is_told_with_owner_cost_and_reason() -> None:
    (found,) = idle(costs(workload(idle=8.0)), HOURS).found
    assert found.subject == "deployment/chat/llama"
    assert found.said == "2 GPUs idle in 100 % of the last 4h (why idle), $5.00 an hour."
    assert found.owner == "team-a"
    assert "its owner can scale it down" in found.proposal
    (unpriced,) = idle(costs(workload(gpus=1.0, usd=None, idle=4.0)), HOURS).found
    assert unpriced.said == "1 GPU idle in 100 % of the last 4h (why idle)."


@pytest.mark.parametrize(
    ("one", "told", "unknown"),
    [
        (node(free=32.0), True, False),
        (node(stranded=20.0, free=12.0), True, False),
        (node(free=16.0), False, False),
        (node(unseen=32.0), False, True),
        (node(gone=32.0), False, False),
    ],
)
def test_free_nodes_are_told_too(one: NodeCost, told: bool, unknown: bool) -> None:
    found = idle(costs(nodes=(one,)), HOURS)
    assert (bool(found.found), bool(found.unknown)) == (told, unknown)


def test_a_source_that_is_down_makes_nothing_idle() -> None:
    found = idle(costs(blind=(BlindSpot("Prometheus", "source down"),)), HOURS)
    assert found.found == ()
    assert found.unknown == (("Prometheus", "source down"),)


A, B = Found("deployment/chat/a", "it idles.", "team-a", "scale it"), Found("node/n1", "free.", "", "shrink it")


def test_each_is_told_once_a_week_and_snoozed_ones_not() -> None:
    looked = Looked((A, B))
    ((key, payload),) = due(WATCH, looked, {}, NOW)
    assert [one["subject"] for one in payload["found"]] == [A.subject, B.subject]
    assert due(WATCH, looked, {}, NOW + 60)[0][0] == key, "replicas that look at about the same time bring one"
    said = {A.subject: Said(NOW), B.subject: Said(NOW)}
    assert due(WATCH, looked, said, NOW + AGAIN_S - 1) == []
    assert due(WATCH, looked, said, NOW + AGAIN_S)[0][0] != key
    ((_, rest),) = due(WATCH, looked, {A.subject: Said(NOW)}, NOW + 60)
    assert [one["subject"] for one in rest["found"]] == [B.subject]
    snoozed = {A.subject: Said(NOW, NOW + 3 * AGAIN_S), B.subject: Said(NOW, NOW + 3 * AGAIN_S)}
    assert due(WATCH, looked, snoozed, NOW + 2 * AGAIN_S) == []
    assert len(due(WATCH, looked, snoozed, NOW + 3 * AGAIN_S)) == 1


def test_nothing_found_is_no_notice_and_unknown_alone_neither() -> None:
    assert due(WATCH, Looked(), {}, NOW) == []
    assert due(WATCH, Looked(unknown=(("deployment/chat/a", "stale"),)), {}, NOW) == []
    assert due(replace(WATCH, muted_at=NOW), Looked((A,)), {}, NOW) == []


def test_a_watchdog_that_sees_nothing_for_a_day_says_so_once_a_week(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watches = Watches(engine)
    one = watches.watch("idle", "C1", Place(), "4h", 0.95, [])
    here = Bench(echo, Store(engine), tmp_path, "T1", Settings(home=tmp_path))
    dark = Looked(unknown=(("Prometheus", "refused"),), dark="Prometheus: refused")
    looks = {"now": dark}
    monkeypatch.setattr("bot.chores.watch.look", lambda *_args: looks["now"])

    def told(now: float) -> list[Ask]:
        return list(asks(here, watches, one, now))

    assert [told(NOW), told(NOW + DAY - 60)] == [[], []], "an hour without Prometheus is no news"
    looks["now"] = Looked()
    assert told(NOW + DAY - 30) == []
    looks["now"] = dark
    assert told(NOW + DAY) == [], "it was seen in between"
    assert told(NOW + 2 * DAY - 60) == []
    (ask,) = told(NOW + 2 * DAY)
    message = open_desk(here)(ask, lambda _: None)
    assert message["text"].startswith("I cannot see what I watch in default: that nothing was told is no good news")
    assert "it could not be seen for 24 hours, so nothing of it is known (Prometheus: refused)." in str(
        message["blocks"]
    )
    assert told(NOW + 3 * DAY) == []
    assert len(told(NOW + 2 * DAY + AGAIN_S)) == 1


def test_what_makes_a_look_dark(engine: sa.Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    down = Blind(Reason.SOURCE_DOWN, "refused")
    assert of_certificates(rows(blind=down), NOW, 14).dark == "Prometheus: source down: refused"
    assert of_certificates(rows(), NOW, 14).dark == ""
    assert certificates(down, NOW, 14).dark == "Prometheus: source down: refused"
    assert certificates(Blind(Reason.NOT_SET, "none"), NOW, 14).dark == "", "where none is set that is meant"
    seen = replace(snapshot({}, WORKLOAD), sources=(SourceState("Prometheus", down),))
    blind = (BlindSpot("Prometheus", str(down)),)
    monkeypatch.setattr("bot.cost.read_costs", lambda *_args, **_more: (costs(blind=blind), seen))
    assert look(Settings(), engine, WATCH, NOW).dark == "Prometheus: source down: refused"


def test_who_is_allowed_is_left_alone() -> None:
    assert allowed("deployment/chat/llama", ["chat/*"])
    assert allowed("deployment/chat/llama", ["deployment/chat/llama"])
    assert allowed("node/spare-7", ["node/spare-*"])
    assert not allowed("deployment/chat/llama", ["chat", "team/*", ""])
    ((_, payload),) = due(replace(WATCH, allowed=("chat/*",)), Looked((A, B)), {}, NOW)
    assert [one["subject"] for one in payload["found"]] == [B.subject]


def test_a_notice_is_a_message_that_slack_takes() -> None:
    words = "<!channel> `x` *b* \u202e🦊" * 60
    many = tuple(Found(f"deployment/chat/{words}{at}", words, words, words) for at in range(300))
    ((key, payload),) = due(WATCH, Looked(many, ((words, words),) * 300), {}, NOW)
    assert len(payload["found"]) == 200
    message = compose(payload, key)
    assert size(message.blocks) <= MESSAGE_SIZE
    assert all(map(valid, message.blocks))
    assert "<!channel>" not in str(message.blocks)
    assert message.text.startswith("300 holders of GPUs have done nothing with them for 4h")
    assert "more: `rackside watch look w1`" in str(message.blocks)
    assert "nothing was changed" in str(message.blocks)


def test_what_ends_within_the_days_or_ended_lately() -> None:
    def subjects(*until: float, **more: object) -> list[str]:
        return [one.subject for one in ending([mark(until=end, **more) for end in until], Place(), NOW, 14)]  # type: ignore[arg-type]

    assert subjects(NOW + 13 * DAY) == ["attestation XX-01 of default"]
    assert subjects(NOW + 15 * DAY) == []
    assert subjects(NOW - 29 * DAY) == ["attestation XX-01 of default"]
    assert subjects(NOW - 31 * DAY) == []
    assert subjects(NOW - DAY, NOW + 100 * DAY) == [], "renewed"
    assert subjects(NOW + DAY, withdrawn_at=NOW - 1) == []
    assert subjects(NOW + DAY, place=Place("other")) == []
    (waiver,) = ending([mark("waived", until=NOW + DAY)], Place(), NOW, 14)
    assert waiver.subject == "waiver XX-01 of default"


def rows(*told: tuple[dict[str, str], float], blind: Blind | None = None) -> Result:
    return Result("", tuple(Row(labels, value) for labels, value in told), blind)


def test_certificates_that_end_and_what_is_not_known_of_them() -> None:
    manager = {
        "__name__": "certmanager_certificate_expiration_timestamp_seconds",
        "name": "tls",
        "exported_namespace": "chat",
    }
    exporter = {"__name__": "x509_cert_not_after", "secret_namespace": "chat", "secret_name": "web", "subject_CN": "x"}
    probe = {
        "__name__": "probe_ssl_earliest_cert_expiry",
        "instance": "https://llm.example.org",
        "namespace": "monitoring",
    }
    found = of_certificates(
        rows((manager, NOW + 3 * DAY), (exporter, NOW - DAY), (probe, NOW + 90 * DAY), (manager | {"pod": "b"}, NOW + 9 * DAY)), NOW, 14
    )  # fmt: skip
    assert [(one.subject, one.said) for one in found.found] == [
        ("certificate chat/web", "it ended on 2026-09-20."),
        ("certificate chat/tls", "it ends on 2026-09-24."),
    ]
    assert found.unknown == ()
    (soon,) = of_certificates(rows((probe, NOW + DAY)), NOW, 14).found
    assert soon.subject == "certificate https://llm.example.org"


def test_without_an_exporter_no_certificate_is_called_good() -> None:
    assert of_certificates(rows(), NOW, 14).unknown == (("certificates", "no exporter tells of any"),)
    down = of_certificates(rows(blind=Blind(Reason.SOURCE_DOWN, "refused")), NOW, 14)
    assert down.unknown == (("certificates", "source down: refused"),)
    never = of_certificates(rows(({"name": "x"}, 0.0), ({"name": "y"}, float("nan"))), NOW, 14)
    assert never.found == ()
    untold = "its end is not told: was it ever issued?"
    assert never.unknown == (("certificate x", untold), ("certificate y", untold))
    good = {"name": "good"}
    some = of_certificates(rows((good, NOW + 90 * DAY), ({"name": "x"}, 0.0), (good | {"pod": "b"}, 0.0)), NOW, 14)
    assert some.unknown == (("certificate x", untold),), "one that is told of elsewhere is known"


def test_the_watchdogs_memory(engine: sa.Engine) -> None:
    store = Watches(engine)
    one = store.watch("idle", "C1", Place(), "4h", 0.95, ["chat/*"], "Kim")
    assert store.all() == [one]
    assert store.mute(one.id)
    again = store.watch("idle", "C1", Place(), "1d", 0.9, [], "Lee")
    assert (again.id, again.grace, again.allowed, again.muted_at) == (one.id, "1d", (), None)
    assert store.watch("expiry", "C1", Place(), "", 14.0, []).id != one.id
    store.say(one.id, ["a", "b"], NOW)
    store.say(one.id, ["a"], NOW + 1, NOW + 2)
    store.say(one.id, ["a"], NOW + 3)
    assert store.said(one.id) == {"a": Said(NOW + 3, NOW + 2), "b": Said(NOW)}
    assert store.stop(one.id)
    assert not store.stop(one.id)
    assert store.said(one.id) == {}


def test_an_expiry_watchdog_tells_once_over_many_looks(engine: sa.Engine, tmp_path: Path) -> None:
    now = time.time()
    Readiness(engine, lambda: now - DAY).mark(
        "attested", "DR-03", Place(), by="Kim", until=now + 3 * DAY, evidence="https://x.example.org"
    )
    one = Watches(engine).watch("expiry", "C1", Place(), "", 14.0, [])
    here = Bench(echo, Store(engine), tmp_path, "T1", Settings(home=tmp_path))
    chore = open_chore(here)
    told: list[Ask] = []
    deadline = time.monotonic() + 30
    while not told:
        told += chore(now)
        assert time.monotonic() < deadline, "it never told"
        time.sleep(0.02)
    assert [one.kind for one in told] == ["watch"]
    made = open_desk(here)(told[0], lambda _: None)
    assert "attestation DR-03" in str(made["blocks"])
    assert "no Prometheus is configured" in str(made["blocks"]), "what is not known is said"
    assert list(Watches(engine).said(one.id)) == ["attestation DR-03 of default"]
    assert list(asks(here, Watches(engine), one, now + 7 * 3600)) == []


def test_nothing_to_tell_is_said_of_what_was_seen() -> None:
    assert nothing(()) == "Nothing to tell of."
    assert nothing((), 1) == "Nothing to tell of. 1 is left alone, as was asked."
    unknown = [("deployment/chat/a", "stale"), ("deployment/chat/a", "other"), ("node/n1", "x"), ("node/n2", "x")]
    assert nothing(unknown, 2) == (
        "Nothing to tell of what could be seen. Not seen, and so not known: deployment/chat/a, node/n1 and 1 more."
        " 2 are left alone, as was asked."
    )


@pytest.mark.parametrize("holders", [(), (workload(used=8.0),)])
def test_a_place_where_nobody_is_seen_to_hold_a_gpu_is_not_known(
    engine: sa.Engine, monkeypatch: pytest.MonkeyPatch, holders: tuple[WorkloadCost, ...]
) -> None:
    seen = snapshot({}, WORKLOAD)
    monkeypatch.setattr("bot.cost.read_costs", lambda *_args, **_more: (costs(*holders), seen))
    there = replace(WATCH, place=Place(namespace="chat", workload="llama"))
    looked = look(Settings(), engine, there, NOW)
    assert looked.found == ()
    told = (("default/chat/llama", "no GPU can be seen, nor anybody who holds one"),)
    assert looked.unknown == (() if holders else told)


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "watch", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
        env={"RACKSIDE_HOME": str(home), "PATH": "/usr/bin:/bin", "KUBECONFIG": str(home / "none"), "NO_COLOR": "1"},
    )  # fmt: skip


def test_the_command_line_sets_lists_looks_and_stops(tmp_path: Path) -> None:
    done = command(tmp_path, "idle", "C1", "--grace", "2h", "--allow", "chat/*")
    assert done.returncode == 0, done.stderr
    name = done.stdout.partition(":")[0]
    assert "idle for 2h in 95 %  leaves chat/* alone" in command(tmp_path, "list").stdout
    looked = command(tmp_path, "look", name)
    honest = (
        "Nothing to tell of what could be seen. Not seen, and so not known: Prometheus, Kubernetes, Who holds GPUs.\n"
    )
    assert looked.stdout == honest
    assert "not known of Prometheus" in looked.stderr
    assert command(tmp_path, "stop", name).returncode == 0
    assert command(tmp_path, "stop", name).returncode == 2
    refused = command(tmp_path, "idle", "C1", "--grace", "long")
    assert refused.returncode == 2
    assert "no window" in " ".join(refused.stderr.split())


def test_kinds_are_those_of_the_account() -> None:
    from typing import get_args

    assert {"idle", "unseen", "free", "stranded", "standby"} <= set(get_args(Kind))
