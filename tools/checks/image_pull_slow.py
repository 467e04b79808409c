"""Pulling the image takes minutes.

## What it means
Between the assignment to a node and the start of the container lies the pull of a large image, or the wait for other pulls on the
same node.

## Why it hurts
Every new replica on a fresh node is later by as much, just when traffic has risen.

## What would rule it out
A node that holds the image already, or a pull within five minutes.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.vocabulary.startup import PULL_SAID, PULL_TOOK


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pull of the last hour took, or has taken so far, longer than the limit."""
    took = now.worst(PULL_TOOK.now)
    if took.number <= limits["pull"]:
        return None
    return because("{took_of} waited {took} for its image.", now.of(took.subject, PULL_SAID.now), took=took)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the image before the pod, or make it small."""
    verify = "The event `Successfully pulled image` names less than a minute on a fresh node."
    return (
        Remedy(
            "Have the image on the node before the pod: a DaemonSet that pulls it, image streaming, or a node image with it.",
            None,
            verify,
            ("platform/container-images", "serving/cold-start"),
        ),
        Remedy(
            "Keep weights out of the image, mirror it near the cluster, and let the kubelet pull in parallel"
            " (serializeImagePulls: false).",
            None,
            verify,
            ("platform/container-images",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="medium",
    needs=(PULL_TOOK.now,),
    helps=(PULL_SAID.now,),
    limits={"pull": Limit(300, "seconds", "five minutes: an image of 20 GB at 70 MB/s")},
    fires=fires,
    explains=(Explains("cold_start_amplification"),),
    remedies=remedies,
    pages=("platform/container-images", "serving/cold-start"),
    owner="platform",
)
