"""The namespace's quota keeps pods from being created.

## What it means
The API refused to create pods because a ResourceQuota, usually on requests.nvidia.com/gpu, is used up. Such pods do not exist: they are
not even pending.

## Why it hurts
Replicas are missing and nothing shows why where people look first: no pod, no scheduling event, no restart.

## What would rule it out
As many replicas as are wanted, or a refusal of another kind.
"""

from tools.check import Because, Check, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.autoscaling import CREATE_REFUSED, REPLICAS_CREATED


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when fewer replicas exist than are wanted and the API says that a quota is exceeded."""
    wanted, created = now[REPLICAS_WANTED.now], now[REPLICAS_CREATED.now]
    if created.number >= wanted.number:
        return None
    refused = now[CREATE_REFUSED.now]
    if "exceeded quota" not in refused.text:
        return None
    return because(
        "{created} of {wanted} exist in the present revision; the API refused the next: {refused}",
        created=created,
        wanted=wanted,
        refused=refused,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Free the quota or raise it."""
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
    needs=(REPLICAS_WANTED.now, REPLICAS_CREATED.now, CREATE_REFUSED.now),
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods",),
    owner="platform",
)
