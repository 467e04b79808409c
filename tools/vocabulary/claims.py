"""What is said of the claims of a pod that waits: the reason stands at the claim, and the scheduler only says that it is unbound."""

from __future__ import annotations

from tools.signals import Per, fact

CLAIM_SAID = fact("pod.claim_said", "", Per.REPLICA, "What its claim says", evidence="event", told_by="events")
