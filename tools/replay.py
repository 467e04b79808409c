"""One finding's check over the past of its readings: when it would have fired, on which of them that hung, and at which value.

Each step is judged with the readings of then and everything else as it is now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

from tools.columns import Column, Part
from tools.diagnose import Overrides, judge, thresholds
from tools.history import History
from tools.outcomes import Outcome, Verdict
from tools.past_reading import Trace
from tools.present import Present
from tools.reading import Reading
from tools.signals import Ask
from tools.snapshot import Snapshot

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


def window_s(ask: Ask) -> float:
    """The window of an ask in seconds, 0 where it has none."""
    return float(ask.window[:-1]) * _WINDOW_S[ask.window[-1]] if ask.window else 0.0


class Replay:
    """The check of a finding that fires, with the past of what it reads."""

    def __init__(self, snapshot: Snapshot, past: History, outcome: Outcome, limits: Overrides) -> None:
        assert outcome.because is not None
        self._snapshot, self._past, self._limits = snapshot, past, limits
        self._case, self.subject = outcome.case, outcome.subject
        self.because = outcome.because

    def firing(self, asks: Sequence[Ask]) -> list[bool | None]:
        """Whether the check fires at each step; the last one is now, when it does."""
        return [*(self._fires(i, asks) for i in range(len(self._past.times) - 1)), True]

    def _fires(self, index: int, asks: Sequence[Ask]) -> bool | None:
        return _as_bool(self._judge(self._past.at(self._snapshot, index, asks)))

    def _judge(self, snapshot: Snapshot) -> Verdict:
        return judge(self._case, self.subject, snapshot, self._limits).verdict

    def decisive(self, asks: Sequence[Ask], quiet: int | None) -> Ask | None:
        """The reading that alone made it quiet at that step; without a quiet step the first that could."""
        # Numbers before codes: they can be drawn, and they have a threshold.
        ordered = sorted((ask for ask in asks if ask in self._past.parts), key=lambda ask: ask.unit in CODES)
        if quiet is not None:
            alone = [ask for ask in ordered if self._fires(quiet, [ask]) is False]
            if alone:
                return alone[0]
        return next((ask for ask in ordered if self._quiet_value(ask) is not None), None)

    def trace(self, ask: Ask, firing: Sequence[bool | None]) -> Trace:
        """The reading over time with its threshold."""
        reading, _ = self._reading(ask)
        values = [value for _, value in self.values(self._snapshot, self._past, ask, ask)]
        threshold, above = self._threshold(ask)
        return Trace(
            finding=f"{self._case.id}@{self.subject}",
            name=ask.said,
            of=str(reading.subject.name if reading else self.subject.name),
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

    def values(self, snapshot: Snapshot, past: History, ask: Ask, like: Ask) -> list[tuple[float, float | None]]:
        """A reading of the same part as another one has, over time; None where there is no data."""
        _, key = self._reading(like)
        found: list[tuple[float, float | None]] = []
        for i, moment in enumerate(past.times):
            then = past.at(snapshot, i, [ask])
            one = then.read(ask, key) if key else Present(then, self.subject).get(ask)
            value = one.value if one is not None and one.blind is None else None
            found.append((moment, float(value) if isinstance(value, int | float) and ask in past.parts else None))
        return found

    def window_before(self, ask: Ask, trace: Trace, found: Spell, asks: Sequence[Ask]) -> float:
        """How long before the crossing it began: a lowest value over a window is high once it was high for all of it.

        Only where the other readings would have let the check fire that early too.
        """
        whole = (ask.statistic == "min" and trace.above) or (ask.statistic == "max" and not trace.above)
        if found.quiet is None or not whole or not ask.window or trace.threshold is None:
            return 0.0
        window = window_s(ask)
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
        parts = self._snapshot.topology.parts(self.subject, ask.signal.per)
        told = reading or Present(self._snapshot, self.subject).get(ask)
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
        known = [*thresholds(self._case, self.subject, self._limits).values(), 0.0]
        near = [one for one in known if abs(one - fires) <= 1e-6 * max(1.0, abs(one))]
        # Elsewhere it turns on other readings of now: no line to hold the past against.
        return (near[0] if near else None), above


def _as_bool(verdict: Verdict) -> bool | None:
    return None if verdict is Verdict.BLIND else verdict is Verdict.FIRES


def _number(value: float | str) -> float:
    return float(value) if isinstance(value, int | float) else 0.0
