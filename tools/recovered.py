"""Faults that were there within the look-back and are gone: named as recovered, with from and to, never as headlines.

Every quiet failure mode is judged again over the past of its readings, at coarse steps and with the objects as they are now. A fault
counts when it stood for ten minutes at least and was severe, or hid others; what a finding or another recovered fault explains is left out.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import groupby

from tools.casebook import cases
from tools.check import Because, duration_shown
from tools.diagnose import Overrides, judge
from tools.finding import SEVERITIES, Recovered
from tools.history import History, has_past, history
from tools.moments import clock, rfc3339
from tools.outcomes import Outcome, Verdict
from tools.presence import REPORTING
from tools.reading import Blind, Subject
from tools.relations import explanations
from tools.signals import Ask, Kind, Per
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

LOOK_BACK_S = 90 * 60.0
STEP_S = 300.0
STANDS_S = 600.0
# Beyond this many parts the past of everything is not asked for: a question about a part of the fleet is.
PARTS_MOST = 120
SHOWN = 5
_WORTH = frozenset(SEVERITIES[:2])


@dataclass(frozen=True)
class Looked:
    """What was found, and why it was not looked for where it was not."""

    found: tuple[Recovered, ...]
    unseen: str = ""


def recovered(
    prom: PromSource | Blind,
    snapshot: Snapshot,
    scope: Collection[Subject],
    quiet: Sequence[Outcome],
    active: Sequence[Outcome],
    limits: Overrides,
) -> Looked:
    """What came and went. `quiet` are outcomes that look well on the scope, `active` those that fire anywhere."""
    worth = [one for one in quiet if one.subject in scope and _worth(one)]
    asks = {ask for one in worth for ask in one.case.check.needs if _moves(ask) and has_past(snapshot, ask)}
    keys = {per: sorted({key for s in scope for key in snapshot.topology.parts(s, per)}) for per in Per}
    if isinstance(prom, Blind) or not asks:
        return Looked(())
    if len(keys[Per.REPLICA]) + len(keys[Per.GPU]) > PARTS_MOST:
        return Looked(
            (), f"More than {PARTS_MOST} replicas and GPUs: ask about a namespace or a workload to hear what recovered"
        )
    past = history(prom, snapshot, asks, keys, snapshot.at - LOOK_BACK_S, STEP_S)
    if not past.parts:
        return Looked((), "The past of the readings could not be asked" if past.blind else "")
    then = [past.at(snapshot, i) for i in range(len(past.times))]
    spells = {one.key: (one, those) for one in worth if (those := _spells(one, past, then, limits))}
    gone = [_as_fired(one) for one, _ in spells.values()]
    explained = explanations([*active, *gone], snapshot.topology)
    kept = [one for one in gone if not explained.get(one.key)]
    told = [_recovered(one, spells[one.key][1], past, snapshot) for one in kept]
    told.sort(key=lambda one: (SEVERITIES.index(cases()[one.id].check.severity), one.subject, one.id))
    return Looked(tuple(told[:SHOWN]))


def _worth(outcome: Outcome) -> bool:
    """Whether anybody would want to hear of it once it is over: what broke users, and what hid faults from us."""
    check = outcome.case.check
    return check.severity in _WORTH or any(ask in REPORTING for ask in check.needs)


def _moves(ask: Ask) -> bool:
    return ask.signal.kind is not Kind.FACT or ask in REPORTING


def _spells(outcome: Outcome, past: History, then: Sequence[Snapshot], limits: Overrides) -> list[tuple[int, int]]:
    """The first and last step of each time that it stood long enough."""
    if not any(ask in past.parts for ask in outcome.case.check.needs):
        return []
    fires = [judge(outcome.case, outcome.subject, one, limits).verdict is Verdict.FIRES for one in then]
    found: list[tuple[int, int]] = []
    for fired, those in groupby(range(len(fires)), key=lambda i: fires[i]):
        steps = list(those)
        # What still fires at the last step is not over.
        if fired and steps[-1] < len(fires) - 1 and len(steps) * past.step_s >= STANDS_S:
            found.append((steps[0], steps[-1]))
    return found


def _as_fired(outcome: Outcome) -> Outcome:
    return Outcome(outcome.case, outcome.subject, Verdict.FIRES, Because("", {}))


def _recovered(outcome: Outcome, spells: Sequence[tuple[int, int]], past: History, snapshot: Snapshot) -> Recovered:
    first, last = spells[-1]
    begun, ended = past.times[first], past.times[last]
    at_least = first == 0
    since = f"{'before ' if at_least else ''}{clock(begun, snapshot.at)}"
    title = outcome.case.words.title.rstrip(".")
    often = f" It came and went {len(spells)} times in {duration_shown(LOOK_BACK_S)}." if len(spells) > 1 else ""
    text = (
        f"Recovered: {outcome.subject}: {title[:1].lower()}{title[1:]}, from {since} to {clock(ended, snapshot.at)},"
        f" to within {duration_shown(past.step_s)}.{often}"
    )
    return Recovered(
        outcome.case.id, outcome.case.words.title, str(outcome.subject), rfc3339(begun), rfc3339(ended), text,
        len(spells), at_least,
    )  # fmt: skip
