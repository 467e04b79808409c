"""An inference engine runs on a shared GPU.

## What it means
The node gives each GPU to several pods by time-slicing or MPS, and an engine runs on it.

## Why it hurts
Neither memory nor time is kept apart with time-slicing: an engine that takes 90 % of the memory starves its
neighbours or fails to start, and the gap between tokens follows what the others do.

## What would rule it out
Small models that were sized to share one GPU, with a memory share each.
"""

from tools.asked import asking
from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import SHARED_GPU

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(SHARED_GPU.now,),
    fires=names(SHARED_GPU.now, "{found_of} shares its GPU: {found}."),
    remedies=paste(
        "Give the engine whole GPUs or MIG slices of its own.",
        "nodeSelector: {nvidia.com/gpu.sharing-strategy: none}",
        "The node of each replica carries no sharing strategy.",
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
        *asking(
            r"\bshar(?:e|es|ed|ing)\b[^.?!]{0,30}\b(?:gpus?|cards?)\b|\b(?:gpus?|cards?)\b[^.?!]{0,40}\b(?:shared?|time-?slic\w*|for (?:it|them)sel(?:f|ves)|to (?:it|them)sel(?:f|ves)|alone)\b",
            80,
        ),
    ),
)
