"""The node's disk is full.

## What it means
The kubelet reports DiskPressure, or almost nothing of the root file system is left. Images of engines, caches of models, logs and what
containers write all lie there, and Ray keeps what it spills there.

## Why it hurts
Images cannot be pulled, sandboxes and files cannot be made, and the kubelet evicts pods to get room, replicas that serve among them. Ray
makes no more objects from 95 % on.

## What would rule it out
A disk with room, and a condition that is False: weights on a volume of their own fill that volume, not the node's disk.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.finding import Remedy
from tools.vocabulary.node_problems import NODE_DISK_PRESSURE
from tools.vocabulary.readiness import DISK_FREE

FREE = DISK_FREE.now
PRESSURE = NODE_DISK_PRESSURE.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the kubelet says so, or when almost nothing is free."""
    free = now.get(FREE)
    if free is not None and free.number < limits["free"]:
        return because("{free_of} has {free} of its root file system free.", now.get(PRESSURE), free=free)
    pressure = now[PRESSURE]
    if not pressure.text:
        return None
    return because("{pressure_of} is under DiskPressure: {pressure}", free, pressure=pressure)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Room now, and a disk that does not fill again."""
    node = now.subject.name
    verify = "DiskPressure is False, and node_filesystem_avail_bytes over size stays above 0.15 for a day."
    return (
        Remedy(
            f"See what fills it before you remove anything: images (crictl images on {node}), writable layers and logs"
            " (/var/lib/containerd, /var/log/pods), caches on a hostPath, Ray's session directory (/tmp/ray).",
            None,
            verify,
            ("platform/model-weight-storage", "platform/gpu-node-health-and-repair"),
        ),
        Remedy(
            "Keep weights and compile caches on a volume, give pods an ephemeral-storage limit, and let the node pool's disk hold two versions"
            " of each image.",
            None,
            verify,
            ("platform/provisioning-gpu-nodes", "platform/model-weight-storage"),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(PRESSURE,),
    helps=(FREE,),
    limits={
        "free": Limit(0.05, "ratio", "Ray stops at 95 % used; by default the kubelet evicts from 10 % free on"),
    },
    fires=fires,
    explains=(
        Explains("node_disk_nearly_full"),
        Explains("image_pull_fail", Where.ON_THIS_NODE),
        Explains("pod_sandbox_failed", Where.ON_THIS_NODE),
        Explains("container_create_failed", Where.ON_THIS_NODE),
        Explains("disk_or_store_full", Where.ON_THIS_NODE),
        # Who had little of it is evicted, too, and where nothing can be removed its successor finds the disk as full.
        Explains("node_memory_pressure_eviction", Where.ON_THIS_NODE),
        Explains("pending_taint", Where.IN_CLUSTER),
        Explains("pending_nodes_unavailable", Where.IN_CLUSTER),
    ),
    remedies=remedies,
    pages=("platform/model-weight-storage", "platform/provisioning-gpu-nodes"),
    owner="platform",
)
