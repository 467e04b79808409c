"""The autoscaler has no room to act.

## What it means
Its minimum equals its maximum.

## Why it hurts
It looks as if the workload scaled, and it never does: the peak meets the same replicas as the night.

## What would rule it out
Bounds that differ, or a number that is held on purpose for a while.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import paste
from tools.signals import HPA_MAX, HPA_MIN


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where the bounds leave nothing between them."""
    low, high = now[HPA_MIN.now], now[HPA_MAX.now]
    if low.number < high.number:
        return None
    return because("The autoscaler keeps {low} at least and {high} at most.", low=low, high=high)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(HPA_MIN.now, HPA_MAX.now),
    fires=fires,
    remedies=paste(
        "Set the floor for the quiet hours and the ceiling by the GPUs and the money that are there.",
        "spec: {minReplicas: 2, maxReplicas: 8}",
        "Over a day the replicas follow the load.",
        "kubernetes/autoscaling-llm-serving",
        "deployment-readiness/autoscaling",
    ),
    pages=("kubernetes/autoscaling-llm-serving", "deployment-readiness/autoscaling"),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\bmin(?:imum|[ -]?replicas)?\b[^.?!]{0,30}\b(?:equals?|same|identical|and)\b[^.?!]{0,20}\bmax",
        r"\b(?:autoscal\w*|hpas?|keda)\b[^.?!]{0,40}\b(?:room|range|leeway|free) (?:to (?:act|move|scale|grow|do)|at all)",
    ),
)
