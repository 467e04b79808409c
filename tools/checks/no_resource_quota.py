"""The namespace may take every GPU.

## What it means
No ResourceQuota of the namespace limits GPUs.

## Why it hurts
One wrong replica count or one runaway job takes all the GPUs of the cluster from everybody else.

## What would rule it out
A quota with requests.nvidia.com/gpu, or an admission queue such as Kueue that limits them.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import GPU_QUOTA

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(GPU_QUOTA.now,),
    fires=lacks(GPU_QUOTA.now, "No quota limits the GPUs of the namespace."),
    remedies=advise(
        "Set requests.nvidia.com/gpu in a ResourceQuota to what the team is meant to have.",
        "A pod beyond the quota is refused with a message that names it.",
        "platform/kueue-and-gpu-quotas",
        "platform/multi-tenancy",
    ),
    pages=(
        "platform/kueue-and-gpu-quotas",
        "platform/multi-tenancy",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:no|without|missing|lacks?|any) (?:(?:gpu|resource|namespace) )?quotas?\b",
        r"\b(?:is there|are there|has|have|under) (?:an?|any) (?:(?:gpu|resource|namespace) )?quotas?\b(?! (?:problem|issue|limit|reached|exceed|full|hit))",
        r"\b(?:could|can|would|may|might|stops?|keeps?|prevents?)\b[^.?!]{0,80}\b(?:take|taking|grab\w*|eat\w*|claim\w*|hog\w*|book\w*|us(?:e|ing)) (?:up )?(?:all|every|the whole|each)\b[^.?!]{0,30}\b(?:gpus?|cards?|cluster|pool)\b",
    ),
)
