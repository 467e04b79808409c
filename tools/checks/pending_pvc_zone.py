"""Pods wait because of a volume, not because of GPUs.

## What it means
The claim for the weights is unbound, gone, or bound to a disk in a zone where no node with free GPUs is. Why it is unbound stands at the
claim: a storage class that does not exist, a quota of the cloud, a provisioner that does not run. A disk that is ReadWriteOnce can serve
one node at a time: a second pod that is placed on another node stays in ContainerCreating.

## Why it hurts
GPUs stand free while the replica does not exist; a second replica of a model on a ReadWriteOnce cache never starts.

## What would rule it out
A scheduling message that names no volume or claim, or containers that have started.
"""

import re
from dataclasses import dataclass

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.families import UNPLACED, named
from tools.finding import Remedy
from tools.pending import PENDING, PENDING_S, PENDING_SOURCE, SAID, TAINTS, WANTS, stuck
from tools.scheduler_words import Why
from tools.signals import POD_AGE, POD_PHASE
from tools.vocabulary.claims import CLAIM_SAID
from tools.vocabulary.startup import MISSING, MOUNT_SAID

_STORAGE = "platform/model-weight-storage"
_PENDING = "kubernetes/pending-gpu-pods"


@dataclass(frozen=True, slots=True)
class _Case:
    """Words, and what helps where they are said."""

    said: re.Pattern[str]
    remedies: tuple[Remedy, ...]


_CASES = (
    _Case(
        re.compile("Multi-Attach"),
        (
            Remedy(
                "The disk is attached to another node. Let the update end the old pod first (strategy Recreate, or maxSurge 0 with maxUnavailable 1), or"
                " keep both pods on one node.",
                verify="The event `SuccessfulAttachVolume` follows, and the container starts.",
                cites=(_STORAGE, "kubernetes/rollouts-without-spare-gpus"),
            ),
            Remedy(
                "For weights that several replicas read, use a ReadOnlyMany or ReadWriteMany volume, or copy them to the node's own disk.",
                verify="Two replicas on two nodes are ready.",
                cites=(_STORAGE,),
            ),
        ),
    ),
    _Case(
        re.compile(r"storage ?class(?:\.storage\.k8s\.io)? \"|no storage class is set", re.IGNORECASE),
        (
            Remedy(
                "`kubectl get storageclass` shows the classes that this cluster has. A claim's storageClassName cannot be changed: delete the claim while"
                " nothing is on it, and make it again with a class that exists, or with none where a class is marked as the default.",
                verify="The claim is Bound, and the pod is assigned a node.",
                cites=(_PENDING, _STORAGE),
            ),
        ),
    ),
    _Case(
        re.compile(
            r"(?i)quota|limit ?exceeded|ResourceExhausted|exceeded the (?:maximum|limit)|not enough (?:disk )?space"
        ),
        (
            Remedy(
                "The storage behind the class has nothing left to give: raise the quota that the message names at the cloud, delete disks that nobody"
                " uses (`kubectl get pv` in phase Released), or use a class of another disk type.",
                verify="The event `ProvisioningSucceeded` follows at the claim.",
                cites=(_STORAGE,),
            ),
        ),
    ),
    _Case(
        re.compile(r"list of registered CSI drivers|topology key|available topology|external provisioner|CSINode"),
        (
            Remedy(
                "Look at the driver's own pods: `kubectl get pods -A -o wide | grep csi` and `kubectl get csinode`. Its controller must run, and its node"
                " pod on the pod's node, which needs a toleration for the GPU nodes' taints.",
                verify="`kubectl get csinode NODE` lists the driver, and the volume is mounted.",
                cites=(_STORAGE, "kubernetes/cluster-addons-and-gpu-pods"),
            ),
        ),
    ),
)
_ELSE = (
    Remedy(
        "Look at the claim: `kubectl describe pvc` says whether it is unbound and why. A storage class with `volumeBindingMode: WaitForFirstConsumer`"
        " makes the disk where the pod can run.",
        verify="The claim is Bound and the pod is assigned a node.",
        cites=(_PENDING,),
    ),
    Remedy(
        "For weights that several replicas or zones read, use a ReadOnlyMany or ReadWriteMany volume, or copy them to the node's own disk.",
        verify="Replicas start in every zone that has GPUs.",
        cites=("serving/cold-start",),
    ),
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod has been pending for a while and the scheduler names its volume, or its claim says why there is none."""
    waiting = [one for one in stuck(now, limits["pending"]) if Why.VOLUME in one.reasons]
    if not waiting:
        return _unprovisioned(now, limits) or _unmounted(now, limits)
    longest = waiting[0]
    count = counted([one.pending for one in waiting], "Pods pending for lack of a volume", "pods", now.subject)
    claim = now.of(longest.said.subject, CLAIM_SAID.now)
    told = claim is not None and bool(claim.text)
    return because(
        "{count} pending, for {longest} at most; "
        + ("of its claim is said: {claim}. The scheduler says: {said}" if told else "the scheduler says: {said}"),
        longest.wants,
        severity=None,
        count=count,
        longest=longest.pending,
        said=longest.said,
        **({"claim": claim} if claim is not None and told else {}),
    )


def _unprovisioned(now: Now, limits: Limits) -> Because | None:
    """A pod of which the scheduler says nothing: it has chosen a node, and waits until the volume is made there."""
    told = now.get(CLAIM_SAID.now)
    for claim in now.each(CLAIM_SAID.now) if told is not None and told.text else ():
        pending, said = now.of(claim.subject, PENDING), now.of(claim.subject, SAID)
        waits = pending is not None and pending.number >= limits["pending"]
        if claim.text and waits and pending is not None and (said is None or not said.text):
            return because(
                "{claim_of} has waited for {pending}; of its claim is said: {claim}", claim=claim, pending=pending
            )
    return None


def _unmounted(now: Now, limits: Limits) -> Because | None:
    """A pod that has its node and does not get its volume."""
    told = now.get(MOUNT_SAID.now)
    for said in now.each(MOUNT_SAID.now) if told is not None and told.text else ():
        phase, age = now.of(said.subject, POD_PHASE.now), now.of(said.subject, POD_AGE.now)
        if not said.text or MISSING.search(said.text) or phase is None or phase.text != "Pending":
            continue
        if age is not None and age.number >= limits["pending"]:
            return because("{age_of} is {age} old and waits for its volume: {said}", phase, age=age, said=said)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bind where the pod lands, share the weights, or what the words of the claim or of the kubelet ask for."""
    said = (now.get(MOUNT_SAID.now), now.get(CLAIM_SAID.now))
    return for_volumes(*(one.text for one in said if one is not None))


def for_volumes(*said: str) -> tuple[Remedy, ...]:
    """What helps against the first of these texts that is told of; looking at the claim where none is."""
    return next((case.remedies for text in said for case in _CASES if case.said.search(text)), _ELSE)


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(PENDING, SAID),
    helps=(WANTS, TAINTS, MOUNT_SAID.now, POD_PHASE.now, POD_AGE.now, CLAIM_SAID.now),
    limits={"pending": Limit(PENDING_S, "seconds", PENDING_SOURCE)},
    fires=fires,
    # No node that it could add would be where the volume is.
    explains=(*UNPLACED, *named("cluster_autoscaler_cannot_add_gpu_node")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "serving/cold-start"),
    owner="platform",
)
