"""Pods that the API refuses to create: what the checks of a quota and of any other refusal share."""

from __future__ import annotations

import re
from dataclasses import dataclass

from tools.check import Because, Now, because
from tools.reading import Reading
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.autoscaling import CREATE_REFUSED, REPLICAS_CREATED

NEEDS = (REPLICAS_WANTED.now, REPLICAS_CREATED.now, CREATE_REFUSED.now)
# Used up, or none that covers pods of this priority.
BY_QUOTA = re.compile(r"exceeded quota|insufficient quota")
# Groups of pods whose object is not listed: their controller speaks as long as it is refused.
GROUPS = frozenset({"raycluster", "daemonset"})


@dataclass(frozen=True, slots=True)
class Refusal:
    """The newest refusal where replicas are missing, with how many exist and are wanted where that is known."""

    refused: Reading
    created: Reading | None = None
    wanted: Reading | None = None

    @property
    def by_quota(self) -> bool:
        """Whether a quota is the reason."""
        return bool(BY_QUOTA.search(self.refused.text))

    @property
    def because(self) -> Because:
        """What is said of it."""
        if self.created is None or self.wanted is None:
            return because("A pod of it was refused by the API: {refused}", refused=self.refused)
        return because(
            "{created} of {wanted} exist in the present revision; the API refused the next: {refused}",
            created=self.created,
            wanted=self.wanted,
            refused=self.refused,
        )


def refusal(now: Now) -> Refusal | None:
    """The refusal of the subject's next pod; None where all that are wanted exist, or nothing was refused."""
    if now.subject.kind in GROUPS:
        refused = now[CREATE_REFUSED.now]
        return Refusal(refused) if refused.text else None
    wanted, created = now[REPLICAS_WANTED.now], now[REPLICAS_CREATED.now]
    if created.number >= wanted.number:
        return None
    refused = now[CREATE_REFUSED.now]
    return Refusal(refused, created, wanted) if refused.text else None
