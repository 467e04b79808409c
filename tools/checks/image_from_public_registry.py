"""The image comes straight from a public registry.

## What it means
The serving image is pulled from a registry that is not yours.

## Why it hurts
A rate limit, an outage or a deleted tag over there keeps a replica from starting here, and nobody scanned what
arrives.

## What would rule it out
A mirror or pull-through cache that the nodes use without its name being in the manifest.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import REGISTRY_PUBLIC

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="info",
    needs=(REGISTRY_PUBLIC.now,),
    fires=names(REGISTRY_PUBLIC.now, "{found} is pulled from a public registry."),
    remedies=paste(
        "Mirror the image into your own registry and name it there by its digest.",
        'containers: [{name: NAME, image: "REGISTRY.YOURS/vllm-openai@sha256:DIGEST"}]',
        "A start succeeds with egress to the public registry denied.",
        "platform/container-images",
        "production-readiness/packaging-and-image",
    ),
    pages=(
        "platform/container-images",
        "production-readiness/packaging-and-image",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:public|docker ?hub|outside|external|third[- ]party|upstream|foreign)\b[^.?!]{0,40}\b(?:registr\w+|images?|pulls?)\b",
        r"\bimages?\b[^.?!]{0,60}\b(?:docker ?hub|public|our own registry|own registry|mirror\w*|from outside|the internet|come from)\b",
    ),
)
