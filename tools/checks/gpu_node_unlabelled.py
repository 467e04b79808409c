"""A GPU node does not say which GPU it has.

## What it means
Labels for the GPU's product or its memory are missing: GPU feature discovery does not run there, or the platform sets none.

## Why it hurts
Manifests cannot choose the GPU, and capacity cannot be told by kind.

## What would rule it out
Labels by GPU feature discovery or by the platform.
"""

from tools.asked import asking
from tools.check import Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import GPU_LABELS_MISSING

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(GPU_LABELS_MISSING.now,),
    fires=names(GPU_LABELS_MISSING.now, "{found_of} lacks {found}."),
    remedies=advise(
        "Run GPU feature discovery, as the GPU operator does.",
        "kubectl get nodes -L nvidia.com/gpu.product shows a product for each GPU node.",
        "platform/gpu-operator-and-drivers",
    ),
    pages=("platform/gpu-operator-and-drivers",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:nodes?|machines?|boxes|hosts?|servers?)\b[^.?!]{0,40}\b(?:labels?|labell?ed|feature discovery|say which gpu|tell which)\b|\bun-?labell?ed\b|\blabels?\b[^.?!]{0,40}\bgpu (?:nodes?|machines?|model|product|type)",
            60,
        ),
    ),
)
