"""Pods ask for a MIG profile that no node offers free.

## What it means
The request names a MIG instance (nvidia.com/mig-1g.10gb) that no node has: the strategy is `single`, which exposes plain
nvidia.com/gpu, or profile names differ by card (1g.5gb on an A100 40GB, 1g.10gb on an 80GB card, 1g.18gb on an H200), or the instances
are all taken.

## Why it hurts
The pod waits for ever: no other resource of the same GPU satisfies that request.

## What would rule it out
A request for whole GPUs, or a scheduling message without the profile's name.
"""

import re
from dataclasses import replace

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.families import UNPLACED
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, stuck
from tools.scheduler_words import Why
from tools.vocabulary.autoscaling import NO_SCALE_UP

_LACKS = re.compile(r"\bInsufficient nvidia\.com/mig-(?!.*\bmax\w* )")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while for want of a MIG instance."""
    waiting = [one for one in stuck(now, limits["pending"]) if Why.MIG in one.reasons]
    if not waiting:
        return None
    longest = waiting[0]
    count = counted([one.pending for one in waiting], "Pods pending for lack of a MIG instance", "pods", now.subject)
    found = because(
        "{count} pending, for {longest} at most; the scheduler says: {said}",
        longest.wants,
        count=count,
        longest=longest.pending,
        said=longest.said,
    )
    refused = [now.of(one.pending.subject, NO_SCALE_UP.now) for one in waiting]
    # No node that it could add would have the profile either; where a group only may not grow, that is another matter.
    if any(_LACKS.search(one.text) for one in refused if one is not None):
        return replace(found, outranks=("cluster_autoscaler_cannot_add_gpu_node",))
    return found


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Ask for what nodes have, or cut the GPUs as asked for."""
    return (
        Remedy(
            "See which profiles exist: `kubectl get nodes -o custom-columns=N:.metadata.name,A:.status.allocatable`; ask for one of them, or for"
            " nvidia.com/gpu where the strategy is single.",
            verify="The pod is scheduled.",
            cites=("gpu/mig-and-sharing",),
        ),
        Remedy(
            "Or cut a GPU as the pod needs it: set the node's nvidia.com/mig.config label to a layout that has the profile, and wait until"
            " nvidia.com/mig.config.state says success. That restarts what runs on the GPU.",
            verify="The node's allocatable shows the profile.",
            cites=("gpu/mig-and-sharing",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, NO_SCALE_UP.now),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=UNPLACED,
    remedies=remedies,
    pages=("gpu/mig-and-sharing", "kubernetes/pending-gpu-pods"),
    owner="platform",
)
