"""The weights lie on a shared network drive.

## What it means
A volume of the serving container is, by the name of its class or driver, a network file system, a bucket mounted as one, or a
spinning disk.

## Why it hurts
Loading is bound by the drive: tens of gigabytes take many minutes, longer still when several replicas start at once. Page
faults on it may stall a running engine.

## What would rule it out
A fast local disk or block volume, or a measured load time that is short enough: the name of a class says little about the disk
behind it.
"""

from tools.asked import asking
from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.manifests import WEIGHTS_SHARED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(WEIGHTS_SHARED.now,),
    helps=(STARTUP_TOOK.now,),
    fires=names(WEIGHTS_SHARED.now, "{found_of} mounts {found}.", STARTUP_TOOK.now),
    remedies=advise(
        (
            "Measure the load time against the size of the weights. Below 1 GB/s copy them to a local disk first, or "
            "stream them from the object store."
        ),
        "The time from start to ready falls, also when several replicas start together.",
        "platform/model-weight-storage",
        "platform/weight-formats-and-loading",
    ),
    pages=(
        "platform/model-weight-storage",
        "platform/weight-formats-and-loading",
    ),
    phase=1,
    owner="mlops",
    rule=True,
    asked=(
        *asking(
            r"\b(?:weights?|models?|checkpoints?)\b[^.?!]{0,60}\b(?:nfs|efs|network (?:drive|share|disk|volume)|shared (?:drive|disk|volume|storage)|slow (?:disk|volume|storage|drive)|filer)\b",
            60,
        ),
    ),
)
