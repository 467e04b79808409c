"""Everything that is known at one moment: each signal and fact asked once, with its query, time and status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from tools.columns import Column
from tools.happenings import Happenings
from tools.reading import Blind, Reading, Reason, Subject
from tools.signals import Ask
from tools.topology import Topology

if TYPE_CHECKING:
    from tools.addressing import Addressing
    from tools.measure import Query
    from tools.present import Told

STALE_AFTER_S = 180.0


class _Columns(dict[Ask, bool]):
    """What holds of the column of an ask, looked at the first time; of what was not asked it is true that there is nothing."""

    def __init__(self, columns: Mapping[Ask, Column], holds: Callable[[Column], bool]) -> None:
        super().__init__()
        self._columns, self._holds = columns, holds

    def __missing__(self, ask: Ask) -> bool:
        column = self._columns.get(ask)
        found = self[ask] = column is None or self._holds(column)
        return found


@dataclass(frozen=True, slots=True)
class SourceState:
    """How one source answered: `blind` is None when data came back. `subjects` counts whom it spoke of."""

    name: str
    blind: Blind | None
    subjects: int = 0
    requests: int = 0


@dataclass(frozen=True)
class Snapshot:
    """The readings of a scope at a moment (seconds since the epoch), and the topology that relates them.

    `queries` are those that were asked, by ask, so that their past can be asked too; `matchers` go into every selector. `happenings`
    is what Kubernetes tells of the time before, None where it could not be asked (`past`: its objects are today's); `addressing` the same of
    where addresses lead.
    """

    at: float
    topology: Topology
    columns: Mapping[Ask, Column]
    sources: tuple[SourceState, ...] = ()
    seconds: Mapping[str, float] = field(default_factory=dict)
    stale_after_s: float = STALE_AFTER_S
    requests: int = 0
    queries: Mapping[Ask, tuple[Query, ...]] = field(default_factory=dict)
    matchers: str = ""
    happenings: Happenings | None = None
    past: bool = False
    addressing: Addressing | None = field(default=None, repr=False, compare=False)
    # Checks read the same things again and again.
    _made: dict[Ask, dict[str, Reading]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _told: dict[Subject, dict[Ask, Told]] = field(default_factory=dict, init=False, repr=False, compare=False)
    _seen: dict[Subject, dict[Ask, Reading | None]] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, ask: Ask, key: str) -> Reading:
        """The reading of one ask for one key of its dimension; blind with a reason where there is none."""
        made = self._made.setdefault(ask, {})
        if key not in made:
            made[key] = self._read(ask, key)
        return made[key]

    def _read(self, ask: Ask, key: str) -> Reading:
        subject = self.topology.part_subject(ask.signal.per, key)
        column = self.columns.get(ask)
        if column is None:
            return self._blind(ask, key, Blind(Reason.NOT_SET, "it was not asked for"))
        value, part, sampled, blind = column.find(key, self.stale_after_s, self.at)
        source, query = (part.source, part.query_of(key)) if part else ("", "")
        return Reading(ask.said, subject, value, ask.unit, source, query, sampled, ask.signal.evidence, blind)

    def seen(self, part: Subject, ask: Ask) -> Reading | None:
        """The reading of a subject's first part that has a value, None where none has, and nothing is made: most of what checks look for is nowhere."""
        seen = self._seen.setdefault(part, {})
        if ask not in seen:
            seen[ask] = self._first(part, ask)
        return seen[ask]

    def _first(self, part: Subject, ask: Ask) -> Reading | None:
        column = self.columns.get(ask)
        if column is None:
            return None
        keys = self.topology.parts(part, ask.signal.per)
        found = (key for key in keys if column.find(key, self.stale_after_s, self.at)[3] is None)
        return next((self.read(ask, key) for key in found), None)

    def told(self, subject: Subject) -> dict[Ask, Told]:
        """What a subject's parts told so far, by ask: dozens of checks look at the same."""
        return self._told.setdefault(subject, {})

    @cached_property
    def void(self) -> Mapping[Ask, bool]:
        """Whether an ask has nothing to tell of any key, for one reason."""
        return _Columns(self.columns, lambda column: column.void)

    @cached_property
    def empty(self) -> Mapping[Ask, bool]:
        """Whether an ask has a value of no key, for whatever reasons."""
        return _Columns(self.columns, lambda column: column.empty)

    def _blind(self, ask: Ask, key: str, why: Blind) -> Reading:
        subject = self.topology.part_subject(ask.signal.per, key)
        return Reading(ask.said, subject, None, ask.unit, "", "", 0.0, ask.signal.evidence, why)

    @property
    def sees_nothing(self) -> bool:
        """Whether not one source answered with data."""
        return all(source.blind is not None for source in self.sources)
