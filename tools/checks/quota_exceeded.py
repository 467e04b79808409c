"""A quota keeps pods from being created or from being scheduled.

## What it means
The API refused to create pods because a ResourceQuota, usually on requests.nvidia.com/gpu, is used up: such pods do not exist, they are
not even pending. Or a queue (Kueue) holds pods behind a scheduling gate because its quota of GPUs is used up.

## Why it hurts
Replicas are missing and nothing shows why where people look first: no pod, no scheduling event, no restart.

## What would rule it out
As many replicas as are wanted, or a refusal of another kind.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import UNEQUIPPED, UNPLACED, named
from tools.finding import Remedy
from tools.refused_creation import NEEDS, refusal
from tools.signals import PENDING_FOR
from tools.vocabulary.admission import GATES, QUEUE_SAID
from tools.vocabulary.autoscaling import CREATE_REFUSED


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when fewer replicas exist than are wanted and the API says that a quota is exceeded."""
    refused = refusal(now)
    if refused is None:
        return _queued(now, limits)
    return refused.because if refused.by_quota else None


def _queued(now: Now, limits: Limits) -> Because | None:
    """A pod that exists and waits behind a gate, of which the queue says that quota is missing."""
    told = now.get(QUEUE_SAID.now)
    for said in now.each(QUEUE_SAID.now) if told is not None and told.text else ():
        pending, gates = now.of(said.subject, PENDING_FOR.now), now.of(said.subject, GATES.now)
        if "quota" in said.text and pending is not None and pending.number >= limits["pending"]:
            return because(
                "{said_of} has waited for {pending} for quota; its queue says: {said}",
                gates,
                said=said,
                pending=pending,
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Free the quota or raise it."""
    said = now.get(QUEUE_SAID.now)
    if said is not None and "quota" in said.text:
        return (
            Remedy(
                "See who uses the queue's share: `kubectl get clusterqueue -o yaml` shows used and nominal quota by flavor. Raise nominalQuota where the"
                " nodes have the GPUs, let the queue borrow from its cohort, or give what serves a queue of its own.",
                verify="The workload's QuotaReserved condition is True, and its pods have no gate.",
                cites=("kubernetes/pending-gpu-pods", "gpu/idle-gpus"),
            ),
        )
    refused = now.get(CREATE_REFUSED.now)
    if refused is not None and "match these scopes" in refused.text:
        return (
            Remedy(
                "Pods of a system priority class are let into a namespace only by a quota for that class: create a ResourceQuota in this namespace whose"
                " scopeSelector names the class of the message, or give the pods a class of your own.",
                verify="The controller's event `SuccessfulCreate` follows, and its pods run on every node that is meant.",
                cites=("platform/gpu-operator-and-drivers", "kubernetes/pending-gpu-pods"),
            ),
        )
    return (
        Remedy(
            "See who uses it: `kubectl describe resourcequota -n NAMESPACE`. Free GPUs that are held idle in the namespace, or ask for a higher quota on"
            " requests.nvidia.com/gpu.",
            verify="The workload's pods are created, and its ready replicas reach what is wanted.",
            cites=("kubernetes/pending-gpu-pods", "gpu/idle-gpus"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=NEEDS,
    helps=(QUEUE_SAID.now, PENDING_FOR.now, GATES.now),
    limits={"pending": Limit(300, "seconds", "five minutes: a queue that has quota lets pods in within seconds")},
    fires=fires,
    explains=(*UNPLACED, *UNEQUIPPED, *named("pending_scheduling_gate")),
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
