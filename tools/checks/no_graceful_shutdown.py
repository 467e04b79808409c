"""A replica that is told to stop drops the requests it is answering.

## What it means
No preStop hook waits until routes have forgotten the pod, and the grace period is the 30 s that Kubernetes grants by itself, or
less than long answers take.

## Why it hurts
Each rollout, scale-in and drain ends answers in the middle; users see errors that no metric of the engine counts.

## What would rule it out
A preStop hook, and a grace period above the longest answer.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.rules import NONE
from tools.vocabulary.manifests import GRACE, PRESTOP


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where nothing waits before the stop and the grace period is short."""
    grace = now[GRACE.now]
    if grace.number > limits["grace"]:
        return None
    hook = now.worst(PRESTOP.now)
    if hook.value != NONE:
        return None
    return because("{grace_of} is stopped without a preStop hook and killed after {grace}.", hook, grace=grace)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    grace = now.get(GRACE.now)
    return (
        Remedy(
            "Let a preStop hook sleep for some 15 s, so that routes forget the pod first, and grant more than the longest answer takes.",
            Change("terminationGracePeriodSeconds", f"{grace.number:.0f}" if grace else "30", "120"),
            "A rollout under load ends without an error at the gateway.",
            ("platform/kubernetes-deployment-for-vllm", "kubernetes/exit-codes-and-terminations"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(GRACE.now, PRESTOP.now),
    limits={"grace": Limit(30, "seconds", "what Kubernetes grants where nobody sets it; long answers take more")},
    fires=fires,
    remedies=remedies,
    pages=("platform/kubernetes-deployment-for-vllm",),
    phase=1,
    owner="platform",
    rule=True,
)
