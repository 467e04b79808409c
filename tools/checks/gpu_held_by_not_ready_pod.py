"""Pods hold GPUs without being ready to serve.

## What it means
GPUs are allocated from the moment a pod is placed. A pod that runs and is not ready pays for them and gives nothing.

## Why it hurts
The GPUs are missing elsewhere, and the fleet looks larger than it is.

## What would rule it out
A declared standby, a pod younger than a usual load, or one that ends and has requests left to finish.
"""

from dataclasses import replace

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.crashes import needed
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_REQUEST, POD_AGE, POD_PHASE, POD_READY, REQUESTS_RUNNING, RESTARTS, STANDBY
from tools.vocabulary.turned import ENDING_FOR, UNREADY_FOR

BUSY = REQUESTS_RUNNING.max("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a running pod with GPUs is older than a load takes and is not ready, or has been ending for as long with nothing to do."""
    if all(ready.number for ready in now.each(POD_READY.now)):
        return None
    standby = now.get(STANDBY.now)
    if standby is not None and standby.number:
        return None
    for ready in now.each(POD_READY.now):
        phase = needed(now, ready, POD_PHASE.now).text
        ending = _ending(now, ready, limits) if phase == "Terminating" and not ready.number else None
        if ending is not None:
            return ending
        if ready.number or phase != "Running":
            continue
        age, gpus = needed(now, ready, POD_AGE.now), needed(now, ready, GPU_REQUEST.now)
        lost = now.of(ready.subject, UNREADY_FOR.now)
        if lost is not None and lost.number <= limits["age"]:
            continue  # it served until a moment ago
        if age.number > limits["age"] and gpus.number > 0:
            found = because(
                "{gpus_of} is {age} old and not ready, and holds {gpus}.",
                ready,
                now.of(ready.subject, RESTARTS.now),
                age=age,
                gpus=gpus,
            )
            return replace(found, ahead=("readiness_never_true",))
    return None


def _ending(now: Now, ready: Reading, limits: Limits) -> Because | None:
    """A pod that was told to end long ago, holds its GPUs, and finishes no requests meanwhile."""
    since, gpus = now.of(ready.subject, ENDING_FOR.now), needed(now, ready, GPU_REQUEST.now)
    busy = now.of(ready.subject, BUSY)
    if since is None or since.number <= limits["age"] or not gpus.number or (busy is not None and busy.number):
        return None
    found = because(
        "{gpus_of} was told to end {since} ago, is not ready and still there, and holds {gpus}.",
        ready,
        busy,
        since=since,
        gpus=gpus,
    )
    return replace(found, explains=(Explains("pending_insufficient_gpu"),)) if _enough(now, gpus) else found


def _enough(now: Now, gpus: Reading) -> bool:
    """Whether its successor waits for just what it holds: no more pods wait than end, and none for more GPUs."""
    phases = now.each(POD_PHASE.now)
    waiting = [phase for phase in phases if phase.text == "Pending"]
    wants = [needed(now, phase, GPU_REQUEST.now).number for phase in waiting]
    ends = sum(phase.text == "Terminating" for phase in phases)
    return len(waiting) <= ends and all(number <= gpus.number for number in wants)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find what keeps it unready, or give the GPUs back."""
    found = fires(now, limits)
    if found is not None and "since" in found.readings:
        return (
            Remedy(
                "Look at what the pod waits for: its preStop hook, a grace period of hours, a finalizer, a volume that does not detach. Mend the hook so"
                " that it ends when the last request is done, or end the pod by hand once nothing runs in it.",
                None,
                "The pod is gone, and its GPUs are free.",
                ("kubernetes/graceful-shutdown", "gpu/idle-gpus"),
            ),
            Remedy(
                "Set terminationGracePeriodSeconds to the longest answer and some seconds, so that a hook that hangs costs minutes.",
                None,
                "The next rollout ends its old pods within the grace period.",
                ("kubernetes/graceful-shutdown",),
            ),
        )
    return (
        Remedy(
            "Look at the pod's events and log: it loads, waits for peers, restarts, or is asked by a probe that cannot succeed.",
            None,
            "The pod turns ready, or is gone.",
            ("kubernetes/probes-for-slow-loading", "serving/cold-start"),
        ),
        Remedy(
            "Until then scale the workload to what does serve, where the GPUs are wanted elsewhere.",
            None,
            "No GPU is allocated to a pod that is not ready.",
            ("gpu/idle-gpus",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(POD_READY.now, POD_PHASE.now, POD_AGE.now, GPU_REQUEST.now),
    helps=(RESTARTS.now, STANDBY.now, UNREADY_FOR.now, ENDING_FOR.now, BUSY),
    limits={"age": Limit(1800, "seconds", "half an hour: longer than a large model usually loads")},
    fires=fires,
    remedies=remedies,
    pages=("gpu/idle-gpus", "kubernetes/probes-for-slow-loading"),
    # Who asks where the cards went, or what they cost, is told of that and not of the probe.
    sign=(
        r"^(?=.*\b(?:gpus?|cards?|accelerators?|[abhlt]\d{1,3}s?)\b)(?=.*\b(?:financ\w*|bill\w*|charged?|pay(?:s|ing)?|costs?|budget|quota|capacity"
        r"|procurement|idle|grabbed|sit(?:s|ting)? on|hold(?:s|ing)?|hand(?:ed)? (?:\w+ ){0,3}(?:back|out)|taken)\b)"
    ),
    owner="ml platform",
)
