"""A replica was put off its node to make room for a pod of higher priority.

## What it means
The scheduler (or Kueue, or a kubelet for a critical pod) found no free place for a pod that ranks higher, and ended a replica that ranks
lower. Nothing is wrong with the engine, its node or its GPUs. Where the replica's successor waits for a place of its own, the failure mode
of that wait names the preemption too.

## Why it hurts
The replica is gone within its grace period, with whatever it had under way, and what took its place keeps the GPUs until it ends.

## What would rule it out
No preemption within the hour, or as many ready replicas as are wanted since.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.displaced import remedy
from tools.families import BROKEN, UNPLACED, named
from tools.finding import Remedy
from tools.pending import PENDING_S
from tools.signals import PENDING_FOR, POD_READY, REPLICAS_READY, REPLICAS_WANTED, UNSCHEDULABLE
from tools.vocabulary.displaced import PREEMPTED, PREEMPTED_AGO, TOOK_PLACE


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica was preempted lately, replicas are missing since, and no successor's wait tells it."""
    said = now[PREEMPTED.now]
    if not said.text:
        return None
    ago = now[PREEMPTED_AGO.now]
    if ago.number > limits["recent"] or _whole(now) or _waits(now, limits["pending"]):
        return None
    wanted, ready = now.get(REPLICAS_WANTED.now), now.get(REPLICAS_READY.now)
    took = now.get(TOOK_PLACE.now)
    missing = "; ready since: {ready}, wanted: {wanted}" if wanted is not None and ready is not None else ""
    place = ". Its place was taken by {took}" if took is not None and took.text else ""
    named_too = {"ready": ready, "wanted": wanted} if missing else {}
    named_too |= {"took": took} if place else {}
    return because(
        f"A replica was preempted {{ago}} ago: {{said}}{missing}{place}.",
        said=said,
        ago=ago,
        severity=None,
        **{name: one for name, one in named_too.items() if one is not None},
    )


def _whole(now: Now) -> bool:
    wanted, ready = now.get(REPLICAS_WANTED.now), now.get(REPLICAS_READY.now)
    if wanted is not None and ready is not None:
        return ready.number >= wanted.number
    # What says nothing of its replicas is whole where all its pods are ready.
    known = now.get(POD_READY.now)
    return known is not None and known.number >= 1


def _waits(now: Now, after_s: float) -> bool:
    """A successor that the scheduler cannot place is told by what keeps it off."""
    for pending in now.each(PENDING_FOR.now) if now.get(PENDING_FOR.now) is not None else ():
        said = now.of(pending.subject, UNSCHEDULABLE.now)
        if pending.number >= after_s and said is not None and said.text:
            return True
    return False


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Rank what serves above what may wait."""
    return (
        remedy(),
        Remedy(
            "Until then let the pod that took the place end, or delete it if it may wait: the GPUs come back with it. `kubectl get pods -A -o wide"
            " --sort-by=.spec.priority` shows what ranks above the replica.",
            None,
            "The replica's successor is assigned a node and turns ready.",
            ("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PREEMPTED.now, PREEMPTED_AGO.now),
    helps=(TOOK_PLACE.now, REPLICAS_WANTED.now, REPLICAS_READY.now, POD_READY.now, PENDING_FOR.now, UNSCHEDULABLE.now),
    limits={
        "recent": Limit(3600, "seconds", "an hour: as long as the cluster keeps events"),
        "pending": Limit(PENDING_S, "seconds", "from then on the successor's own wait is told"),
    },
    fires=fires,
    # Kueue puts a preempted workload back behind its gate.
    explains=(*UNPLACED, *BROKEN, *named("pending_scheduling_gate", "quota_exceeded", "routing_skew")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "platform/kueue-and-gpu-quotas"),
    owner="platform",
)
