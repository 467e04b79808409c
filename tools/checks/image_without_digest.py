"""The image is not pinned by its digest.

## What it means
A version's tag can be pushed again. Only the digest names one build for good.

## Why it hurts
Two nodes may run two builds under one name, and what was tested is not surely what runs.

## What would rule it out
An image with @sha256.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import IMAGE_RUNNING, IMAGE_UNPINNED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="info",
    needs=(IMAGE_UNPINNED.now,),
    helps=(IMAGE_RUNNING.now,),
    fires=names(IMAGE_UNPINNED.now, "{found_of} runs {found}, which names no digest.", IMAGE_RUNNING.now),
    remedies=advise(
        "Add the digest of the build that was tested behind the tag.",
        "The manifest names @sha256, and every replica reports that image ID.",
        "platform/container-images",
    ),
    pages=("platform/container-images",),
    phase=0,
    owner="mlops",
    rule=True,
    asked=(
        "by (?:its |their )?digest",
        "(?:image|tag)s? .{0,40}digest",
    ),
)
