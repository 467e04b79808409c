"""Nodes of one kind run different system versions.

## What it means
Nodes with the same GPU differ in kubelet, system image, kernel or container runtime.

## Why it hurts
A driver that was built for one kernel fails on the other, and what happens on one node cannot be shown on the next.

## What would rule it out
A rolling upgrade under way.
"""

from tools.check import Check, On
from tools.rules import advise, names
from tools.vocabulary.readiness import SYSTEM_ODD

CHECK = Check(
    on=(On.NODE,),
    severity="info",
    needs=(SYSTEM_ODD.now,),
    fires=names(SYSTEM_ODD.now, "{found_of}: {found}."),
    remedies=advise(
        "Bring the pool to one image, a drained node at a time.",
        "kubectl get nodes -o wide shows one line of versions per pool.",
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
        r"\b(?:same|mixed|uniform|identical|different) (?:[\w-]+ )?(?:kernels?|kubelets?|os|containerd|operating systems?|node (?:versions?|releases?|images?))\b",
        r"\b(?:kernel|kubelet|os|containerd|kubernetes|node) (?:versions?|releases?)\b[^.?!]{0,60}\b(?:same|differ\w*|mixed|everywhere|uniform|in step)\b",
    ),
)
