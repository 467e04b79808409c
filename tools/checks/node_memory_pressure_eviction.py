"""The kubelet evicted a pod for want of memory or disk.

## What it means
The node was low on a resource, and the kubelet ended the pod that used most above its request, or turned a new one away; or the pod
wrote more than its own limit of disk allows. The message names the resource: for pods of models it is mostly the disk
(ephemeral-storage), filled by downloads and caches.

## Why it hurts
The replica is gone with all it served, and its successor meets the same node or loads anew elsewhere.

## What would rule it out
A pod that failed for another reason, or an eviction of days ago. Where the disk was short and the pod itself had written next to nothing, what filled the
disk is elsewhere: the full disk of the node is the cause.
"""

import re
from dataclasses import replace

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.crashes import needed
from tools.families import FAILING, QUEUEING, UNEQUIPPED, named
from tools.finding import Remedy
from tools.quantity import quantity
from tools.vocabulary.autoscaling import FAILED_REASON
from tools.vocabulary.startup import FAILED_AGO

_WHY = re.compile(
    r"low on resource|had condition: \[(?:Disk|Memory|PID)Pressure"
    r"|ephemeral[ -](?:local )?storage (?:usage exceeds|limit)|exceeds the (?:total )?limit"
)

# Of which resource it was, and what the pod itself had of it: who had next to nothing is turned out for what others filled.
_DISK = re.compile(r"ephemeral-storage|DiskPressure|inodes|nodefs|imagefs")
_USED = re.compile(r"was using (\S{1,20}), request is")
_ITS_LIMIT = re.compile(
    r"exceeds the (?:total |local ephemeral storage )?limit(?: of containers)? \"?([0-9][0-9.]{0,12}[A-Za-z]{0,3})"
)

_FULL = "node_disk_full"
# Its successor waits for the same node.
_EXPLAINS = (
    *QUEUEING,
    *FAILING,
    *UNEQUIPPED,
    # The replica that takes its place begins with an empty cache, and the others carry its load until then.
    *named("pending_nodes_unavailable", "ttft_breach_prefill", "prefix_cache_ineffective"),
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod was evicted lately for want of a resource of its node, or for passing its own limit of disk."""
    for reason in now.each(FAILED_REASON.now):
        if not reason.text.startswith("Evicted") or not _WHY.search(reason.text):
            continue
        ago = needed(now, reason, FAILED_AGO.now)
        if ago.number <= limits["recent"]:
            found = because("{reason_of} was evicted {ago} ago; the kubelet says: {reason}", reason=reason, ago=ago)
            return _beside_a_full_disk(found, reason.text, limits)
    return None


def _beside_a_full_disk(found: Because, says: str, limits: Limits) -> Because:
    """The same with what it is to a node whose disk is full: its cause where the pod filled it, else its symptom, and nothing where it was of memory."""
    wrote = _DISK.search(says) and any((quantity(used) or 0.0) > limits["written"] for used in _USED.findall(says))
    limit = _ITS_LIMIT.search(says)
    if wrote or (limit and (quantity(limit[1]) or 0.0) > limits["written"]):
        return replace(found, explains=(*_EXPLAINS, Explains(_FULL, Where.ON_THIS_NODE)), apart=(_FULL,))
    return replace(found, explains=_EXPLAINS, apart=() if _DISK.search(says) else (_FULL,))


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
    limits={
        "recent": Limit(3600, "seconds", "an hour: what was evicted before is replaced by now"),
        "written": Limit(2**30, "bytes", "1 GiB: logs and small files stay below, downloads and caches do not"),
    },
    fires=fires,
    # And the full disk of its node where it filled that itself: `_beside_a_full_disk`.
    explains=_EXPLAINS,
    remedies=remedies,
    pages=("kubernetes/host-memory-limits", "platform/model-weight-storage"),
    owner="platform",
)
