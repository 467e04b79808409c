"""The kubelet evicted a pod for want of memory or disk.

## What it means
The node was low on a resource, and the kubelet ended the pod that used most above its request, or turned a new one away; or the pod
wrote more than its own limit of disk allows. The message names the resource: for pods of models it is mostly the disk
(ephemeral-storage), filled by downloads and caches.

## Why it hurts
The replica is gone with all it served, and its successor meets the same node or loads anew elsewhere.

## What would rule it out
A pod that failed for another reason, or an eviction of days ago.
"""

import re

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.crashes import needed
from tools.families import FAILING, QUEUEING, UNEQUIPPED, named
from tools.finding import Remedy
from tools.vocabulary.autoscaling import FAILED_REASON
from tools.vocabulary.startup import FAILED_AGO

_WHY = re.compile(
    r"low on resource|had condition: \[(?:Disk|Memory|PID)Pressure"
    r"|ephemeral[ -](?:local )?storage (?:usage exceeds|limit)|exceeds the (?:total )?limit"
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod was evicted lately for want of a resource of its node, or for passing its own limit of disk."""
    for reason in now.each(FAILED_REASON.now):
        if not reason.text.startswith("Evicted") or not _WHY.search(reason.text):
            continue
        ago = needed(now, reason, FAILED_AGO.now)
        if ago.number <= limits["recent"]:
            return because("{reason_of} was evicted {ago} ago; the kubelet says: {reason}", reason=reason, ago=ago)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Reserve what was short."""
    reason = now.get(FAILED_REASON.now)
    if reason is not None and "resource: memory" in reason.text:
        return (
            Remedy(
                "Set the memory request to what the pod really uses, equal to its limit: who stays within the request goes last.",
                None,
                "The node's MemoryPressure stays False under load.",
                ("kubernetes/host-memory-limits",),
            ),
        )
    if reason is not None and "low on resource" not in reason.text and "limit" in reason.text:
        return (
            Remedy(
                "Raise the limit that the message names (limits.ephemeral-storage, or the emptyDir's sizeLimit) above the weights, the compile cache and"
                " what an offload to disk may take together, or move them to a volume of their own.",
                None,
                "The pod lives through a full load, and its use stays below the limit.",
                ("platform/model-weight-storage",),
            ),
        )
    return (
        Remedy(
            "Move the model cache off the node's root disk (HF_HOME on a volume), and request the ephemeral-storage that is left.",
            None,
            "The node's DiskPressure stays False through a full load.",
            ("platform/model-weight-storage",),
        ),
        Remedy(
            "Enlarge the root disk of the node pool: images of engines take 8 to 20 GB each.",
            None,
            "More than 15 % of the image file system stays free.",
            ("platform/container-images",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(FAILED_REASON.now, FAILED_AGO.now),
    limits={"recent": Limit(3600, "seconds", "an hour: what was evicted before is replaced by now")},
    fires=fires,
    # Its successor waits for the same node; and who is evicted is who used most of it.
    explains=(
        *QUEUEING,
        *FAILING,
        *UNEQUIPPED,
        # The replica that takes its place begins with an empty cache, and the others carry its load until then.
        *named("pending_nodes_unavailable", "ttft_breach_prefill", "prefix_cache_ineffective"),
        Explains("node_disk_full", Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("kubernetes/host-memory-limits", "platform/model-weight-storage"),
    owner="platform",
)
