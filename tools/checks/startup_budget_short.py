"""The probes grant a start little more time than it takes.

## What it means
The time that the startup probe (or, without one, the liveness probe) allows is less than twice the longest start that
was seen.

## Why it hurts
A slow disk, a cold image or a busy node, and the kubelet kills the container while the model loads. It never gets
ready, and loads again and again.

## What would rule it out
A budget of at least twice the slowest start.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.manifests import STARTUP_BUDGET

PERIOD_S = 10


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the budget is below the measured start times the limit."""
    budget = now.least(STARTUP_BUDGET.now)
    if budget.number == float("inf"):
        return None
    took = now.worst(STARTUP_TOOK.now)
    if took.number < limits["slow"] or budget.number >= limits["times"] * took.number:
        return None
    return because("The probes allow {budget} for a start, and the slowest took {took}.", budget=budget, took=took)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A startup probe of the right length."""
    took = now.worst(STARTUP_TOOK.now).number
    count = int(limits["times"] * took // PERIOD_S) + 1
    probe = f"startupProbe: {{httpGet: {{path: /health, port: 8000}}, periodSeconds: {PERIOD_S}, failureThreshold: {count}}}"
    return (
        Remedy(
            f"Allow twice the slowest start. Copy: `{probe}`",
            Change("startup budget", f"{now.least(STARTUP_BUDGET.now).number:.0f} s", f"{count * PERIOD_S} s"),
            "A start on a fresh node turns ready without an event Unhealthy.",
            ("kubernetes/probes-for-slow-loading", "serving/cold-start"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(STARTUP_BUDGET.now, STARTUP_TOOK.now),
    fires=fires,
    remedies=remedies,
    limits={
        "times": Limit(2.0, "times", "room for a cold image and a slow disk"),
        "slow": Limit(30.0, "seconds", "quicker starts need no budget"),
    },
    pages=("kubernetes/probes-for-slow-loading", "serving/cold-start"),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        r"\b(?:start\w*|load\w*|boot\w*|warm-?up)\b[^.?!]{0,60}\b(?:budget|margin|headroom|slack|close to (?:the|its) limit|long enough|cope)\b",
        r"\bprobes?\b[^.?!]{0,60}\b(?:margin|headroom|slack|budget|longer (?:load|start)|slower (?:disk|load|start|volume))\b|\b(?:margin|headroom|slack|budget)\b[^.?!]{0,60}\b(?:start\w*|probes?)\b",
    ),
)
