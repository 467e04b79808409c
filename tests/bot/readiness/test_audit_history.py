"""Kept audits: what changed between two, since when an item fails, and what is thinned away."""

from __future__ import annotations

from dataclasses import replace

import pytest
import sqlalchemy as sa

from bot.audit import Judged
from bot.audit_history import Change, changes, streak, to_keep
from bot.cli.audit_history import sentence
from bot.store.readiness import WEEK_S, KeptCell, Past, Place, Readiness
from tests.bot.readiness.worlds_of_items import DAY, NOW, deployment, judged, report

A, B, C = (deployment(name) for name in "abc")


def differ(before: Judged, after: Judged, *still: str) -> list[tuple[str, tuple[str, ...]]]:
    there = judged("pass", "ZZ-99", quiet=still or (A, B, C))
    found = changes(to_keep(report(before, there), "x"), to_keep(report(after, there), "y"))
    return [(one.kind, one.subjects) for one in found]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (judged("pass"), judged("fail", fails=(A,)), [("new", (A,))]),
        (judged("unknown"), judged("fail", fails=(A,)), [("new", (A,))]),
        (judged("fail", fails=(A,)), judged("pass", quiet=(A,)), [("fixed", (A,))]),
        (judged("fail", fails=(A,)), judged("attest", quiet=(A,)), [("fixed", (A,))]),
        (judged("fail", fails=(A,)), judged("fail", fails=(A,)), []),
        (judged("fail", fails=(A,)), judged("fail", fails=(A, B)), [("worse", (B,))]),
        (judged("fail", fails=(A, B)), judged("fail", fails=(A,), quiet=(B,)), [("better", (B,))]),
        (judged("fail", fails=(A,)), judged("fail", fails=(B,), quiet=(A,)), [("worse", (B,)), ("better", (A,))]),
        (judged("fail", fails=(A, B)), judged("fail", fails=(A,), blind=(B,)), [("blind", (B,))]),
        (judged("fail", fails=(A,)), judged("unknown", blind=(A,)), [("blind", (A,))]),
        (judged("pass"), judged("unknown", blind=(A,)), [("blind", ())]),
        (judged("attest"), judged("unknown", blind=(A,)), []),
        (judged("unknown", blind=(A,)), judged("pass", quiet=(A,)), [("seen", ())]),
        (judged("fail", fails=(A,)), judged("waived"), [("waived", (A,))]),
        (judged("fail", fails=(A,)), judged("not_applicable"), [("gone", (A,))]),
        (judged("attest"), judged("attested"), [("attested", ())]),
        (judged("attested"), judged("expired"), [("lapsed", ())]),
        (judged("attested"), judged("attest"), [("lapsed", ())]),
        (judged("not_applicable"), judged("pass"), []),
    ],
)
def test_what_differs_between_two_audits(
    before: Judged, after: Judged, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert differ(before, after) == expected


def silent(one: Judged, subject: str, *checks: str) -> Judged:
    return replace(one, silent={subject: checks})


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        # Nothing was asked of A for the whole window, say: the check that found it has nothing to go by.
        (judged("fail", fails=(A,)), silent(judged("pass", quiet=(B,)), A, "a_check"), [("blind", (A,))]),
        (judged("fail", fails=(A, B)), silent(judged("pass", quiet=(B,)), A, "a_check"), [("fixed", (B,)), ("blind", (A,))]),
        (judged("fail", fails=(A, B)), silent(judged("fail", fails=(A,)), B, "a_check"), [("blind", (B,))]),
        (judged("fail", fails=(A,)), silent(judged("not_applicable"), A, "a_check"), [("blind", (A,))]),
        (judged("fail", fails=(A,)), silent(judged("attest", quiet=(A,)), A, "other", "a_check"), [("blind", (A,))]),
        # Another check of the item never had anything to look at there.
        (judged("fail", fails=(A,)), silent(judged("pass", quiet=(A,)), A, "other"), [("fixed", (A,))]),
        (judged("fail", fails=(A, B)), judged("pass", quiet=(B,)), [("fixed", (A, B))]),
    ],
)  # fmt: skip
def test_what_is_not_told_any_more_is_not_fixed(
    before: Judged, after: Judged, expected: list[tuple[str, tuple[str, ...]]]
) -> None:
    assert sorted(differ(before, after), reverse=True) == sorted(expected, reverse=True)


def test_what_is_silent_is_kept_and_comes_back(readiness: Readiness) -> None:
    one = silent(judged("pass", quiet=(B,)), A, "a_check", "other")
    readiness.keep(to_keep(report(one), "x"))
    found = readiness.run("x")
    assert found is not None
    assert found.items[0].cells == (KeptCell(A, "silent", "", "a_check,other"),)
    both = replace(judged("fail", fails=(A,)), silent={A: ("other",)})
    assert [cell.state for cell in to_keep(report(both), "y").items[0].cells] == ["fail"], "one cell a subject"


def test_only_what_is_still_there_is_fixed() -> None:
    assert differ(judged("fail", fails=(A, B)), judged("pass", quiet=(B,)), B) == [("fixed", (B,))]


def test_a_workload_that_went_is_not_fixed() -> None:
    assert differ(judged("fail", fails=(A,)), judged("pass", quiet=(B,)), B) == [("gone", (A,))]
    assert differ(judged("fail", fails=(A, B)), judged("fail", fails=(B,)), B) == []


def test_a_new_item_of_the_checklists_is_no_new_failure() -> None:
    found = changes(to_keep(report(), "x"), to_keep(report(judged("fail", fails=(A,))), "y"))
    assert [one.kind for one in found] == ["added"]
    assert [one.kind for one in changes(to_keep(report(judged("pass")), "x"), to_keep(report(), "y"))] == ["dropped"]


def test_the_worst_change_comes_first() -> None:
    before = report(judged("pass", "AA-01", severity="low"), judged("pass", "BB-01", severity="critical"))
    after = report(
        judged("fail", "AA-01", severity="low", fails=(A,)), judged("fail", "BB-01", severity="critical", fails=(A,))
    )
    found: list[Change] = changes(to_keep(before, "x"), to_keep(after, "y"))
    assert [one.id for one in found] == ["BB-01", "AA-01"]


def test_what_is_kept_comes_back_whole_and_once(readiness: Readiness) -> None:
    kept = to_keep(
        report(
            judged("fail", fails=(A, B), blind=(C,), title="Robert\0'); DROP TABLE audit_run; -- 🦊"), judged("pass", "XX-02"),
            place=Place("prod", "team"), unseen=("Prometheus: down",),
        ),
        "digest:1:2026-W39", '{"cost": null}',
    )  # fmt: skip
    assert [readiness.keep(kept), readiness.keep(kept)] == [True, False]
    found = readiness.run("digest:1:2026-W39")
    assert found is not None
    assert found.items[0].title == kept.items[0].title.replace("\0", "")
    assert (found.place, found.at, found.score, found.verified) == (kept.place, kept.at, kept.score, kept.verified)
    assert (found.subjects, found.unseen, found.extra) == (kept.subjects, kept.unseen, kept.extra)
    assert [one.cells for one in found.items] == [one.cells for one in kept.items]
    assert readiness.run("nothing") is None
    assert readiness.latest(Place("prod", "team"), NOW + 1) == found
    assert readiness.latest(Place("prod", "team"), NOW) is None, "only what came before"
    assert readiness.latest(Place("prod"), NOW + 1) is None, "of this place alone"


def test_the_trend_and_an_items_past_are_of_one_place_in_order(readiness: Readiness) -> None:
    for week, state in ((2, "fail"), (0, "pass"), (1, "unknown")):
        one = report(judged(state), at=NOW - DAY * 7 * (3 - week))  # type: ignore[arg-type]
        readiness.keep(to_keep(one, f"run-{week}"))
    readiness.keep(to_keep(report(judged("fail"), place=Place("other")), "elsewhere"))
    assert [run.id for run in readiness.runs(Place())] == ["run-0", "run-1", "run-2"]
    assert [run.score for run in readiness.runs(Place())] == [1.0, 0.0, 0.0]
    assert [run.id for run in readiness.runs(Place(), NOW - DAY * 15, NOW - DAY * 8)] == ["run-1"]
    assert [one.state for one in readiness.past(Place(), "XX-01")] == ["pass", "unknown", "fail"]
    assert readiness.past(Place(), "QQ-01") == []


def past(*states: str) -> list[Past]:
    return [Past(NOW + DAY * at, state, "") for at, state in enumerate(states)]


@pytest.mark.parametrize(
    ("states", "first", "before", "unseen"),
    [
        (("fail",), 0, None, 0),
        (("pass", "fail"), 1, 0, 0),
        (("pass", "fail", "fail"), 1, 0, 0),
        (("fail", "pass", "fail"), 2, 1, 0),
        (("pass", "fail", "unknown", "fail"), 1, 0, 1),
        (("pass", "unknown", "fail"), 2, 0, 0),
        (("unknown", "unknown", "fail"), 2, 1, 0),
        (("pass", "fail", "unknown", "unknown", "fail", "fail"), 1, 0, 2),
        (("fail", "pass"), 1, 0, 0),
        (("pass", "unknown", "unknown"), 1, 0, 0),
    ],
)
def test_since_when_it_fails(states: tuple[str, ...], first: int, before: int | None, unseen: int) -> None:
    told = past(*states)
    found = streak(told)
    assert found is not None
    assert (found.first, found.before, found.unseen) == (told[first], None if before is None else told[before], unseen)


def test_since_when_in_words() -> None:
    def words(*states: str) -> str:
        found = streak(past(*states))
        assert found is not None
        return sentence("XX-01", found)

    assert streak([]) is None
    assert (
        words("pass", "fail") == "XX-01 fails since between 2026-09-21 14:13 UTC (then: pass) and 2026-09-22 14:13 UTC."
    )
    assert words("fail").endswith("already when it was first looked at on 2026-09-21 14:13 UTC.")
    assert "on 2026-09-21 14:13 UTC it could not be seen" in words("unknown", "fail")
    assert words("pass", "fail", "unknown", "fail").endswith("once in between it could not be seen.")


def test_all_of_five_weeks_is_kept_then_one_a_week_and_none_after_400_days(engine: sa.Engine) -> None:
    now = 3000 * WEEK_S + 3 * DAY
    readiness = Readiness(engine, lambda: now)
    ages = {f"{age}": age * DAY for age in (0, 34, 45, 46, 47, 399, 401)}
    for name, age in ages.items():
        readiness.keep(to_keep(report(judged("fail", fails=(A,)), at=now - age), name))
    readiness.keep(to_keep(report(judged("fail"), at=now - 46 * DAY, place=Place("other")), "other"))
    assert readiness.prune() == 2, "46 and 47 days ago lie in one week, 401 is too old"
    assert {run.id for run in readiness.runs(Place())} == {"0", "34", "45", "46", "399"}
    assert readiness.runs(Place("other"))
    with engine.connect() as connection:
        left = connection.execute(sa.text("select count(*) from audit_run_cell")).scalar()
    assert left == len(readiness.runs(Place())), "nothing is left of what went"
