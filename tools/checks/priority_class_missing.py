"""Serving has no priority over other work.

## What it means
The pods carry no priority class, so the scheduler treats them as any batch job.

## Why it hurts
When GPUs are short a training job may be placed first, and serving replicas wait behind it; with a priority they would displace
it.

## What would rule it out
A priority class, above that of batch work.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import PRIORITY

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(PRIORITY.now,),
    fires=lacks(PRIORITY.now, "{found_of} has no priority class."),
    remedies=advise(
        "Make a priority class for serving and one below it for batch work, and name them in the manifests.",
        "A serving pod displaces a batch pod when no GPU is free.",
        "platform/kueue-and-gpu-quotas",
        "platform/batch-and-offline-inference",
    ),
    pages=(
        "platform/kueue-and-gpu-quotas",
        "platform/batch-and-offline-inference",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bpriority ?class\w*\b",
        r"\b(?:would|could|can|will|does|do|might|which|who|if)\b[^.?!]{0,80}\b(?:displace\w*|evict\w*|preempt\w*|push(?:ed)? (?:out|aside)|kick(?:ed)? (?:out|off)|outrank\w*|goes? first|priorit\w*|give way|yield)\b",
    ),
)
