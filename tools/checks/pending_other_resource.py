"""A pod waits for CPU, memory or another resource that is no GPU.

## What it means
Nodes that the pod may run on have the GPUs that it asks for, and too little of something else: their CPUs, their memory, their disk or
their room for pods is requested by others, or the request is larger than any such node.

## Why it hurts
The replica is missing while GPUs stand free, and adding GPUs changes nothing.

## What would rule it out
A message that names GPUs as what is missing on as many nodes or more, or a taint, a selector or a volume alone.
"""

from tools.check import Because, Check, Limit, Limits, Now, On
from tools.families import UNPLACED
from tools.finding import Remedy
from tools.pending import (
    BLOCK,
    PENDING,
    PENDING_S,
    PENDING_SOURCE,
    SAID,
    TAINTS,
    WANTS,
    kept_off,
    lacks_no_gpu,
    stuck,
    told,
)
from tools.scheduler_words import Why


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and a resource beside GPUs is what nodes lack that could hold it."""
    waiting = [one for one in stuck(now, limits["pending"]) if kept_off(now, one, Why.RESOURCE) and lacks_no_gpu(one)]
    return told(now, waiting, "a resource")


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Ask for less, or free what others hold."""
    return (
        Remedy(
            "Compare the pod's requests with what is left under `Allocated resources` in `kubectl describe node` of the GPU nodes, and lower the"
            " request that the message names to what the engine really uses.",
            verify="The pod is assigned a node.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "Keep pods without GPUs off the GPU nodes by a taint, so that they do not use up the CPUs and the memory that belong to the cards.",
            verify="The GPU nodes' requested CPU falls, and their GPUs are used.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, BLOCK),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    explains=UNPLACED,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
