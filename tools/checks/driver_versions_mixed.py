"""Nodes of one kind run different GPU drivers.

## What it means
Nodes with the same GPU carry different driver versions in their labels.

## Why it hurts
Faults move with the pod: the same image starts on one node and fails on the next, and a fix of the driver helps only
some.

## What would rule it out
A rolling upgrade under way.
"""

from tools.check import Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import DRIVER_ODD

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(DRIVER_ODD.now,),
    fires=names(DRIVER_ODD.now, "{found_of} has driver {found}."),
    remedies=paste(
        "Bring the pool to one version, a drained node at a time.",
        'spec: {driver: {version: "580.95.05", upgradePolicy: {autoUpgrade: true, maxParallelUpgrades: 1}}}',
        "kubectl get nodes -L nvidia.com/cuda.driver-version.full shows one version per pool.",
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    pages=(
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:same|mixed|uniform|consistent|identical|one single|two|several|more than one) (?:[\w-]+ )?drivers?\b",
        r"\bdrivers?\b[^.?!]{0,60}\b(?:the same|differ\w*|mixed|uniform|identical|in step|everywhere|drift\w*)\b",
    ),
)
