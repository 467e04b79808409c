"""Pods wait for GPUs that no node has free.

## What it means
The scheduler finds no node with as many free GPUs as the pod requests: the cluster is full, what is free is spread over nodes, or
GPUs were taken out as unhealthy.

## Why it hurts
The replicas that should carry the load do not exist, and a rollout that needs a spare GPU stands still.

## What would rule it out
A scheduling message about taints, affinity or volumes instead of GPUs.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, because, counted
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import (
    CLUSTER_GPUS_FREE,
    CLUSTER_GPUS_TOTAL,
    CLUSTER_LARGEST_BLOCK,
    GPU_REQUEST,
    PENDING_FOR,
    UNSCHEDULABLE,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and the scheduler says that GPUs are what is missing."""
    waiting: list[tuple[Reading, Reading, Reading]] = []
    for pending in now.each(PENDING_FOR.now):
        if pending.number < limits["pending"]:
            continue
        wants = now.of(pending.subject, GPU_REQUEST.now)
        if wants is not None and wants.number == 0:
            continue
        said = now.of(pending.subject, UNSCHEDULABLE.now)
        if said is None:
            now[UNSCHEDULABLE.now]  # raises: why it does not fit cannot be seen
            continue
        if "Insufficient nvidia.com/" in said.text and wants is not None:
            waiting.append((pending, wants, said))
    if not waiting:
        return None
    longest, wants, said = max(waiting, key=lambda one: one[0].number)
    free, block = now.get(CLUSTER_GPUS_FREE.now), now.get(CLUSTER_LARGEST_BLOCK.now)
    count = counted([one[0] for one in waiting], "Pods pending for lack of GPUs", "pods", now.subject)
    also = (said, free, now.get(CLUSTER_GPUS_TOTAL.now), block)
    if free is not None and block is not None:
        return because(
            "{count} pending, for {longest} at most, each in want of {wants}; {free} are free, at most {block} on one node.",
            *also,
            count=count,
            longest=longest,
            wants=wants,
            free=free,
            block=block,
        )
    return because(
        "{count} pending, for {longest} at most, each in want of {wants}.",
        *also,
        count=count,
        longest=longest,
        wants=wants,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Free GPUs, pack them, or add them."""
    free, wants, block = now.get(CLUSTER_GPUS_FREE.now), now.get(GPU_REQUEST.now), now.get(CLUSTER_LARGEST_BLOCK.now)
    verify = "The pods are scheduled and turn ready."
    found = [
        Remedy(
            "Free GPUs that are held idle, or add nodes of this kind; a rollout without spare GPUs needs maxSurge 0 and maxUnavailable 1.",
            None,
            verify,
            ("kubernetes/pending-gpu-pods", "kubernetes/rollouts-without-spare-gpus", "gpu/idle-gpus"),
        )
    ]
    if free is not None and block is not None and wants is not None and free.number > block.number:
        found.append(
            Remedy(
                "What is free is spread over nodes: pack small pods onto fewer nodes so that one keeps a whole block free.",
                None,
                verify,
                ("kubernetes/pending-gpu-pods",),
            )
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING_FOR.now, UNSCHEDULABLE.now),
    helps=(GPU_REQUEST.now, CLUSTER_GPUS_FREE.now, CLUSTER_GPUS_TOTAL.now, CLUSTER_LARGEST_BLOCK.now),
    limits={
        "pending": Limit(
            300, "seconds", "five minutes: longer than an autoscaler's first node usually takes to be asked for"
        )
    },
    fires=fires,
    explains=(Explains("kv_saturation_queueing"), Explains("ttft_breach_queueing"), Explains("preemption_thrash")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "kubernetes/rollouts-without-spare-gpus"),
    owner="platform",
)
