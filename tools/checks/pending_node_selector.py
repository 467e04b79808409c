"""No node that has room matches the pod's selector or affinity.

## What it means
The pod asks for nodes by label, and none with free GPUs has it: a product label that is spelled differently
(NVIDIA-H100-80GB-HBM3, with a suffix under MIG or sharing), or labels that GPU feature discovery never set.

## Why it hurts
GPUs stand free while the replicas do not exist, and no autoscaler adds a node that its template says would not match.

## What would rule it out
Too few free GPUs on every node, or a taint that is named instead.
"""

from tools.check import Because, Check, Limit, Limits, Now, On
from tools.families import UNPLACED, named
from tools.finding import Remedy
from tools.pending import (
    BEHIND_CORDON,
    BLOCK,
    PENDING,
    PENDING_S,
    PENDING_SOURCE,
    SAID,
    TAINTS,
    WANTS,
    behind_a_cordon,
    kept_off,
    room,
    stuck,
    told,
)
from tools.scheduler_words import Why


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and its selector is what keeps it off nodes with room.

    Where nodes are cordoned or sick, too, it is the selector only if a sound node has room.
    """
    waiting = [
        one
        for one in stuck(now, limits["pending"])
        if kept_off(now, one, Why.SELECTOR)
        and Why.TAINT not in one.reasons
        # Nodes that lack the slice had passed the selector, and what is free is counted in whole GPUs.
        and Why.MIG not in one.reasons
        and (Why.HEALTH not in one.reasons or (room(now, one) is not False and not behind_a_cordon(now, one)))
    ]
    return told(now, waiting, "a node that matches")


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Compare the labels."""
    return (
        Remedy(
            "Compare the pod's nodeSelector and affinity with `kubectl get nodes -L nvidia.com/gpu.product,topology.kubernetes.io/zone`, and correct"
            " the value that no node has.",
            verify="At least one node with free GPUs has every label that the pod asks for.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
        Remedy(
            "Where nodes have no nvidia.com labels at all, GPU feature discovery does not run on them: mend its DaemonSet rather than labelling by hand.",
            verify="The nodes show nvidia.com/gpu.product.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, BLOCK, BEHIND_CORDON),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    # No node that it could add would match either.
    explains=(*UNPLACED, *named("cluster_autoscaler_cannot_add_gpu_node")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="mlops",
)
