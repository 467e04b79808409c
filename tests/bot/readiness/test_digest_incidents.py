"""How incidents ended: recovered is only what was seen to be gone by the checks that had fired; what is blind now is not known."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa

from bot.advisor.question import Answer, Scope
from bot.digest.incidents import ended, triaged
from bot.store.alerts import AlertBook
from bot.store.answers import Answers
from bot.store.readiness import Place
from bot.store.records import Ask, Store
from bot.triage.notes import noted
from tests.tools import scenes
from tools.diagnose import Diagnosis, diagnose
from tools.outcomes import Verdict
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot, SourceState

ABOUT = Place(namespace="team", workload="app")
FULL = "kv_saturation_queueing@deployment/team/app"
LOOP = "crash_loop@deployment/team/app"
LOST = "node_lost@node/n1"
FIRES = {name: scenes.scene(name)["fires"] for name in ("kv_saturation_queueing", "crash_loop", "node_lost")}
QUIET = {name: FIRES[name] | scenes.scene(name)["quiet_if"] for name in FIRES}


def world(*worlds: dict[str, Any], without: Iterable[str] = ()) -> tuple[Snapshot, Diagnosis]:
    values: dict[str, Any] = {}
    for one in worlds:
        values |= one
    seen = scenes.snapshot(values, scenes.WORKLOAD, without=tuple(without))
    return seen, diagnose(seen)


FULL_NOW, FULL_OVER = world(FIRES["kv_saturation_queueing"]), world(QUIET["kv_saturation_queueing"])
LOOPS, LOOPS_NO_MORE = world(FIRES["crash_loop"]), world(QUIET["crash_loop"])
# Pods are seen and the engine's metrics are gone: no headline stands on the workload.
HALF_BLIND = world(QUIET["crash_loop"], QUIET["kv_saturation_queueing"], without=FIRES["kv_saturation_queueing"])


@pytest.mark.parametrize(
    ("now", "then", "told"),
    [
        (FULL_NOW, {FULL}, "goes on"),
        (FULL_OVER, {FULL}, "recovered"),
        (HALF_BLIND, {FULL}, "not known"),
        (HALF_BLIND, {LOOP}, "recovered"),
        (HALF_BLIND, {LOOP, FULL}, "not known"),
        (LOOPS, {LOOP}, "goes on"),
        (world(FIRES["crash_loop"], QUIET["kv_saturation_queueing"]), {FULL}, "something else is wrong now"),
        (FULL_OVER, {FULL, "gone_check@deployment/team/app"}, "not known"),
        (FULL_OVER, set(), "nothing grave was found"),
        (FULL_NOW, set(), "something else is wrong now"),
        (FULL_OVER, None, "not known"),
        (FULL_NOW, None, "goes on"),
        (world(FIRES["node_lost"], QUIET["kv_saturation_queueing"]), {FULL, LOST}, "goes on"),
        (world(QUIET["node_lost"], QUIET["kv_saturation_queueing"]), {FULL, LOST}, "recovered"),
    ],
)
def test_an_end_is_told_of_what_was_seen_again(
    now: tuple[Snapshot, Diagnosis], then: set[str] | None, told: str
) -> None:
    assert ended(ABOUT, *now, None if then is None else frozenset(then)) == told


def test_a_symptom_folded_under_a_node_goes_on() -> None:
    seen, found = world(FIRES["kv_saturation_queueing"], FIRES["node_lost"])
    symptom = next(one for one in found.findings if one.key == FULL)
    assert not symptom.root, "the node explains it: the workload has no headline of its own"
    assert not [one for one in found.findings if one.root and one.subject == symptom.subject]
    assert ended(ABOUT, seen, found, frozenset({FULL})) == "goes on"
    assert ended(ABOUT, seen, found, None) == "goes on"


def test_without_what_was_found_nothing_is_recovered_unless_every_check_sees() -> None:
    seen, found = FULL_OVER
    clear = [one for one in found.outcomes if one.verdict is not Verdict.BLIND]
    assert ended(ABOUT, seen, replace(found, outcomes=tuple(clear)), None) == "recovered"
    assert ended(ABOUT, seen, replace(found, outcomes=()), None) == "not known", "nothing was looked at"


def test_where_nothing_is_seen_or_it_is_gone_nothing_is_known() -> None:
    seen, found = FULL_OVER
    down = replace(seen, sources=(SourceState("Prometheus", Blind(Reason.SOURCE_DOWN, "refused")),))
    assert ended(ABOUT, down, found, frozenset({FULL})) == "not known"
    assert ended(Place(namespace="team", workload="other"), seen, found, frozenset({FULL})) == "not known"


def keep(engine: sa.Engine, at: float, ts: str, key: str, now: tuple[Snapshot, Diagnosis], *, name: str = "") -> None:
    """An ask of channel C1 that was answered with what is found now; `name` makes it an alert's."""
    store = Store(engine, lambda: at)
    kind = "alert" if name else "question"
    ask = Ask("T1", "C1", "" if name else ts, "" if name else ts, "" if name else "U1", f"why? {ts}", kind, {}, name)
    assert store.accept(ask)
    store.answered(ask.key, f"{ts}1")
    store.remember_scope(ask, {"namespace": "team", "workload": "app"})
    answer = Answer("why?", "live", Scope(None, "team", "app"), key, findings=now[1].findings)
    if name:
        AlertBook(engine).note(f"{ask.key}:diagnosis", "g", 1, at, "diagnosis", noted(answer, at))
    elif key:
        Answers(engine, lambda: at).keep(ask, answer)


def test_each_thread_is_held_against_what_was_found_in_it(engine: sa.Engine) -> None:
    at = scenes.NOW - 3600
    keep(engine, at, "1", "full", FULL_NOW)
    keep(engine, at + 1, "2", "loops", LOOPS)
    keep(engine, at + 2, "3", "", FULL_NOW)
    keep(engine, at + 3, "4", "full", FULL_NOW, name="alert:g:1")
    told = triaged(engine, "C1", Place(), at - 1, scenes.NOW, *HALF_BLIND)
    assert [(one.title, one.ended) for one in told] == [
        ("why? 1", "not known"),
        ("why? 2", "recovered"),
        ("why? 3", "not known"),
        ("why? 4", "not known"),
    ]
    again = triaged(engine, "C1", Place(), at - 1, scenes.NOW, *FULL_OVER)
    assert [one.ended for one in again] == ["recovered", "not known", "not known", "recovered"]
    assert triaged(engine, "C2", Place(), at - 1, scenes.NOW, *FULL_OVER) == []


def test_what_nobody_kept_or_saw_is_no_evidence(engine: sa.Engine) -> None:
    at = scenes.NOW - 3600
    keep(engine, at, "1", "full", FULL_NOW)
    blind = Answer("why?", "live", Scope(None, "team", "app"), "nothing seen", saw_nothing=True)
    Answers(engine, lambda: at).keep(Ask("T1", "C1", "1", "1", "U1", "why? 1"), blind)
    (told,) = triaged(engine, "C1", Place(), at - 1, scenes.NOW, *FULL_OVER)
    assert told.ended == "not known", "an answer that saw nothing does not say that nothing was there"
