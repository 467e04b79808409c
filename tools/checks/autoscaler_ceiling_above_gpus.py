"""The autoscaler's maximum needs more GPUs than the cluster has.

## What it means
The maximum times the GPUs of a replica is more than all allocatable GPUs together.

## Why it hurts
At the peak the autoscaler asks for pods that stay Pending: the ceiling that people count on does not exist.

## What would rule it out
Nodes that an autoscaler adds, as far as quota and the market have them.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import CLUSTER_GPUS_TOTAL, GPU_REQUEST, HPA_MAX


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where the ceiling does not fit into the cluster."""
    high = now[HPA_MAX.now]
    gpus = now.worst(GPU_REQUEST.now)
    if gpus.number <= 0:
        return None
    total = now[CLUSTER_GPUS_TOTAL.now]
    if high.number * gpus.number <= total.number:
        return None
    return because(
        "The autoscaler may ask for {high} of {gpus} each, and the cluster has {total} in all.",
        high=high,
        gpus=gpus,
        total=total,
    )


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Lower the ceiling to what fits, or order GPUs."""
    high, fits = now[HPA_MAX.now].number, now[CLUSTER_GPUS_TOTAL.now].number // now.worst(GPU_REQUEST.now).number
    return (
        Remedy(
            f"Bring ceiling and capacity together: more GPUs, or the ceiling that fits. Copy: `spec: {{maxReplicas: {fits:.0f}}}`",
            Change("maxReplicas", f"{high:.0f}", f"{fits:.0f}"),
            "A scale-up to the ceiling in a test leaves no pod Pending.",
            ("deployment-readiness/autoscaling", "infrastructure-audit/scalability-and-efficiency"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(HPA_MAX.now, GPU_REQUEST.now, CLUSTER_GPUS_TOTAL.now),
    fires=fires,
    remedies=remedies,
    pages=("deployment-readiness/autoscaling", "infrastructure-audit/scalability-and-efficiency"),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:could|can|would|will|does|do|ever)\b[^.?!]{0,60}\b(?:reach|scale (?:up )?to|grow to|get to|go to)\b[^.?!]{0,30}\b(?:max\w*|ceiling|upper (?:limit|bound))",
        r"(?:max[ -]?replicas|\bmaximum|\bceiling|upper (?:limit|bound))[^.?!]{0,80}\b(?:gpus?|cards?|capacity|cluster|hardware)\b[^.?!]{0,40}\b(?:enough|have|has|own|exist|carry|hold|for)\b",
        r"\benough (?:gpus?|cards?|capacity)\b[^.?!]{0,60}\b(?:max\w*|ceiling|all (?:of )?(?:its|the|those) replicas)",
    ),
)
