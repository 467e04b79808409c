"""Replicas of one revision run different images.

## What it means
Pods of the same revision name the same tag, and their nodes pulled different digests of it.

## Why it hurts
Two versions of the engine answer in turn: errors come and go with the pod, and a restart changes the mix.

## What would rule it out
One digest over all replicas, or a registry that serves another digest per platform on mixed nodes.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import IMAGES_APART

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(IMAGES_APART.now,),
    fires=names(IMAGES_APART.now, "The replicas run {found}."),
    remedies=paste(
        "Pin the image by its digest and roll out once.",
        'containers: [{name: NAME, image: "REGISTRY/IMAGE@sha256:DIGEST"}]',
        "kubectl get pods -o jsonpath='{..imageID}' shows one digest.",
        "platform/container-images",
        "model-quality/release-engineering",
    ),
    pages=(
        "platform/container-images",
        "model-quality/release-engineering",
    ),
    phase=1,
    owner="mlops",
    rule=True,
    asked=(
        r"\b(?:do|does|did|is|are|would|which|whether)\b[^.?!]{0,60}\b(?:replicas?|pods?|all|each|both|every\w*)\b[^.?!]{0,60}\b(?:same|different|identical|one|exact) (?:image|build|digest|bits|code)s?\b",
        r"\b(?:do|does|did|is|are|would|which|whether)\b[^.?!]{0,60}\b(?:same|different|identical|one|exact) (?:image|build|digest|bits|code)s?\b[^.?!]{0,60}\b(?:replicas?|pods?|all|each|both|every\w*)\b",
    ),
)
