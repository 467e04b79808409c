"""What a check says of a subject: one outcome for each of both."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from tools.casebook import Case
from tools.check import Because
from tools.finding import Remedy
from tools.reading import Reading, Subject


class Verdict(StrEnum):
    """What a check says of a subject."""

    FIRES = "fires"
    QUIET = "quiet"
    BLIND = "blind"
    NOT_APPLICABLE = "not applicable"


class Outcome(NamedTuple):
    """One check on one subject: the verdict with its reason, and the readings that it looked at.

    `of_any_gpu` says that nothing was looked at that tells one GPU from another: the same holds of every one.
    """

    case: Case
    subject: Subject
    verdict: Verdict
    because: Because | None = None
    unseen: Reading | None = None
    looked_at: tuple[Reading, ...] = ()
    remedies: tuple[Remedy, ...] = ()
    of_any_gpu: bool = False

    @property
    def key(self) -> str:
        """The key that a finding of it has: id and subject."""
        return f"{self.case.id}@{self.subject}"

    def of(self, other: Subject) -> Outcome:
        """The same, said of another GPU."""
        unseen = self.unseen and self.unseen.of(other)
        return Outcome(self.case, other, self.verdict, unseen=unseen, of_any_gpu=True)
