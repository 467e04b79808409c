"""The image cannot be pulled.

## What it means
The kubelet asks the registry for the image and is refused, does not find it, cannot reach it, or has no room for it. It tries again
with longer and longer pauses.

## Why it hurts
The replica does not exist, and every new node or rollout meets the same.

## What would rule it out
A pull that is under way (ContainerCreating), or one failed attempt that the next made good.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.families import DOWN, QUEUEING, UNEQUIPPED
from tools.finding import Remedy
from tools.signals import POD_AGE, POD_PHASE, WAITING_REASON
from tools.vocabulary.startup import PULL_SAID, START_BLOCKED

_REASONS = (
    "ErrImagePull",
    "ImagePullBackOff",
    "InvalidImageName",
    "ErrImageNeverPull",
    "ImageInspectError",
    "RegistryUnavailable",
    "SignatureValidationFailed",
)
# The wrong architecture also says "not found": it is asked for first.
_BRANCHES = (
    (
        ("no match for platform", "exec format"),
        "The image has no build for the node's architecture: use one for it (arm64 on Grace), or another node pool.",
    ),
    (
        ("toomanyrequests", "429"),
        "The registry limits the rate: authenticate the pulls, or mirror the image to a registry of your own.",
    ),
    (
        ("unauthorized", "authentication required", "no basic auth", "403 Forbidden", "denied"),
        "The registry refuses: give the pod an imagePullSecret that may read this repository.",
    ),
    (
        ("signature validation failed", "SignatureValidationFailed"),
        "The node's policy wants a signature that the image does not have: sign it with the key that the policy trusts, or use one that is signed.",
    ),
    (
        ("short-name", "ImageInspectError"),
        "The runtime cannot make out the image: write its full name with the registry, and look whether the node's image store is whole.",
    ),
    (
        ("no space left",),
        "The node's disk is full: enlarge its root disk (images of engines take 8 to 20 GB), or remove unused images.",
    ),
    (
        ("has expired or is not yet valid",),
        "Compare the times in the message: either the registry's certificate has expired, or the node's clock is wrong (chronyc tracking).",
    ),
    (("x509",), "The node does not trust the registry's certificate: install its CA on the nodes."),
    (
        ("i/o timeout", "connection refused", "no such host", "deadline exceeded", "registry is unavailable"),
        "The node cannot reach the registry: check DNS, proxy and egress of the node.",
    ),
    (("not found", "manifest unknown"), "The tag or the repository does not exist: correct the image's name."),
    (("InvalidImageName", "couldn't parse"), "The image's name cannot be parsed: correct it."),
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a container waits for an image whose pull fails, on a pod older than a passing hiccup."""
    for waiting in now.each(WAITING_REASON.now):
        blocked = now.of(waiting.subject, START_BLOCKED.now)
        told = waiting if waiting.text in _REASONS else blocked
        if told is None or not any(reason in told.text for reason in _REASONS):
            continue
        age = needed(now, waiting, POD_AGE.now)
        phase = now.of(waiting.subject, POD_PHASE.now)
        if age.number < limits["age"] or (phase is not None and phase.text == "Terminating"):
            continue
        said = now.of(waiting.subject, PULL_SAID.now)
        if said is not None and said.text:
            return because("{told_of} waits ({told}); the event says: {said}", age, blocked, told=told, said=said)
        return because("{told_of} waits: {told}", age, blocked, told=told)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What the registry's answer asks for."""
    text = " ".join(one.text for one in map(now.get, (PULL_SAID.now, START_BLOCKED.now)) if one is not None)
    advice = next((said for marks, said in _BRANCHES if any(mark in text for mark in marks)), "")
    return (
        Remedy(
            advice
            or "Read the pod's events: the registry's answer says whether name, access, network or room is missing.",
            None,
            "The events show `Successfully pulled image`, and the container starts.",
            ("platform/container-images",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="critical",
    needs=(WAITING_REASON.now, POD_AGE.now),
    helps=(START_BLOCKED.now, PULL_SAID.now, POD_PHASE.now),
    limits={"age": Limit(120, "seconds", "two minutes: the kubelet has tried more than once")},
    fires=fires,
    explains=(*QUEUEING, *DOWN, *UNEQUIPPED),
    remedies=remedies,
    pages=("platform/container-images",),
    owner="platform",
)
