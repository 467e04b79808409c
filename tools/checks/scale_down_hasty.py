"""Replicas are taken away sooner than new ones can start.

## What it means
The scale-down window of the autoscaler is shorter than the slowest start that was seen.

## Why it hurts
A pause of a few minutes removes a replica, and the next wave waits for a whole cold start. The autoscaler flaps, and
each flap costs GPU-minutes in which nothing is served.

## What would rule it out
A window longer than the start, or starts of seconds.
"""

from tools.asked import asking
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.vocabulary.autoscaling import HPA_CALM, STARTUP_TOOK


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the window is shorter than the measured start."""
    window = now[HPA_CALM.now]
    took = now.worst(STARTUP_TOOK.now)
    if window.number >= limits["times"] * took.number:
        return None
    return because("The scale-down window is {window}, and a start took {took}.", window=window, took=took)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A window of twice the start."""
    took = now.worst(STARTUP_TOOK.now).number
    wanted = min(3600, max(600, 60 * int(2 * took // 60 + 1)))
    return (
        Remedy(
            "Wait at least twice a start before a replica goes, one at a time. Copy: "
            f"`spec: {{behavior: {{scaleDown: {{stabilizationWindowSeconds: {wanted}, policies: [{{type: Pods, value: 1, periodSeconds: 120}}]}}}}}}`",
            Change("scaleDown.stabilizationWindowSeconds", f"{now[HPA_CALM.now].number:.0f}", f"{wanted}"),
            "changes(kube_horizontalpodautoscaler_status_desired_replicas[1h]) falls.",
            ("kubernetes/autoscaling-llm-serving", "deployment-readiness/autoscaling"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(HPA_CALM.now, STARTUP_TOOK.now),
    fires=fires,
    remedies=remedies,
    limits={"times": Limit(1.0, "times", "a replica that goes should not be missed before it could be back")},
    pages=("kubernetes/autoscaling-llm-serving", "deployment-readiness/autoscaling"),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        *asking(
            r"\bscal\w* (?:down|in)\b[^.?!]{0,60}\b(?:fast|soon|quick\w*|hast\w*|eager\w*|early|aggressive\w*)\b",
            60,
        ),
        r"\bstabili[sz]ation ?window\b",
    ),
)
