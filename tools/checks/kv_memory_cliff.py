"""The KV cache is filling so fast that requests will soon wait.

## What it means
Usage is high already and has risen steadily; at this rate it is full within half an hour. Until then latency looks fine, and after that
every new sequence displaces another.

## Why it hurts
The change is sudden: a service that is healthy at 85 % queues and preempts at 95 %.

## What would rule it out
A usage that is high and steady, or one that is full already.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import KV_USAGE, REQUESTS_RUNNING, REQUESTS_WAITING

LEVEL = KV_USAGE.avg("5m")
RISE = KV_USAGE.slope("30m")
QUEUE = REQUESTS_WAITING.avg("5m")
AHEAD_S = 1800.0


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's usage is high, not full, and would be full within half an hour at its present rise."""
    for level in sorted(now.each(LEVEL), key=lambda reading: -reading.number):
        if level.number < limits["high"]:
            return None
        rise = now.of(level.subject, RISE) or now[RISE]
        if level.number >= limits["full"] or rise.number * AHEAD_S < limits["rise"]:
            continue
        if level.number + rise.number * AHEAD_S < 1.0:
            continue
        queue = now.of(level.subject, QUEUE) or now[QUEUE]
        if queue.number >= limits["waiting"]:
            return None
        return because(
            "The KV cache of {level_of} is {level} full and rising; at this rate it is full within half an hour.",
            rise,
            queue,
            now.get(REQUESTS_RUNNING.now),
            level=level,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Scale before the cliff."""
    return (
        Remedy(
            "Add a replica now, while it can still start in time, or cap what the gateway lets in at the load that is served well.",
            verify="Usage levels off below 80 %.",
            cites=("kubernetes/autoscaling-llm-serving", "serving/queueing-and-admission"),
        ),
        Remedy(
            "Let the autoscaler act on KV cache usage near 0.7 beside waiting requests, and alert at 0.8 rather than 0.95.",
            verify="At the next rise a replica is added before usage reaches 0.85.",
            cites=("kubernetes/autoscaling-llm-serving", "serving/kv-cache"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(LEVEL, RISE, QUEUE),
    helps=(REQUESTS_RUNNING.now,),
    limits={
        "high": Limit(0.8, "ratio", "below, half an hour's rise is the day's tide and no cliff"),
        "full": Limit(0.92, "ratio", "then it is full, which kv_saturation_queueing tells"),
        "rise": Limit(0.15, "ratio", "in half an hour: more than the noise of a busy cache"),
        "waiting": Limit(1, "requests", "then the cliff is reached"),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/kv-cache", "serving/queueing-and-admission"),
    owner="ml",
)
