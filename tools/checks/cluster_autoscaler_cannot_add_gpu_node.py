"""A GPU pod waits, and the cluster autoscaler says that it cannot add a node for it.

## What it means
No node group can grow (its maximum is reached, the cloud has no capacity or quota left), or none of their templates would fit the pod.

## Why it hurts
Everybody waits for a node that will not come; restarting the pod changes nothing.

## What would rule it out
A scale-up that was triggered after the refusal, or a pod that has not waited long.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING, named
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE, SAID
from tools.vocabulary.autoscaling import NO_SCALE_UP


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and the cluster autoscaler's last word on it is a refusal."""
    for pending in sorted(now.each(PENDING), key=lambda one: -one.number):
        if pending.number < limits["pending"]:
            return None
        refused = now.of(pending.subject, NO_SCALE_UP.now)
        if refused is None:
            now[NO_SCALE_UP.now]  # raises: the autoscaler's answer cannot be seen
            continue
        if refused.text:
            return because(
                "A pod has waited for {pending}; the cluster autoscaler says: {refused}",
                now.of(pending.subject, SAID),
                pending=pending,
                refused=refused,
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Make room for a node, or for the pod on those that exist."""
    return (
        Remedy(
            "Where the message says that a maximum is reached, raise the node group's; where the cloud has no capacity, ask for another zone, another"
            " GPU type or a reservation.",
            verify="An event TriggeredScaleUp follows, and the node joins with its GPUs.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "Where no template would fit, correct the pod's selector, tolerations or GPU count to what the node groups offer.",
            verify="The pod is scheduled.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, NO_SCALE_UP.now),
    helps=(SAID,),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=(
        *named("pending_insufficient_gpu", "gpu_bin_packing_fragmentation", "pending_other_resource"),
        *QUEUEING,
    ),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
