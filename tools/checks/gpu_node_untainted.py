"""Anything may be placed on a GPU node.

## What it means
The node has no taint that keeps pods without a GPU away.

## Why it hurts
Ordinary pods fill its CPU and memory, and a pod that needs the GPU no longer fits beside them.

## What would rule it out
A taint such as nvidia.com/gpu:NoSchedule, which GPU pods tolerate.
"""

from tools.check import Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import GPU_TAINT

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(GPU_TAINT.now,),
    fires=lacks(GPU_TAINT.now, "{found_of} takes pods that need no GPU."),
    remedies=advise(
        "Taint the node pool with nvidia.com/gpu:NoSchedule. DaemonSets and GPU pods need the toleration first.",
        "A pod without a GPU is not placed there.",
        "platform/provisioning-gpu-nodes",
        "platform/gpu-operator-and-drivers",
    ),
    pages=(
        "platform/provisioning-gpu-nodes",
        "platform/gpu-operator-and-drivers",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\buntainted\b|\b(?:without|no|missing|lacks?|any) (?:\w+ )?taints?\b",
        r"\b(?:cpu|ordinary|normal|other|random|any|non-gpu|everyday|web)[- ](?:only )?(?:pods?|work(?:loads?)?|jobs?|stuff|things?|services?)\b[^.?!]{0,60}\b(?:land\w*|placed|schedul\w*|end up|sit|squat)\b[^.?!]{0,40}\bgpu\b",
        r"\bkeeps?\b[^.?!]{0,60}\boff\b[^.?!]{0,30}\bgpu (?:nodes?|machines?|boxes|pool)",
    ),
)
