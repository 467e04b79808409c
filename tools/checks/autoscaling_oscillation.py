"""The autoscaler keeps adding and removing replicas.

## What it means
Its wanted number went up and down again and again within the hour: the metric is noisy, the scale-down window is short, or replicas take
minutes to be ready while the autoscaler decides every 15 seconds.

## Why it hurts
Every replica that comes pays a cold start and every one that goes cuts its requests and its cache; latency swings with it.

## What would rule it out
A wanted number that follows a real rise and fall of load once, in however many steps, or that changes by one at its edge.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Change, Remedy
from tools.signals import HPA_MAX, HPA_METRICS
from tools.vocabulary.autoscaling import HPA_CALM, HPA_WANTED, STARTUP_TOOK

CROSSINGS = HPA_WANTED.crossings("1h")
HIGHEST = HPA_WANTED.max("1h")
LOWEST = HPA_WANTED.min("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the wanted number went there and back twice within the hour, by more than a replica."""
    if now[HPA_MAX.now].number <= 1:
        return None
    crossings = now[CROSSINGS]
    if crossings.number < limits["crossings"]:
        return None
    highest, lowest = now[HIGHEST], now[LOWEST]
    if highest.number - lowest.number < limits["swing"]:
        return None
    return because(
        "The wanted number went up and down between {lowest} and {highest}, with {crossings} of their middle within the hour.",
        now.get(HPA_CALM.now),
        now.get(STARTUP_TOOK.now),
        now.get(HPA_METRICS.now),
        crossings=crossings,
        lowest=lowest,
        highest=highest,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Be slow down, average the metric, and mind the cold start."""
    calm, took = now.get(HPA_CALM.now), now.get(STARTUP_TOOK.now)
    wanted = max(600.0, 2 * took.number) if took is not None else 600.0
    change = None
    if calm is not None and calm.number < wanted:
        change = Change("behavior.scaleDown.stabilizationWindowSeconds", f"{calm.number:.0f}", f"{wanted:.0f}")
    return (
        Remedy(
            "Let it come down slowly: a scale-down window of at least ten minutes and twice the time that a replica takes to be ready, one replica at"
            " a time.",
            change,
            "The wanted number changes at most twice within an hour of steady load.",
            ("kubernetes/autoscaling-llm-serving",),
        ),
        Remedy(
            "Average what it follows over some minutes (`avg_over_time(...[3m])` in the trigger's query): a gauge of waiting requests jumps with every"
            " burst.",
            verify="The metric's graph no longer crosses its target several times an hour.",
            cites=("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="medium",
    needs=(HPA_MAX.now, CROSSINGS, HIGHEST, LOWEST),
    helps=(HPA_CALM.now, STARTUP_TOOK.now, HPA_METRICS.now),
    limits={
        "crossings": Limit(4, "crossings", "there and back twice within the hour"),
        "swing": Limit(2, "replicas", "one replica more or less is an edge, not a swing"),
    },
    fires=fires,
    explains=(Explains("cold_start_amplification"), *QUEUEING),
    remedies=remedies,
    pages=("kubernetes/autoscaling-llm-serving", "serving/cold-start"),
    owner="platform",
)
