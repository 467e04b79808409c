"""A container cannot be created because something that its manifest names is missing.

## What it means
The kubelet found the image and cannot assemble the container: a Secret, a ConfigMap or a key of one does not exist, or the
security context contradicts the image.

## Why it hurts
The pod waits until somebody creates what is missing; no restart and no other node helps.

## What would rule it out
A pod younger than two minutes, whose Secret may still be on its way.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.families import DOWN, QUEUEING
from tools.finding import Remedy
from tools.signals import POD_AGE, WAITING_REASON
from tools.vocabulary.startup import START_BLOCKED

_REASON = "CreateContainerConfigError"


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a container waits with this reason on a pod that is no longer new."""
    for waiting in now.each(WAITING_REASON.now):
        blocked = now.of(waiting.subject, START_BLOCKED.now)
        told = blocked if blocked is not None and _REASON in blocked.text else waiting
        if _REASON not in told.text:
            continue
        age = needed(now, waiting, POD_AGE.now)
        if age.number >= limits["age"]:
            return because("{told_of} has waited for {age}: {told}", waiting, told=told, age=age)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Create what the message names."""
    return (
        Remedy(
            "Create the Secret, ConfigMap or key that the message names in the pod's namespace, or correct the reference to it.",
            None,
            "The container starts within a minute; the pod need not be deleted.",
            ("platform/secrets-and-hub-tokens",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="critical",
    needs=(WAITING_REASON.now, POD_AGE.now),
    helps=(START_BLOCKED.now,),
    limits={"age": Limit(120, "seconds", "two minutes: what is created with the pod is there by then")},
    fires=fires,
    explains=(*QUEUEING, *DOWN),
    remedies=remedies,
    pages=("platform/secrets-and-hub-tokens",),
    owner="ml platform",
)
