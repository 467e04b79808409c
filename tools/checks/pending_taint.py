"""Pods do not tolerate the taints of the nodes that could hold them.

## What it means
Nodes with free GPUs carry a taint (often nvidia.com/gpu, or a team's own) that the pod has no toleration for, so the scheduler
passes them over.

## Why it hurts
The GPUs stand free while the replicas that should use them do not exist.

## What would rule it out
Too few free GPUs on any node: then the taint is not what is missing. A taint of the node controller (node.kubernetes.io/...) is a sick or
cordoned node, not a policy.
"""

from tools.check import Because, Check, Limit, Limits, Now, On
from tools.families import UNPLACED, named
from tools.finding import Remedy
from tools.pending import BLOCK, PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, kept_off, only, stuck, told
from tools.scheduler_words import Why


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and taints are what keeps it off nodes with room.

    The control plane's own taint counts only where there is no other node.
    """
    waiting = [one for one in stuck(now, limits["pending"]) if kept_off(now, one, Why.TAINT) or only(one)]
    return told(now, waiting, "a toleration")


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Tolerate the taint where the pod may run there."""
    return (
        Remedy(
            "Add a toleration for the taint that the message names to the pod template, for example `{key: nvidia.com/gpu, operator: Exists, effect:"
            " NoSchedule}`; the ExtendedResourceToleration admission plugin adds that one by itself.",
            verify="`kubectl describe pod` shows no more FailedScheduling, and the pod is assigned a node.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "If the nodes are kept for another team on purpose, ask for GPUs elsewhere: removing the taint would let everybody in.",
            verify="The pod is scheduled onto nodes that are meant for it.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, BLOCK),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    # No node that it could add would be tolerated either.
    explains=(*UNPLACED, *named("cluster_autoscaler_cannot_add_gpu_node")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
