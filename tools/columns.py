"""The columns of a snapshot: for each ask, the values by key, with what was asked of whom and when.

Columnar on purpose: a fleet of ten thousand GPUs is a few dictionaries of floats, and a `Reading` is made only for what is shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.reading import Blind, Reason
from tools.signals import Ask, Kind

Value = float | str
# A mean or percentile of nothing is NaN: nothing happened in the window. A NaN gauge is a broken one.
_NOT_IN_USE = Blind(Reason.NOTHING_OBSERVED, "what would export it is not in use")
_NAN = {
    True: Blind(Reason.NOTHING_OBSERVED, "nothing was observed in the window"),
    False: Blind(Reason.PARTIAL, "the value is not a number"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """One source's share of a column: `query` asked for it, or for single keys what `queries` names.

    `at` is when it was read; `fresh` gives the sample time by key, empty when not sampled.
    """

    source: str
    query: str
    at: float
    values: Mapping[str, Value] = field(default_factory=dict)
    fresh: Mapping[str, float] | None = None
    blind: Blind | None = None
    not_a_number: frozenset[str] = frozenset()
    # Keys that the source speaks of without this: what would export it is not in use there.
    nothing: frozenset[str] = frozenset()
    # Keys that the source speaks of and cannot answer for, each with its reason.
    unseen: Mapping[str, Blind] = field(default_factory=dict)
    queries: Mapping[str, str] = field(default_factory=dict)

    def query_of(self, key: str) -> str:
        """The request that told this key."""
        return self.queries.get(key, self.query)


@dataclass(frozen=True, slots=True)
class Column:
    """All that is known of one ask. `absent` says why a key without a value has none."""

    ask: Ask
    parts: tuple[Part, ...]
    absent: Blind

    def find(self, key: str, stale_after_s: float, now: float) -> tuple[Value | None, Part | None, float, Blind | None]:
        """The value of a key with its part and sample time, or the reason why there is none."""
        why: Blind | None = None
        where: Part | None = None
        for part in self.parts:
            if part.blind is not None:
                why, where = why or part.blind, where or part
                continue
            if key in part.unseen:
                why, where = why or part.unseen[key], where or part
                continue
            if key in part.nothing:
                why, where = why or _NOT_IN_USE, where or part
                continue
            if key not in part.values and key not in part.not_a_number:
                where = where or part
                continue
            lasts = part.fresh is None or self.ask.signal.lasting
            sampled = part.at if lasts else (part.fresh or {}).get(key)
            if sampled is None or (not lasts and now - sampled > stale_after_s):
                age = "over 5 min" if sampled is None else f"{now - sampled:.0f} s"
                why, where = Blind(Reason.STALE, f"the last sample is {age} old"), part
                continue
            if key not in part.values:
                why, where = _NAN[self.ask.signal.kind is Kind.HISTOGRAM], part
                continue
            return part.values[key], part, sampled, None
        return None, where, 0.0, why or self.absent

    @property
    def void(self) -> bool:
        """Whether no part tells a key apart from any other: all find the same reason."""
        return all(
            part.blind is not None or not (part.values or part.unseen or part.nothing or part.not_a_number)
            for part in self.parts
        )

    @property
    def empty(self) -> bool:
        """Whether no key has a value."""
        return not any(part.values and part.blind is None for part in self.parts)

    @property
    def keys(self) -> set[str]:
        """Every key that any part has a value for."""
        return {key for part in self.parts for key in part.values}
