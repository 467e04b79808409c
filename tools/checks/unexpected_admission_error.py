"""Pods failed at the kubelet's door because it had no GPU to give.

## What it means
The scheduler placed the pod, and the kubelet could not allocate the device: the device plugin had not registered yet after a
restart, or the GPU had been marked unhealthy. Such pods stay behind as Failed.

## Why it hurts
The replica is missing until its controller makes another; where the GPU is unhealthy the next one fails too.

## What would rule it out
A failed pod with another reason (Evicted, NodeLost), or one that failed days ago. Where all replicas that are wanted are ready since, the
failed pods are left over and nothing is wrong.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.finding import Remedy
from tools.signals import POD_AGE, REPLICAS_READY, REPLICAS_WANTED
from tools.vocabulary.autoscaling import FAILED_REASON


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when pods of the last day failed with UnexpectedAdmissionError."""
    failed = []
    for reason in now.each(FAILED_REASON.now):
        if not reason.text.startswith("UnexpectedAdmissionError"):
            continue
        age = now.of(reason.subject, POD_AGE.now)
        if age is None:
            now[POD_AGE.now]  # raises: whether it is old cannot be seen
            continue
        if age.number <= limits["recent"]:
            failed.append((reason, age))
    if not failed:
        return None
    reason, age = min(failed, key=lambda one: one[1].number)
    count = counted([one for one, _ in failed], "Pods failed for lack of a device", "pods", now.subject)
    said = "{count} failed at admission, the last one created {age} ago: {reason}"
    wanted, ready = now.get(REPLICAS_WANTED.now), now.get(REPLICAS_READY.now)
    if wanted is not None and ready is not None and ready.number >= max(1.0, wanted.number):
        # Others took their places: what lies there is litter, and red.
        said += ". All {wanted} that are wanted are ready since: nothing is missing."
        return because(said, ready, count=count, age=age, reason=reason, wanted=wanted, severity="info")
    return because(said, count=count, age=age, reason=reason)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Clear the failed pods once the devices are back."""
    return (
        Remedy(
            "Look at the node's GPUs first: `kubectl get node NODE -o jsonpath={.status.allocatable}` must show nvidia.com/gpu. If it is short, see the"
            " device plugin's log for a GPU that it marked unhealthy.",
            verify="The node's allocatable GPUs equal its capacity.",
            cites=("gpu/xid-errors", "kubernetes/pending-gpu-pods"),
        ),
        Remedy(
            "Then delete the failed pods; their controller makes new ones.",
            verify="No pod of the workload is Failed.",
            cites=("kubernetes/pending-gpu-pods",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="medium",
    needs=(FAILED_REASON.now, POD_AGE.now),
    helps=(REPLICAS_WANTED.now, REPLICAS_READY.now),
    limits={"recent": Limit(86_400, "seconds", "a day: failed pods may lie around for weeks")},
    fires=fires,
    remedies=remedies,
    pages=("kubernetes/pending-gpu-pods", "gpu/xid-errors"),
    owner="platform",
)
