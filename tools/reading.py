"""What was read, of whom, and why something could not be read.

A reading is never just a number: it carries the query that produced it, its unit, its source and its time.
A reading that could not be had is *blind* and says why; it is never a zero.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class Subject(NamedTuple):
    """Who a reading, a check or a finding is about.

    `kind` is a lower-case Kubernetes kind (`deployment`, `statefulset`, `pod`, `node`, ...), `gpu` or `cluster`.
    A GPU's name is `NODE/INDEX`. Printed as `kind/namespace/name`, without the namespace where there is none.
    """

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        """Print the subject as `kind/namespace/name`."""
        return "/".join(part for part in self if part)

    @classmethod
    def parse(cls, text: str) -> Subject:
        """Read a printed subject back; raises ValueError with a sentence for anything else."""
        kind, _, rest = text.partition("/")
        if kind in {"node", "gpu", "cluster"}:
            return cls(kind, "", rest)
        namespace, slash, name = rest.partition("/")
        if not (kind and namespace and slash and name):
            raise ValueError(f"{text!r} is no subject: write kind/namespace/name, node/NAME or gpu/NODE/INDEX")
        return cls(kind, namespace, name)


class Reason(StrEnum):
    """Why a reading is blind."""

    NOT_SET = "not set"
    SOURCE_DOWN = "source down"
    FORBIDDEN = "forbidden"
    NO_SERIES = "no series"
    STALE = "stale"
    PARTIAL = "partial"
    NOT_DEFAULT = "not exported by default"
    AMBIGUOUS = "ambiguous owner"
    NOT_KEPT = "not kept"
    NOTHING_OBSERVED = "nothing observed"


@dataclass(frozen=True, slots=True)
class Blind:
    """A reason and one sentence for the person on call."""

    reason: Reason
    detail: str

    def __str__(self) -> str:
        """Print the sentence, led by its reason."""
        return f"{self.reason.value}: {self.detail}" if self.detail else self.reason.value


class Reading(NamedTuple):
    """One value of one signal for one subject, with its provenance.

    `value` is a number in `unit`, a text (facts, log lines), or None when `blind` says why there is none.
    `at` is the time of the sample in seconds since the epoch, 0 when nothing was sampled.
    `kind` is the kind of evidence (metric, state, event, log, config); independent kinds raise confidence.
    """

    name: str
    subject: Subject
    value: float | str | None
    unit: str
    source: str
    query: str
    at: float
    kind: str = "metric"
    blind: Blind | None = None

    @property
    def number(self) -> float:
        """The value as a number; raises TypeError for a text or a blind reading."""
        if isinstance(self.value, int | float):
            return float(self.value)
        raise TypeError(f"{self.name} of {self.subject} is not a number: {self.blind or self.value!r}")

    def of(self, other: Subject) -> Reading:
        """The same, said of another subject."""
        name, _, value, unit, source, query, at, kind, blind = self
        return Reading(name, other, value, unit, source, query, at, kind, blind)

    @property
    def text(self) -> str:
        """The value as a text, empty when blind."""
        return "" if self.value is None else str(self.value)
