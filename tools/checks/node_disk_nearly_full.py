"""The disk of a GPU node is nearly full.

## What it means
The root file system of the node has less free space than the limit; images, logs and scratch volumes lie there.

## Why it hurts
At 15 % the kubelet deletes images, which are then pulled again for minutes, and evicts pods when that is not enough.

## What would rule it out
Images and scratch on a disk of their own.
"""

from dataclasses import replace

from tools.asked import asking
from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.rules import paste
from tools.vocabulary.node_problems import DISK_NOT_CLEARED
from tools.vocabulary.readiness import DISK_FREE


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire below the limit."""
    free = now[DISK_FREE.now]
    if free.number >= limits["free"]:
        return None
    said = now.get(DISK_NOT_CLEARED.now)
    if said is None or not said.text:
        return because("{free_of} has {free} of its root file system free.", free=free)
    template = "{free_of} has {free} of its root file system free, and its kubelet finds too little to delete: {said}"
    return replace(because(template, free=free, said=said), felt=True)


CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(DISK_FREE.now,),
    helps=(DISK_NOT_CLEARED.now,),
    felt=True,
    fires=fires,
    remedies=paste(
        "Give nodes room for two versions of each image, and keep weights on a volume.",
        "blockDeviceMappings: [{deviceName: /dev/xvda, ebs: {volumeSize: 500Gi, volumeType: gp3}}]",
        "node_filesystem_avail_bytes over size stays above 0.3 after a rollout.",
        "infrastructure-audit/storage-and-data",
        "platform/provisioning-gpu-nodes",
    ),
    limits={"free": Limit(0.2, "ratio", "the kubelet collects images from 15 % free disk on")},
    pages=("infrastructure-audit/storage-and-data", "platform/provisioning-gpu-nodes"),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:disks?|file ?systems?|ephemeral[- ]storage|node storage)\b[^.?!]{0,60}\b(?:full|space|room|fill\w*|left|free|headroom)\b|\b(?:full|space|room|free)\b[^.?!]{0,40}\b(?:disks?|file ?systems?)\b",
            60,
        ),
    ),
)
