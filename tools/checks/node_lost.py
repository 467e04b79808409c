"""A GPU node is not ready: what ran on it is lost.

## What it means
The control plane hears nothing from the node's kubelet, or the node says itself that it cannot run pods. A reclaimed spot machine, a
crashed host and a cut network look the same from here.

## Why it hurts
Its replicas serve nothing, and their pods are replaced only after minutes, where other GPUs are free at all.

## What would rule it out
A node that is merely cordoned: that one is Ready and keeps what runs on it.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where, because
from tools.families import FAILING, QUEUEING, at, named
from tools.finding import Remedy
from tools.signals import NODE_GPUS, NODE_READY


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the node is not ready and had GPUs."""
    ready = now[NODE_READY.now]
    if ready.number:
        return None
    gpus = now[NODE_GPUS.now]
    if gpus.number < 1:
        return None
    return because("{ready_of} is not ready; it has {gpus}.", ready=ready, gpus=gpus)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """See which kind of loss it is."""
    return (
        Remedy(
            f"Look at the node's conditions and its machine at the provider: kubectl describe node {now.subject.name}. If the"
            " machine is gone, delete the Node object, so that its pods are replaced at once.",
            None,
            "The pods of the node are ready on another, or the node is Ready again.",
            ("platform/provisioning-gpu-nodes",),
        ),
        Remedy(
            "If it was spot capacity, keep as many replicas on reserved machines as the least load needs.",
            None,
            "The next reclaim leaves the latency objective unharmed.",
            ("platform/capacity-reservations-and-spot",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="critical",
    needs=(NODE_READY.now, NODE_GPUS.now),
    fires=fires,
    explains=(
        Explains("exporter_down", Where.ON_THIS_NODE),
        Explains("routing_skew", Where.ON_THIS_NODE),
        Explains("node_problem_reported", Where.ON_THIS_NODE),
        Explains("event_loop_blocked", Where.ON_THIS_NODE),
        # The replacement of a replica that stood on it finds no other place.
        *named("pending_insufficient_gpu", "pending_taint", "gpu_bin_packing_fragmentation"),
        # Its volume is still held by the node that is gone.
        *named("pending_pvc_zone"),
        *named("pending_nodes_unavailable", "pending_other_resource"),
        *at((*QUEUEING, *FAILING, *named("ttft_breach_prefill")), Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("platform/capacity-reservations-and-spot", "platform/provisioning-gpu-nodes"),
    owner="platform",
)
