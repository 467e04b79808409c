"""A scratch volume may fill the disk of its node.

## What it means
The serving container writes to an emptyDir without a size limit and has no limit on ephemeral storage.

## Why it hurts
Downloads and caches grow until the node is under disk pressure, and the kubelet evicts its pods, others included.

## What would rule it out
A sizeLimit on the volume, a limit on ephemeral-storage, or a node disk that nobody else needs.
"""

from tools.asked import asking
from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import SCRATCH_UNBOUNDED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(SCRATCH_UNBOUNDED.now,),
    fires=names(SCRATCH_UNBOUNDED.now, "{found} has no size limit."),
    remedies=paste(
        "Bound the volume and the container.",
        "volumes: [{name: NAME, emptyDir: {sizeLimit: 100Gi}}]",
        "kubectl describe pod shows the limit; the node has no condition DiskPressure.",
        "infrastructure-audit/storage-and-data",
        "platform/model-weight-storage",
    ),
    pages=(
        "infrastructure-audit/storage-and-data",
        "platform/model-weight-storage",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\bempty ?dirs?\b|\bscratch\b|\bfills? (?:up )?(?:the|its|a) (?:[\w']+ )?(?:disk|node)\b|\bsize ?limits?\b",
            60,
        ),
    ),
)
