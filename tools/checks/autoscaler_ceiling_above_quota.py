"""The autoscaler's maximum needs more GPUs than the quota grants.

## What it means
The maximum times the GPUs of a replica is more than the quota of the namespace allows.

## Why it hurts
At the peak the API refuses the pods, with an event that nobody reads: the autoscaler shows the number it wants, and
the replicas stay.

## What would rule it out
A quota that covers the ceiling together with what else runs in the namespace.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import GPU_REQUEST, HPA_MAX
from tools.vocabulary.readiness import QUOTA_GPUS


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where the ceiling does not fit into the quota."""
    quota = now[QUOTA_GPUS.now]
    if quota.number == float("inf"):
        return None
    high, gpus = now[HPA_MAX.now], now.worst(GPU_REQUEST.now)
    if high.number * gpus.number <= quota.number:
        return None
    return because(
        "The autoscaler may ask for {high} of {gpus} each, and the quota grants {quota}.",
        high=high,
        gpus=gpus,
        quota=quota,
    )


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Raise the quota to the ceiling."""
    quota, wanted = now[QUOTA_GPUS.now].number, now[HPA_MAX.now].number * now.worst(GPU_REQUEST.now).number
    return (
        Remedy(
            f'Raise the quota, or lower the ceiling. Copy: `spec: {{hard: {{requests.nvidia.com/gpu: "{wanted:.0f}"}}}}`',
            Change("quota of requests.nvidia.com/gpu", f"{quota:.0f}", f"{wanted:.0f}"),
            "kubectl describe resourcequota shows room for the ceiling.",
            ("platform/kueue-and-gpu-quotas", "model-quality/scaling-and-performance"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(QUOTA_GPUS.now, HPA_MAX.now, GPU_REQUEST.now),
    fires=fires,
    remedies=remedies,
    pages=("platform/kueue-and-gpu-quotas", "model-quality/scaling-and-performance"),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        r"\bquota\b[^.?!]{0,80}\b(?:max\w*|ceiling|autoscal\w*|hpa|upper (?:limit|bound))",
        r"(?:max[ -]?replicas|\bmaximum|\bceiling|autoscal\w*|\bhpa|upper (?:limit|bound))\b[^.?!]{0,80}\bquota\b",
    ),
)
