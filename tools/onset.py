"""Since when a finding has been there: its check is run again over the past of the readings that it rests on.

Each step of a bounded look-back is judged with the readings of then and everything else as it is now, so that what is found is
the moment at which the decisive reading crossed its threshold. What no series tells is taken from the times that objects state.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.casebook import Case
from tools.check import Because, duration_shown, quantity_shown
from tools.columns import Column, Part
from tools.diagnose import Outcome, Overrides, Verdict, judge, thresholds
from tools.finding import Since
from tools.history import History, has_past
from tools.moments import clock, rfc3339
from tools.present import Present
from tools.reading import Reading, Subject
from tools.signals import Ask, Per
from tools.snapshot import Snapshot
from tools.trace import Trace

LOOK_BACK_S = 3 * 3600.0
STEP_S = 60.0
ASKS_MOST = 8
FLAPPING = 3
CODES = frozenset({"xid", ""})
_WINDOW_S = {"s": 1.0, "m": 60.0, "h": 3600.0}


@dataclass(frozen=True)
class Spell:
    """The spell that lasts until now: it began after `quiet` (None: not seen to be quiet before) and at `first` at the latest.

    `times` counts the spells of the look-back, this one included. Indexes are steps.
    """

    first: int
    quiet: int | None
    times: int
    unseen: int


def spell(firing: Sequence[bool | None]) -> Spell:
    """The last spell of a row of verdicts that ends with one that fires; None is a step without data."""
    first = len(firing) - 1
    quiet: int | None = None
    for i in range(len(firing) - 2, -1, -1):
        if firing[i] is False:
            quiet = i
            break
        if firing[i]:
            first = i
    told = [one for one in firing if one is not None]
    begun = sum(1 for before, after in pairwise(told) if after and not before)
    unseen = sum(1 for one in firing[first:] if one is None)
    return Spell(first, quiet, begun + (1 if told and told[0] else 0), unseen)


def candidates(case: Case, because: Because, snapshot: Snapshot) -> list[Ask]:
    """The asks whose past may tell when it began, in the order in which the finding speaks of them."""
    by_name = {ask.said: ask for ask in case.check.asks}
    told = [by_name.get(reading.name.split(" (sum of ")[0]) for reading in because.evidence]
    known = dict.fromkeys(ask for ask in (*told, *case.check.needs) if ask is not None)
    return [ask for ask in known if has_past(snapshot, ask)][:ASKS_MOST]


def keys_of(snapshot: Snapshot, subject: Subject) -> Mapping[Per, tuple[str, ...]]:
    """The parts of a subject in every dimension."""
    return {per: snapshot.topology.parts(subject, per) for per in Per}


def onset(snapshot: Snapshot, past: History, outcome: Outcome, limits: Overrides) -> tuple[Since, Trace | None]:
    """When a finding began, and the reading that decided it over time."""
    replay = _Replay(snapshot, past, outcome, limits)
    asks = [ask for ask in past.parts if ask in outcome.case.check.asks]
    firing = replay.firing(asks)
    found = spell(firing)
    decisive = replay.decisive(candidates(outcome.case, replay.because, snapshot), found.quiet)
    stated = None if found.quiet is not None else from_states(snapshot, replay.because, outcome.subject)
    if decisive is None:
        return stated or unknown(snapshot), None
    trace = replay.trace(decisive, firing)
    if stated is not None and trace.threshold is None:
        return stated, None
    begun = past.times[found.first]
    within = past.step_s * (found.first - found.quiet if found.quiet is not None else 1)
    began_after = replay.window_before(decisive, trace, found, asks)
    since = Since(
        text=_said(snapshot, trace, found, past, begun - began_after),
        at=rfc3339(begun - began_after),
        at_least=found.quiet is None,
        within_s=within,
        times=found.times,
        query=trace.query,
        source=trace.source,
    )
    return since, replace(trace, onset=begun - began_after)


def _said(snapshot: Snapshot, trace: Trace, found: Spell, past: History, begun: float) -> str:
    now = snapshot.at
    length = duration_shown(now - begun)
    limit = f" of {quantity_shown(trace.threshold, trace.unit)}" if trace.threshold is not None else ""
    what = f'the reading "{trace.name}" on {trace.of}'
    if found.quiet is None:
        if found.first == 0:
            return f"For at least {length}: {what} was past its threshold{limit} already at {clock(begun, now)}, where the look-back ends."
        return (
            f"For at least {length}: {what} was past its threshold{limit} when its data begins, at {clock(begun, now)}."
        )
    quiet = past.times[found.quiet]
    when = f"Since {clock(begun, now)} ({length})"
    if found.first - found.quiet > 1:
        when = f"Since some time between {clock(quiet, now)} and {clock(begun, now)}, with no data in between"
    else:
        when += f", to within {duration_shown(past.step_s)}"
    if found.times >= FLAPPING:
        window = duration_shown(now - past.times[0])
        return f"Flapping: {what} crossed its threshold{limit} {found.times} times in the last {window}. This time: {_lower(when)}."
    if trace.unit in CODES:
        return f"{when}: {what} turned then to what it shows now."
    gap = f"; {duration_shown(found.unseen * past.step_s)} of that is without data" if found.unseen else ""
    return f"{when}: {what} crossed its threshold{limit} then{gap}."


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]


class _Replay:
    """One finding's check over the past of its readings."""

    def __init__(self, snapshot: Snapshot, past: History, outcome: Outcome, limits: Overrides) -> None:
        assert outcome.because is not None
        self._snapshot, self._past, self._limits = snapshot, past, limits
        self._case, self._subject = outcome.case, outcome.subject
        self.because = outcome.because

    def firing(self, asks: Sequence[Ask]) -> list[bool | None]:
        """Whether the check fires at each step; the last one is now, when it does."""
        return [*(self._fires(i, asks) for i in range(len(self._past.times) - 1)), True]

    def _fires(self, index: int, asks: Sequence[Ask]) -> bool | None:
        return _as_bool(self._judge(self._past.at(self._snapshot, index, asks)))

    def _judge(self, snapshot: Snapshot) -> Verdict:
        return judge(self._case, self._subject, snapshot, self._limits).verdict

    def decisive(self, asks: Sequence[Ask], quiet: int | None) -> Ask | None:
        """The reading that alone made it quiet at that step; without a quiet step the first that could."""
        if quiet is not None:
            alone = [ask for ask in asks if ask in self._past.parts and self._fires(quiet, [ask]) is False]
            if alone:
                return alone[0]
        return next((ask for ask in asks if ask in self._past.parts and self._quiet_value(ask) is not None), None)

    def trace(self, ask: Ask, firing: Sequence[bool | None]) -> Trace:
        """The reading over time with its threshold."""
        reading, key = self._reading(ask)
        values: list[float | None] = []
        for i in range(len(self._past.times)):
            then = self._past.at(self._snapshot, i, [ask])
            one = then.read(ask, key) if key else Present(then, self._subject).get(ask)
            value = one.value if one is not None and one.blind is None else None
            values.append(float(value) if isinstance(value, int | float) else None)
        threshold, above = self._threshold(ask)
        return Trace(
            finding=f"{self._case.id}@{self._subject}",
            name=ask.said,
            of=str(reading.subject.name if reading else self._subject.name),
            unit=ask.unit,
            times=self._past.times,
            values=tuple(values),
            firing=tuple(firing),
            threshold=threshold,
            above=above,
            onset=None,
            query=next((part.query for part in self._past.parts[ask][-1]), ""),
            source=reading.source if reading else "Prometheus",
        )

    def window_before(self, ask: Ask, trace: Trace, found: Spell, asks: Sequence[Ask]) -> float:
        """How long before the crossing it began: a lowest value over a window is high once it was high for all of it.

        Only where the other readings would have let the check fire that early too.
        """
        whole = (ask.statistic == "min" and trace.above) or (ask.statistic == "max" and not trace.above)
        if found.quiet is None or not whole or not ask.window or trace.threshold is None:
            return 0.0
        window = float(ask.window[:-1]) * _WINDOW_S[ask.window[-1]]
        steps = int(window // self._past.step_s)
        others = [one for one in asks if one != ask]
        before = max(0, found.first - steps)
        if any(self._fires(i, others) is not True for i in range(before, found.first)):
            return 0.0
        return window

    def _reading(self, ask: Ask) -> tuple[Reading | None, str]:
        """The reading of the finding that the ask gave, and its key where it is one part's."""
        for reading in self.because.evidence:
            if reading.name.split(" (sum of ")[0] == ask.said:
                parts = self._snapshot.topology.parts(reading.subject, ask.signal.per)
                single = len(parts) == 1 and "(sum of" not in reading.name
                return reading, parts[0] if single else ""
        return None, ""

    def _with(self, ask: Ask, keys: Sequence[str], value: float) -> Snapshot:
        """The snapshot with a reading's value changed."""
        column = self._snapshot.columns[ask]
        values = {key: told for key in column.keys if (told := self._snapshot.read(ask, key).value) is not None}
        part = Part("replay", "", self._snapshot.at, {**values, **dict.fromkeys(keys, value)})
        changed = Column(ask, (part,), column.absent)
        return replace(self._snapshot, columns={**self._snapshot.columns, ask: changed})

    def _quiet_value(self, ask: Ask) -> tuple[float, float, tuple[str, ...]] | None:
        """The value now, one at which the check would be quiet, and the keys of the parts that it belongs to."""
        reading, key = self._reading(ask)
        parts = self._snapshot.topology.parts(self._subject, ask.signal.per)
        told = reading or Present(self._snapshot, self._subject).get(ask)
        if told is None or not isinstance(told.value, int | float) or not parts:
            return None
        # Of a sum each part is given its share.
        value = float(told.value) / (len(parts) if "(sum of" in told.name else 1)
        seen = [one for step in self._past.parts.get(ask, ()) for part in step for one in part.values.values()]
        numbers = [float(one) for one in (min(seen, default=0.0, key=_number), max(seen, default=0.0, key=_number))
                   if isinstance(one, int | float)]  # fmt: skip
        for keys in ((key,) if key else (), parts):
            for other in (*numbers, 0.0, 2 * value + 1):
                if keys and other != value and self._judge(self._with(ask, keys, other)) is Verdict.QUIET:
                    return value, other, tuple(keys)
        return None

    def _threshold(self, ask: Ask) -> tuple[float | None, bool]:
        """The value at which the check turns, and whether it fires above it."""
        found = self._quiet_value(ask)
        if found is None or ask.unit in CODES:
            # Of a code no value lies above another.
            return None, True
        fires, quiet, keys = found
        above = fires > quiet
        if self._judge(self._with(ask, keys, fires)) is not Verdict.FIRES:
            return None, above
        for _ in range(60):
            middle = (fires + quiet) / 2
            if middle in {fires, quiet}:
                break
            if self._judge(self._with(ask, keys, middle)) is Verdict.FIRES:
                fires = middle
            else:
                quiet = middle
        reading, key = self._reading(ask)
        fires *= len(keys) if not key and reading is not None and "(sum of" in reading.name else 1
        known = [*thresholds(self._case, self._subject, self._limits).values(), 0.0]
        near = [one for one in known if abs(one - fires) <= 1e-6 * max(1.0, abs(one))]
        return (near[0] if near else fires), above


def _as_bool(verdict: Verdict) -> bool | None:
    return None if verdict is Verdict.BLIND else verdict is Verdict.FIRES


def _number(value: float | str) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


def from_states(snapshot: Snapshot, because: Because, subject: Subject) -> Since | None:
    """When the objects that a finding speaks of came to be as they are, where they state it."""
    if snapshot.happenings is None:
        return None
    topology = snapshot.topology
    keys: dict[str, None] = {}
    for reading in because.evidence:
        if reading.kind not in {"state", "event", "log"}:
            continue
        about = reading.subject if reading.subject.kind in {"pod", "node"} else subject
        names = (about.name,) if about.kind == "node" else topology.pods_of(about)
        keys.update(dict.fromkeys(names))
    states = [(key, state) for key in keys for state in snapshot.happenings.states.get(key, ())]
    lasting = [one for one in states if one[1].what != "last ended"]
    if lasting:
        key, state = min(lasting, key=lambda one: (one[1].since, one[0]))
    elif states:
        key, state = max(states, key=lambda one: (one[1].since, one[0]))
    else:
        return None
    name = key.rpartition("/")[2]
    when = f"{clock(state.since, snapshot.at)} ({duration_shown(snapshot.at - state.since)}"
    text = f"{name} {state.what} since {when}), says {state.said}."
    if not lasting:
        text = f"{name} {state.what} at {when} before), says {state.said}."
    return Since(text, rfc3339(state.since), within_s=1.0, query=state.said, source="Kubernetes API")


def unknown(snapshot: Snapshot) -> Since:
    """What is said where nothing tells when it began."""
    if snapshot.past:
        return Since("Since when cannot be told: Kubernetes keeps no past, and no series tells of it.", None)
    return Since("Since when cannot be told: neither a series nor an object states the time.", None)
