"""Pods wait for GPUs that no node has free.

## What it means
The scheduler finds fewer free GPUs in the whole cluster than the pod requests: the nodes are full, or GPUs were taken out as
unhealthy.

## Why it hurts
The replicas that should carry the load do not exist, and a rollout that needs a spare GPU stands still.

## What would rule it out
A scheduling message about taints, affinity or volumes, or as many free GPUs as are asked for: on one node, then something else keeps
the pod off it; spread over several, then they are fragmented.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.families import UNPLACED
from tools.finding import Remedy
from tools.pending import BLOCK, PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, Stuck, room, stuck
from tools.scheduler_words import Why, refusals
from tools.signals import CLUSTER_GPUS_FREE, CLUSTER_GPUS_TOTAL

FREE = CLUSTER_GPUS_FREE.now


def _too_few(now: Now, one: Stuck) -> bool:
    if Why.GPU not in one.reasons or one.wants is None or not one.wants.number:
        return False
    # A node that was refused for its volumes had the GPUs: the scheduler looks at those first.
    if (volumes := one.reasons.get(Why.VOLUME)) is not None and volumes.nodes:
        return False
    free = now.get(FREE)
    return room(now, one) is not True and (free is None or free.number < one.wants.number)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while, GPUs are what is missing, and the cluster has fewer free than it asks for."""
    all_stuck = stuck(now, limits["pending"])
    waiting = [one for one in all_stuck if _too_few(now, one)]
    if not waiting:
        return _unclaimed(now, all_stuck)
    longest = waiting[0]
    assert longest.wants is not None
    free, block = now.get(FREE), now.get(BLOCK)
    count = counted([one.pending for one in waiting], "Pods pending for lack of GPUs", "pods", now.subject)
    also = (longest.said, free, now.get(CLUSTER_GPUS_TOTAL.now), block)
    if free is not None:
        return because(
            "{count} pending, for {longest} at most, each in want of {wants}; {free} are free in the cluster.",
            *also,
            count=count,
            longest=longest.pending,
            wants=longest.wants,
            free=free,
        )
    return because(
        "{count} pending, for {longest} at most, each in want of {wants}.",
        *also,
        count=count,
        longest=longest.pending,
        wants=longest.wants,
    )


def _unclaimed(now: Now, all_stuck: list[Stuck]) -> Because | None:
    """Devices by claim (dynamic resource allocation): no node that could take the pod has what it claims."""
    waiting = [one for one in all_stuck if Why.CLAIM in one.reasons]
    if not waiting:
        return None
    count = counted([one.pending for one in waiting], "Pods pending for lack of devices", "pods", now.subject)
    return because(
        "{count} pending, for {longest} at most, with a claim on devices that is not met; the scheduler says: {said}",
        count=count,
        longest=waiting[0].pending,
        said=waiting[0].said,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Free GPUs, or add them."""
    said = now.get(SAID)
    claimed: tuple[Remedy, ...] = ()
    if said is not None and Why.CLAIM in refusals(said.text):
        claimed = (
            Remedy(
                "Compare what the pod claims with what there is: `kubectl get resourceclaims` and `kubectl get resourceslices` show whether devices are"
                " taken, or whether class and selectors of the claim match none.",
                None,
                "The claim is allocated and reserved for the pod.",
                ("kubernetes/pending-gpu-pods",),
            ),
        )
    return (
        *claimed,
        Remedy(
            "Free GPUs that are held idle, or add nodes of this kind; a rollout without spare GPUs needs maxSurge 0 and maxUnavailable 1.",
            None,
            "The pods are scheduled and turn ready.",
            ("kubernetes/pending-gpu-pods", "kubernetes/rollouts-without-spare-gpus", "gpu/idle-gpus"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, FREE, CLUSTER_GPUS_TOTAL.now, BLOCK),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=UNPLACED,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "kubernetes/rollouts-without-spare-gpus"),
    owner="platform",
)
