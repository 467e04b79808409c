"""A container uses GPUs that it has not asked for.

## What it means
The GPU limit is what the device plugin allocates by, and Kubernetes refuses a request that differs from it.
NVIDIA_VISIBLE_DEVICES in the manifest goes around both: the container sees GPUs that the scheduler believes to be free.

## Why it hurts
Another pod is given the same GPU, and both run out of its memory or slow each other down. Nothing in the cluster shows why.

## What would rule it out
A limit for nvidia.com/gpu or a MIG resource, or no GPU in sight of the container.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import GPUS_UNCLAIMED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(GPUS_UNCLAIMED.now,),
    fires=names(GPUS_UNCLAIMED.now, "{found_of} has no GPU limit and sets {found}."),
    remedies=advise(
        "Ask for the GPUs in the container's limits and remove the variable; the device plugin sets it.",
        "nvidia-smi in the container shows as many GPUs as the limit says.",
        "kubernetes/pending-gpu-pods",
        "gpu/mig-and-sharing",
    ),
    pages=(
        "kubernetes/pending-gpu-pods",
        "gpu/mig-and-sharing",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:without|not|never|nobody)\b[^.?!]{0,30}\b(?:ask\w*|request\w*|reserv\w*|claim\w*|declar\w*|limits?)\b[^.?!]{0,30}\b(?:gpus?|cards?)\b",
        r"\b(?:gpus?|cards?)\b[^.?!]{0,60}\b(?:without (?:ask\w*|request\w*|a request|a limit|reserv\w*|claim\w*)|(?:not|never) (?:requested|asked|reserved|declared|accounted|limited))\b",
        r"\bbehind the (?:back|scheduler)\b|\bnvidia_visible_devices\b",
        r"\b(?:gpus?|cards?)\b[^.?!]{0,60}\bwithout (?:having |ever )?(?:asked|requested|reserved|claimed|declared)\b",
    ),
)
