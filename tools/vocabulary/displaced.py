"""A replica that was put off its node for the sake of another pod, and which pod that is."""

from __future__ import annotations

from tools.signals import Per, fact

PREEMPTED = fact("workload.preempted", "", Per.WORKLOAD, "Preemption of a replica", evidence="event", told_by="events")
PREEMPTED_AGO = fact(
    "workload.preempted_ago", "seconds", Per.WORKLOAD, "Time since a replica was preempted", "min", "event", "events"
)
TOOK_PLACE = fact("workload.place_taken_by", "", Per.WORKLOAD, "Pod that took the place", told_by="events")
