"""The manifest does not say which GPU it needs.

## What it means
No node selector and no node affinity choose the node. A GPU request alone is satisfied by any node with a free GPU.

## Why it hurts
In a cluster with several kinds of GPU the replica lands on whichever is free: the model does not fit, or is slower than the
objective, and only after a move.

## What would rule it out
A node selector or node affinity on the GPU product or the instance type, or a cluster of one kind of GPU.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import PLACEMENT

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(PLACEMENT.now,),
    fires=lacks(PLACEMENT.now, "{found_of} goes to any node with a free GPU."),
    remedies=advise(
        "Select the GPU product that was sized for this model, by nvidia.com/gpu.product or the platform's label.",
        "Every replica runs on a node with that label.",
        "kubernetes/pending-gpu-pods",
        "hardware/choosing-a-gpu",
    ),
    pages=(
        "kubernetes/pending-gpu-pods",
        "hardware/choosing-a-gpu",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:which|right|certain|wrong|what) (?:(?:kind|type|sort|model) of )?(?:gpu|card)s?\b[^.?!]{0,60}\b(?:lands?|placed|ends? up|schedul\w*|pinned|runs? on)\b",
        r"\b(?:could|can|may|might|would|will)\b[^.?!]{0,60}\b(?:land|be placed|end up|be scheduled|start) on (?:any|the wrong|an? (?:smaller|older|other|different|weaker|cheaper))\b",
        r"\bpinned to (?:a |an |the )?(?:[\w-]+ )?(?:gpu|card|node)",
    ),
)
