"""A pod waits for nodes that are cordoned, leaving or not healthy.

## What it means
The scheduler refuses the nodes that could hold the pod for their state: cordoned for maintenance, under disk or memory pressure, not
ready, not initialised yet, or about to be taken away by an autoscaler.

## Why it hurts
The replica is missing, and no other node is meant for it or has room.

## What would rule it out
A node in good health that lacks GPUs, unless a cordoned one has them unused; or a node whose taint is a policy.
"""

from tools.check import Because, Check, Limit, Limits, Now, On
from tools.families import UNPLACED, named
from tools.finding import Remedy
from tools.pending import (
    BEHIND_CORDON,
    BLOCK,
    PENDING,
    PENDING_S,
    PENDING_SOURCE,
    SAID,
    TAINTS,
    WANTS,
    Stuck,
    behind_a_cordon,
    only,
    room,
    stuck,
    told,
)
from tools.scheduler_words import Why
from tools.signals import CLUSTER_CORDONED_BLOCK

CORDONED = CLUSTER_CORDONED_BLOCK.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while, the state of nodes keeps it off them, and no sound node has room."""
    waiting = [
        one
        for one in stuck(now, limits["pending"])
        if Why.HEALTH in one.reasons
        and (
            (room(now, one) is not True and (only(one, Why.HEALTH, Why.SELECTOR) or _kept_back(now, one)))
            # What has room elsewhere does not match, and what is cordoned or sick does; what matches and is sound is full.
            or (only(one, Why.HEALTH, Why.SELECTOR, Why.GPU) and behind_a_cordon(now, one))
        )
    ]
    return told(now, waiting, "sound nodes")


def _kept_back(now: Now, one: Stuck) -> bool:
    """Whether the sound nodes are full and a cordoned one has the GPUs that the pod asks for."""
    kept = now.get(CORDONED)
    if Why.GPU not in one.reasons or kept is None or one.wants is None:
        return False
    return "unschedulable" in one.reasons[Why.HEALTH].words and kept.number >= one.wants.number > 0


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the nodes back, or add one."""
    said = now.get(SAID)
    text = " ".join(one.text for one in (said, now.get(TAINTS)) if one is not None)
    if "unschedulable" in text:
        first = "The nodes are cordoned: end the maintenance (`kubectl uncordon NODE`), one node at a time, or give the replicas another place before it."
    elif "disk-pressure" in text:
        first = "Free the node's disk: unused images, model caches on the root disk, logs; the taint goes by itself some minutes later."
    else:
        first = "See under Conditions in `kubectl describe node NODE` what the node lacks; the taint goes by itself when it is well again."
    return (
        Remedy(
            first,
            verify="The node has no taint of node.kubernetes.io, and the pod is assigned to it.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, BLOCK, CORDONED, BEHIND_CORDON),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=(*UNPLACED, *named("pending_insufficient_gpu")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
