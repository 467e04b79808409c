"""The pod has its node, and the network or the runtime there cannot make room for it.

## What it means
Before any container the kubelet makes the pod's sandbox: its cgroup, its network by the CNI plugin, its runtime class, and where devices
are claimed (dynamic resource allocation) their driver hands them over. No free address in the node's subnet, a CNI plugin or a driver of
devices that is down, or a runtime class that the node does not know keep it from that.

## Why it hurts
The replica does not exist, its GPU is reserved, and nothing is red: the pod only says ContainerCreating.

## What would rule it out
A container that has started, or a volume or an image that it waits for.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import DOWN, QUEUEING, UNEQUIPPED
from tools.finding import Remedy
from tools.signals import POD_AGE, POD_PHASE
from tools.vocabulary.startup import SANDBOX_SAID


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod that is placed and no longer new has no sandbox."""
    for said in now.each(SANDBOX_SAID.now):
        if not said.text:
            continue
        phase, age = now.of(said.subject, POD_PHASE.now), now.of(said.subject, POD_AGE.now)
        if phase is not None and phase.text == "Pending" and age is not None and age.number >= limits["age"]:
            return because("{said_of} is {age} old and has no sandbox: {said}", phase, said=said, age=age)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """What the message asks for."""
    said = now.get(SANDBOX_SAID.now)
    text = said.text if said is not None else ""
    if "assign an IP" in text or "no IP addresses" in text or "no available IP" in text:
        first = "Give the node's subnet free addresses (prefix delegation, a larger subnet, fewer pods per node), or place the pod elsewhere."
    elif "ynamic resources" in text or "PrepareResources" in text:
        first = (
            "The driver of the claimed devices does not hand them over: look at its kubelet plugin's pod on that node and at its log, and at"
            " `kubectl describe resourceclaim`."
        )
    elif "sandbox image" in text:
        first = "The node cannot fetch the small image that every sandbox starts from: see its DNS, proxy and egress, or have the image in the node's own."
    elif "runtime handler" in text.lower() or "RuntimeClass" in text or "no runtime for" in text:
        first = "The node does not know the runtime class: see that the container toolkit ran there, or correct runtimeClassName."
    else:
        first = "Look at the CNI plugin's pod on that node and at its log: it answers for the pod's network."
    return (
        Remedy(
            first,
            verify="The pod gets an address, and its containers start.",
            cites=("platform/gpu-nodes-by-platform", "platform/gpu-operator-and-drivers"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(SANDBOX_SAID.now,),
    helps=(POD_PHASE.now, POD_AGE.now),
    limits={"age": Limit(300, "seconds", "five minutes: a CNI plugin that restarts is back by then")},
    fires=fires,
    explains=(*QUEUEING, *DOWN, *UNEQUIPPED),
    remedies=remedies,
    pages=("platform/gpu-nodes-by-platform", "kubernetes/pending-gpu-pods"),
    owner="platform",
)
