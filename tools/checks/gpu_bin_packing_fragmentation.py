"""Enough GPUs are free in the cluster, but no single node has as many as the pod needs.

## What it means
Small pods are spread over nodes of several GPUs, so that every node has a few free and none has a whole block. A pod cannot span
nodes, and tensor parallelism wants its GPUs on one.

## Why it hurts
GPUs are paid for and free, and the large model still cannot start or be rolled out.

## What would rule it out
Fewer GPUs free in the whole cluster than the pod asks for, or one node that has them all.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.pending import BLOCK, PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, stuck
from tools.scheduler_words import Why
from tools.signals import CLUSTER_GPUS_FREE

FREE = CLUSTER_GPUS_FREE.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod waits for GPUs, the cluster has enough free, and no node has enough of them."""
    for one in stuck(now, limits["pending"]):
        if Why.GPU not in one.reasons:
            continue
        wants = one.wants or now[WANTS]
        free, block = now[FREE], now[BLOCK]
        if wants.number > 1 and block.number < wants.number <= free.number:
            return because(
                "A pod has waited for {pending} in want of {wants}; {free} are free in the cluster, and at most {block} on one node.",
                one.said,
                pending=one.pending,
                wants=wants,
                free=free,
                block=block,
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Make a whole node free, then pack."""
    return (
        Remedy(
            "Make one node free: move the small GPU pods of the emptiest node elsewhere (cordon it, delete them one by one), and let the large pod take it.",
            verify="The pod is scheduled, and its GPUs are on one node.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "Then pack: score nodes by MostAllocated for nvidia.com/gpu in the scheduler's configuration, or keep whole nodes for pods of 4 and 8"
            " GPUs with a taint that small pods do not tolerate.",
            verify="The most free GPUs on one node stay at what the largest pod asks for.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID, WANTS, FREE, BLOCK),
    helps=(TAINTS,),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
