"""Replicas that were told to stop, by whoever: a rollout, a scale-in, a drain."""

from __future__ import annotations

from tools.signals import Per, fact

REPLICAS_STOPPED = fact(
    "workload.replicas_stopped",
    "replicas",
    Per.WORKLOAD,
    "Replicas told to stop within a day",
    "max",
    "event",
    "events",
)
REPLICA_STOPPED = fact(
    "workload.replica_stopped",
    "",
    Per.WORKLOAD,
    "Last replica that was told to stop",
    evidence="event",
    told_by="events",
)
