"""The node's runtime cannot create or start a container.

## What it means
The image is there, and the container is not made: the runtime refuses its form (devices that cannot be injected, a mount that is not
there, a command that is not in the image), takes too long, or a hook fails that runs before or after the start.

## Why it hurts
The replica does not start, and its GPU is reserved meanwhile. There is no log to read: nothing of the container has run.

## What would rule it out
A container that runs, or one that ran and crashed; a Secret or ConfigMap that is missing is another reason.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.families import QUEUEING, UNEQUIPPED, named
from tools.finding import Remedy
from tools.signals import POD_AGE, WAITING_REASON
from tools.vocabulary.startup import START_BLOCKED

_REASONS = (
    "CreateContainerError",
    "RunContainerError",
    "PreStartHookError",
    "PostStartHookError",
    "PreCreateHookError",
    "ImageVolumeMountFailed",
    # How a container ended that never ran; it then waits as one that crashes does.
    "StartError",
    "ContainerCannotRun",
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a container waits with such a reason on a pod that is no longer new."""
    for waiting in now.each(WAITING_REASON.now):
        blocked = now.of(waiting.subject, START_BLOCKED.now)
        told = blocked if blocked is not None and any(one in blocked.text for one in _REASONS) else waiting
        if not any(one in told.text for one in _REASONS):
            continue
        age = needed(now, waiting, POD_AGE.now)
        if age.number >= limits["age"]:
            return because("{told_of} is {age} old and its container is not made: {told}", waiting, told=told, age=age)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """By what the message names."""
    blocked = now.get(START_BLOCKED.now)
    text = blocked.text if blocked is not None else ""
    if "CDI" in text or "nvidia-container" in text:
        first = (
            "The GPU cannot be injected: run `nvidia-smi` on the node, then restart the container toolkit's and the device plugin's pods there, so that"
            " the CDI specification is written anew."
        )
    elif "deadline exceeded" in text or "reserve" in text:
        first = "The runtime on the node is slow or stuck: look at its disk's load and at containerd's log, and move the pod to another node meanwhile."
    elif "executable file not found" in text or "no such file" in text:
        first = "The command or a path that the pod names is not in the image: correct command, args or mountPath."
    elif "permission denied" in text and "exec" in text:
        first = (
            "The file that the pod starts may not be executed: `chmod +x` it where the image is built, give a script from a ConfigMap defaultMode 0755"
            " or start it as `sh FILE`, and look for a volume that is mounted noexec."
        )
    elif "Hook" in text:
        first = "The lifecycle hook fails: run its command by hand in the image, and make it end with 0 while the server is still loading."
    else:
        first = (
            "Read the message and the runtime's log on the node (journalctl -u containerd) at the time of the last try."
        )
    return (
        Remedy(
            first,
            verify="The container is Running, and its log begins.",
            cites=("platform/gpu-operator-and-drivers", "platform/container-images"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(WAITING_REASON.now, POD_AGE.now),
    helps=(START_BLOCKED.now,),
    limits={"age": Limit(300, "seconds", "five minutes: the kubelet has tried several times by then")},
    fires=fires,
    explains=(*QUEUEING, *UNEQUIPPED, *named("gpu_held_by_not_ready_pod", "crash_loop")),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers", "platform/container-images"),
    owner="platform",
)
