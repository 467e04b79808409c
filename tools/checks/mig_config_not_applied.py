"""A MIG configuration was not applied.

## What it means
The MIG manager marks the node with a state other than success.

## Why it hurts
The node offers other slices than planned, or none, so pods that ask for a profile wait.

## What would rule it out
A change under way: pending for some minutes is normal.
"""

from tools.check import Check, Explains, On, Where
from tools.rules import names, paste
from tools.vocabulary.readiness import MIG_STATE

CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(MIG_STATE.now,),
    fires=names(MIG_STATE.now, "MIG on {found_of}: {found}."),
    explains=(
        Explains("pending_mig_mismatch", Where.IN_CLUSTER),
        Explains("pending_insufficient_gpu", Where.IN_CLUSTER),
        Explains("gpu_unhealthy_not_allocatable", Where.ON_THIS_NODE),
    ),
    remedies=paste(
        "Drain the node of GPU pods, since instances in use cannot be changed, and set the label again.",
        "metadata: {labels: {nvidia.com/mig.config: all-balanced}}",
        "The label nvidia.com/mig.config.state says success, and allocatable lists the slices.",
        "gpu/mig-and-sharing",
        "infrastructure-audit/compute-health",
    ),
    pages=(
        "gpu/mig-and-sharing",
        "infrastructure-audit/compute-health",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bmig\b[^.?!]{0,60}\b(?:appl(?:y|ied)|in effect|took effect|take effect|as (?:configured|asked|wanted|desired|labell?ed)|went through)\b",
    ),
)
