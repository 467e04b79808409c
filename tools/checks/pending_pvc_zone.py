"""Pods wait because of a volume, not because of GPUs.

## What it means
The claim for the weights is unbound, gone, or bound to a disk in a zone where no node with free GPUs is. A disk that is
ReadWriteOnce can serve one node at a time: a second pod that is placed on another node stays in ContainerCreating.

## Why it hurts
GPUs stand free while the replica does not exist; a second replica of a model on a ReadWriteOnce cache never starts.

## What would rule it out
A scheduling message that names no volume or claim, or containers that have started.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, stuck
from tools.scheduler_words import Why
from tools.signals import POD_AGE, POD_PHASE
from tools.vocabulary.startup import MISSING, MOUNT_SAID


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and the scheduler names its volume."""
    waiting = [one for one in stuck(now, limits["pending"]) if Why.VOLUME in one.reasons]
    if not waiting:
        return _unmounted(now, limits)
    longest = waiting[0]
    count = counted([one.pending for one in waiting], "Pods pending for lack of a volume", "pods", now.subject)
    return because(
        "{count} pending, for {longest} at most; the scheduler says: {said}",
        longest.wants,
        count=count,
        longest=longest.pending,
        said=longest.said,
    )


def _unmounted(now: Now, limits: Limits) -> Because | None:
    """A pod that has its node and does not get its volume."""
    told = now.get(MOUNT_SAID.now)
    for said in now.each(MOUNT_SAID.now) if told is not None and told.text else ():
        phase, age = now.of(said.subject, POD_PHASE.now), now.of(said.subject, POD_AGE.now)
        if not said.text or MISSING.search(said.text) or phase is None or phase.text != "Pending":
            continue
        if age is not None and age.number >= limits["pending"]:
            return because("{age_of} is {age} old and waits for its volume: {said}", phase, age=age, said=said)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bind where the pod lands, or share the weights."""
    said = now.get(MOUNT_SAID.now)
    if said is not None and "Multi-Attach" in said.text:
        return (
            Remedy(
                "The disk is attached to another node. Let the update end the old pod first (strategy Recreate, or maxSurge 0 with maxUnavailable 1), or"
                " keep both pods on one node.",
                verify="The event `SuccessfulAttachVolume` follows, and the container starts.",
                cites=("platform/model-weight-storage", "kubernetes/rollouts-without-spare-gpus"),
            ),
            Remedy(
                "For weights that several replicas read, use a ReadOnlyMany or ReadWriteMany volume, or copy them to the node's own disk.",
                verify="Two replicas on two nodes are ready.",
                cites=("platform/model-weight-storage",),
            ),
        )
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
    helps=(WANTS, TAINTS, MOUNT_SAID.now, POD_PHASE.now, POD_AGE.now),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "serving/cold-start"),
    owner="platform",
)
