"""Pods wait because of a volume, not because of GPUs.

## What it means
The claim for the weights is unbound, gone, or bound to a disk in a zone where no node with free GPUs is. A disk that is
ReadWriteOnce can serve one node at a time.

## Why it hurts
GPUs stand free while the replica does not exist; a second replica of a model on a ReadWriteOnce cache never starts.

## What would rule it out
A scheduling message that names no volume or claim.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE, SAID, WANTS, stuck
from tools.scheduler_words import Why


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and the scheduler names its volume."""
    waiting = [one for one in stuck(now, limits["pending"]) if Why.VOLUME in one.reasons]
    if not waiting:
        return None
    longest = waiting[0]
    count = counted([one.pending for one in waiting], "Pods pending for lack of a volume", "pods", now.subject)
    return because(
        "{count} pending, for {longest} at most; the scheduler says: {said}",
        longest.wants,
        count=count,
        longest=longest.pending,
        said=longest.said,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bind where the pod lands, or share the weights."""
    return (
        Remedy(
            "Look at the claim: `kubectl describe pvc` says whether it is unbound and why. A storage class with `volumeBindingMode: WaitForFirstConsumer`"
            " makes the disk where the pod can run.",
            verify="The claim is Bound and the pod is assigned a node.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "For weights that several replicas or zones read, use a ReadOnlyMany or ReadWriteMany volume, or copy them to the node's own disk.",
            verify="Replicas start in every zone that has GPUs.",
            cites=("serving/cold-start",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS,),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "serving/cold-start"),
    owner="platform",
)
