"""The serving container has no memory limit.

## What it means
Without a limit the container may use all the memory of its node.

## Why it hurts
A leak, or a load through the page cache, takes memory from everything else on the node, and the kernel chooses whom to kill.
With a limit the one that grows is the one that ends.

## What would rule it out
A memory limit, its own or one that the namespace's LimitRange sets.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.signals import MEM_WORKING_SET
from tools.vocabulary.manifests import LIMITS_MISSING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(LIMITS_MISSING.now,),
    helps=(MEM_WORKING_SET.now,),
    fires=names(LIMITS_MISSING.now, "{found_of} has no limit for {found}.", MEM_WORKING_SET.now),
    remedies=advise(
        (
            "Set a memory limit with room for the weights while they load, pinned buffers and /dev/shm; make the "
            "request equal to it."
        ),
        "The limit shows on the pod, and the working set stays well below it through a start.",
        "kubernetes/host-memory-limits",
    ),
    pages=("kubernetes/host-memory-limits",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        "memory limit.{0,40}(?:missing|not set|unset|forgot)",
        "(?:missing|without|no) (?:a |any )?memory limit",
        r"\b(?:has|have|any|an?) memory limits?\b(?! (?:reached|exceeded|hit|of))",
        r"\bqos\b",
        "how much (?:host |main )?memory may",
        r"\b(?:what|would|could|can|anything|nothing|who)\b[^.?!]{0,80}\b(?:stops?|caps?|bounds?|ceiling|limits?|prevents?|holds?)\b[^.?!]{0,80}\b(?:eat\w*|leak\w*|memory|ram)\b",
    ),
)
