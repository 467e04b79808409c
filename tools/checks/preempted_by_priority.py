"""A replica was put off its node to make room for a pod of higher priority.

## What it means
The scheduler (or Kueue, or a kubelet for a critical pod) found no free place for a pod that ranks higher, and ended a replica that ranks
lower. Nothing is wrong with the engine, its node or its GPUs. That the replica's successor finds no place follows from it.

## Why it hurts
The replica is gone within its grace period, with whatever it had under way, and what took its place keeps the GPUs until it ends.

## What would rule it out
No preemption within the hour, or as many ready replicas as are wanted since.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import BROKEN, UNPLACED, named
from tools.finding import Remedy
from tools.signals import PENDING_FOR, POD_READY, REPLICAS_READY, REPLICAS_WANTED
from tools.vocabulary.displaced import PREEMPTED, PREEMPTED_AGO, TOOK_PLACE

# A controller makes the successor at once; the victim's grace period may lie between.
SUCCESSOR_S = 600.0


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica was preempted lately, or its successor waits since then, and replicas are missing."""
    said = now[PREEMPTED.now]
    if not said.text:
        return None
    ago = now[PREEMPTED_AGO.now]
    if (ago.number > limits["recent"] and not _waits_since(now, ago.number)) or _whole(now):
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


def _waits_since(now: Now, ago_s: float) -> bool:
    known = now.get(PENDING_FOR.now) is not None
    return any(abs(pending.number - ago_s) <= SUCCESSOR_S for pending in now.each(PENDING_FOR.now)) if known else False


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Rank what serves above what may wait."""
    return (
        Remedy(
            "Give what serves a PriorityClass (in Kueue: a WorkloadPriorityClass) above that of batch work, or the batch class"
            " `preemptionPolicy: Never`, so that it waits for free GPUs instead of taking these.",
            None,
            "`kubectl get pods -o custom-columns=N:.metadata.name,P:.spec.priority` shows the replicas above what took their place, and they are ready.",
            ("kubernetes/pending-gpu-pods", "platform/kueue-and-gpu-quotas"),
        ),
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
    helps=(TOOK_PLACE.now, REPLICAS_WANTED.now, REPLICAS_READY.now, POD_READY.now, PENDING_FOR.now),
    limits={"recent": Limit(3600, "seconds", "an hour; longer ago only where a successor has waited ever since")},
    fires=fires,
    explains=(
        *UNPLACED,
        *BROKEN,
        # The successor waits for the place that was taken.
        *named(
            "pending_insufficient_gpu",
            "gpu_bin_packing_fragmentation",
            "pending_mig_mismatch",
            "pending_other_resource",
        ),
        # Kueue puts a preempted workload back behind its gate.
        *named("pending_scheduling_gate", "quota_exceeded", "routing_skew"),
    ),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "platform/kueue-and-gpu-quotas"),
    owner="platform",
)
