"""The engine may write to its own weights.

## What it means
The model lies on a volume that outlives the pod, and neither the mount nor the volume is read-only.

## Why it hurts
A faulty or hijacked server can change the weights for every replica that starts after it.

## What would rule it out
A read-only mount, or weights that each pod fetches for itself.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import WEIGHTS_WRITABLE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(WEIGHTS_WRITABLE.now,),
    fires=names(WEIGHTS_WRITABLE.now, "The weights lie on {found}, which may be written."),
    remedies=paste(
        "Mount the weights read-only, and write to them only from the job that fills the volume.",
        "volumeMounts: [{name: NAME, mountPath: /models, readOnly: true}]",
        "touch in the mount fails with a read-only file system.",
        "production-readiness/storage-of-weights",
        "platform/model-weight-storage",
    ),
    pages=(
        "production-readiness/storage-of-weights",
        "platform/model-weight-storage",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"\b(?:write|writes|writable|writeable|overwrite|modify|change|tamper\w*|alter|delete)\b[^.?!]{0,40}\b(?:weights?|model files?|checkpoints?|model (?:volume|store|share|cache))\b",
        r"\b(?:weights?|model files?|checkpoints?|model (?:volume|store|share))\b[^.?!]{0,60}\b(?:writable|writeable|overwritten|modified|tampered|altered|write access)\b",
    ),
)
