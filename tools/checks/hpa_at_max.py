"""The autoscaler stands at its maximum, and requests wait.

## What it means
The wanted number is held down by maxReplicas, while requests wait: the ceiling was set for less traffic than there is now.

## Why it hurts
The queue grows as if nothing scaled at all, and nobody is told, since every replica is up and busy.

## What would rule it out
An autoscaler below its maximum, a minimum equal to it (then the size is pinned on purpose), replicas that are wanted and not yet
ready, or nothing waiting.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Change, Remedy
from tools.signals import (
    CLUSTER_GPUS_FREE,
    GPU_REQUEST,
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    REPLICAS_READY,
    REQUESTS_WAITING,
)
from tools.vocabulary.autoscaling import HPA_CEILING

QUEUE = REQUESTS_WAITING.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the autoscaler stands at a maximum that is above its minimum, and requests wait."""
    desired, most, least = now[HPA_DESIRED.now], now[HPA_MAX.now], now[HPA_MIN.now]
    if desired.number < most.number or most.number <= least.number:
        return None
    # Where replicas are still missing, the ceiling is not what holds them back.
    if now[REPLICAS_READY.now].number < most.number:
        return None
    queue = now.total(QUEUE)
    if queue.number < limits["waiting"]:
        return None
    return because(
        "{queue} wait on average over 10 min, while the autoscaler stands at its maximum of {most}.",
        desired,
        now.get(HPA_CEILING.now),
        now.get(HPA_METRICS.now),
        now.get(CLUSTER_GPUS_FREE.now),
        queue=queue,
        most=most,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Raise the ceiling where GPUs are free; else get more out of each replica."""
    most, free, wants = now.get(HPA_MAX.now), now.get(CLUSTER_GPUS_FREE.now), now.get(GPU_REQUEST.now)
    change = Change("maxReplicas", f"{most.number:.0f}", f"{most.number + 1:.0f}") if most else None
    if free is not None and wants is not None and free.number < 1:
        return (
            Remedy(
                "No GPU is free: raising the maximum would only make pods wait. Add GPU nodes, or free idle GPUs, and then raise it.",
                change,
                "A new replica is scheduled and turns ready, and the queue shrinks.",
                ("kubernetes/pending-gpu-pods", "gpu/idle-gpus"),
            ),
        )
    return (
        Remedy(
            "Raise the maximum, one replica at a time as far as GPUs are free.",
            change,
            "A new replica turns ready and the queue shrinks.",
            ("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(HPA_DESIRED.now, HPA_MAX.now, HPA_MIN.now, REPLICAS_READY.now, QUEUE),
    helps=(HPA_CEILING.now, HPA_METRICS.now, CLUSTER_GPUS_FREE.now, GPU_REQUEST.now),
    limits={"waiting": Limit(3, "requests", "a sustained queue, not the noise of one poll")},
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("kubernetes/autoscaling-llm-serving",),
    owner="platform",
)
