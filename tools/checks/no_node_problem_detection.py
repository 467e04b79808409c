"""Nobody looks for faults of a GPU node.

## What it means
The node carries only the kubelet's own conditions. A problem detector, the cloud's node monitor or an operator would add
theirs.

## Why it hurts
A node with a broken GPU, kernel or disk stays ready, takes pods and fails them, until a person notices.

## What would rule it out
Conditions such as KernelDeadlock or AcceleratedHardwareReady, or automatic repair by the platform that sets none.
"""

from tools.check import Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import WATCHED

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(WATCHED.now,),
    fires=lacks(WATCHED.now, "{found_of} carries no condition beyond the kubelet's own."),
    remedies=advise(
        (
            "Run the node problem detector or the platform's node monitoring with its GPU checks, and let bad nodes "
            "be replaced."
        ),
        "kubectl describe node lists the detector's conditions.",
        "playbooks/failure-thinking",
        "gpu/xid-errors",
    ),
    pages=(
        "playbooks/failure-thinking",
        "gpu/xid-errors",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\bnode[- ]problem\b|\bnpd\b",
        r"\b(?:who|does any(?:body|one|thing)|is any(?:body|one|thing)|what|nobody|nothing)\b[^.?!]{0,30}\b(?:watch\w*|looks?|looking|detects?|notices?|checks?)\b[^.?!]{0,60}\b(?:nodes?|machines?|hosts?|box(?:es)?|hardware|kernels?)\b",
    ),
)
