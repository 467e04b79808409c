"""A container cannot be created because something that its manifest names is missing.

## What it means
The kubelet cannot assemble the container: a Secret, a ConfigMap or a key of one does not exist (as a variable or as a volume), or the
security context contradicts the image.

## Why it hurts
The pod waits until somebody creates what is missing; no restart and no other node helps.

## What would rule it out
A pod younger than two minutes, whose Secret may still be on its way.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.families import DOWN, QUEUEING, UNEQUIPPED
from tools.finding import Remedy
from tools.signals import POD_AGE, POD_PHASE, WAITING_REASON
from tools.vocabulary.startup import MISSING, MOUNT_SAID, START_BLOCKED

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
    return _unmounted(now, limits)


def _unmounted(now: Now, limits: Limits) -> Because | None:
    """A pod that cannot mount a Secret or ConfigMap which is not there: its containers are not even tried."""
    told = now.get(MOUNT_SAID.now)
    for said in now.each(MOUNT_SAID.now) if told is not None else ():
        phase, age = now.of(said.subject, POD_PHASE.now), now.of(said.subject, POD_AGE.now)
        waits = phase is not None and phase.text == "Pending" and age is not None and age.number >= limits["age"]
        if MISSING.search(said.text) and waits and age is not None:
            return because("{said_of} has waited for {age}: {said}", phase, said=said, age=age)
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
    helps=(START_BLOCKED.now, MOUNT_SAID.now, POD_PHASE.now),
    limits={"age": Limit(120, "seconds", "two minutes: what is created with the pod is there by then")},
    fires=fires,
    explains=(*QUEUEING, *DOWN, *UNEQUIPPED),
    remedies=remedies,
    pages=("platform/secrets-and-hub-tokens",),
    owner="ml platform",
)
