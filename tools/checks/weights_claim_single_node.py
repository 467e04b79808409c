"""Several replicas share a volume that only one node may mount.

## What it means
The Deployment wants two or more replicas, and they all mount a claim whose access mode is ReadWriteOnce.

## Why it hurts
The second replica starts only on the same node; anywhere else it hangs in ContainerCreating with a multi-attach
error. Scaling out and the loss of a node both fail.

## What would rule it out
A claim that many may read (ReadOnlyMany, ReadWriteMany), a claim per replica, or a single replica.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import CLAIM_SINGLE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(CLAIM_SINGLE.now,),
    fires=names(CLAIM_SINGLE.now, "{found} and several replicas mount it."),
    remedies=paste(
        "Give the weights a volume that many nodes may read, or bring them in the image.",
        "spec: {accessModes: [ReadOnlyMany], storageClassName: CLASS}",
        "A second replica on another node turns ready.",
        "platform/model-weight-storage",
        "production-readiness/storage-of-weights",
    ),
    pages=(
        "platform/model-weight-storage",
        "production-readiness/storage-of-weights",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\brwo\b|\bread-?write-?once\b",
        r"\b(?:could|can|would|will|may)\b[^.?!]{0,80}\b(?:mount|share)\b[^.?!]{0,60}\b(?:volume|claim|pvc)\b",
    ),
)
