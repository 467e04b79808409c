"""Everything that is known at one moment: each signal and fact asked once, with its query, time and status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tools.columns import Column
from tools.happenings import Happenings
from tools.reading import Blind, Reading, Reason
from tools.signals import Ask
from tools.topology import Topology

if TYPE_CHECKING:
    from tools.measure import Query

STALE_AFTER_S = 180.0
_KEPT_READINGS = 200_000


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
    is what Kubernetes tells of the time before, None where it could not be asked (`past`: its objects are today's).
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
    # Checks read the same things again and again; of the largest fleets only the first are kept (some 50 MiB).
    _made: dict[tuple[Ask, str], Reading] = field(default_factory=dict, init=False, repr=False, compare=False)
    _void: dict[Ask, bool] = field(default_factory=dict, init=False, repr=False, compare=False)

    def read(self, ask: Ask, key: str) -> Reading:
        """The reading of one ask for one key of its dimension; blind with a reason where there is none."""
        made = self._made.get((ask, key))
        if made is None:
            made = self._read(ask, key)
            if len(self._made) < _KEPT_READINGS:
                self._made[ask, key] = made
        return made

    def _read(self, ask: Ask, key: str) -> Reading:
        subject = self.topology.part_subject(ask.signal.per, key)
        column = self.columns.get(ask)
        if column is None:
            return self._blind(ask, key, Blind(Reason.NOT_SET, "it was not asked for"))
        value, part, sampled, blind = column.find(key, self.stale_after_s, self.at)
        return Reading(
            name=ask.said,
            subject=subject,
            value=value,
            unit=ask.unit,
            source=part.source if part else "",
            query=part.query_of(key) if part else "",
            at=sampled,
            kind=ask.signal.evidence,
            blind=blind,
        )

    def seen(self, ask: Ask, key: str) -> Reading | None:
        """The same where there is a value, else None, and nothing is made: most of what checks look for is nowhere."""
        made = self._made.get((ask, key))
        if made is None:
            column = self.columns.get(ask)
            if column is None or column.find(key, self.stale_after_s, self.at)[3] is not None:
                return None
            made = self.read(ask, key)
        return made if made.blind is None else None

    def void(self, ask: Ask) -> bool:
        """Whether an ask has nothing to tell of any key, for one reason."""
        found = self._void.get(ask)
        if found is None:
            column = self.columns.get(ask)
            found = self._void[ask] = column is None or column.void
        return found

    def _blind(self, ask: Ask, key: str, why: Blind) -> Reading:
        subject = self.topology.part_subject(ask.signal.per, key)
        return Reading(ask.said, subject, None, ask.unit, "", "", 0.0, ask.signal.evidence, why)

    @property
    def sees_nothing(self) -> bool:
        """Whether not one source answered with data."""
        return all(source.blind is not None for source in self.sources)
