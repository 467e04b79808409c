"""The container may use more memory than it has reserved.

## What it means
The memory request of the serving container is below its limit.

## Why it hurts
The scheduler packs the node by requests. When the model loads, the sum exceeds what the node has: the kubelet evicts
pods, and those above their request go first.

## What would rule it out
Equal request and limit, or a node that this workload has for itself.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import MEMORY_UNGUARANTEED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(MEMORY_UNGUARANTEED.now,),
    fires=names(MEMORY_UNGUARANTEED.now, "Of memory {found}."),
    remedies=paste(
        "Request what the limit allows.",
        "resources: {requests: {memory: 64Gi}, limits: {memory: 64Gi}}",
        "The requests of the node stay below its allocatable memory with equal limits.",
        "kubernetes/host-memory-limits",
        "production-readiness/manifests",
    ),
    pages=(
        "kubernetes/host-memory-limits",
        "production-readiness/manifests",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bmemory\b[^.?!]{0,60}\b(?:request\w*|reserv\w*)\b[^.?!]{0,60}\b(?:limits?|below|less|lower|equal\w*|match\w*)\b",
        r"\b(?:guaranteed|burstable|qos|over-?commit\w*)\b",
    ),
)
