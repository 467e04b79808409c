"""The KV cache is filling so fast that requests will soon wait.

## What it means
Usage is high already and rises steadily; at this rate it is full within half an hour. Until then latency looks fine, and after that
every new sequence displaces another. A lower usage counts where it is full sooner than a new replica would serve.

## Why it hurts
The change is sudden: a service that is healthy at 85 % queues and preempts at 95 %.

## What would rule it out
A usage that is high and steady, one that rose and has stopped, or one that is full already.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import KV_USAGE, REQUESTS_RUNNING, REQUESTS_WAITING

LEVEL = KV_USAGE.avg("5m")
RISE = KV_USAGE.slope("30m")
LATELY = KV_USAGE.slope("10m")
LOW = KV_USAGE.min("10m")
QUEUE = REQUESTS_WAITING.avg("5m")
AHEAD_S = 1800.0
# Of a usage that rises, an average over five minutes is what it was in their middle.
LAG_S = 150.0
NOISE = 0.05


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's usage is high, not full, and would be full within half an hour at its present rise, or much sooner."""
    for level in sorted(now.each(LEVEL), key=lambda reading: -reading.number):
        if level.number < limits["least"]:
            return None
        rise = now.of(level.subject, RISE) or now[RISE]
        lately = now.of(level.subject, LATELY)
        # What rose at once a while ago and stays has a slope over half an hour, too.
        pace = rise.number if lately is None else min(rise.number, lately.number)
        if pace <= 0 or _sudden(now, level, rise.number):
            continue
        if level.number >= limits["full"] or pace * AHEAD_S < limits["rise"]:
            continue
        usage = level.number + pace * LAG_S
        left = (1.0 - usage) / pace
        if left > (AHEAD_S if usage >= limits["high"] else limits["soon"]):
            continue
        queue = now.of(level.subject, QUEUE) or now[QUEUE]
        if queue.number >= limits["waiting"]:
            return None
        return because(
            "The KV cache of {level_of} was {level} full over 5 min and rises; at this rate it is full within half an hour.",
            rise,
            lately,
            queue,
            now.get(REQUESTS_RUNNING.now),
            level=level,
        )
    return None


def _sudden(now: Now, level: Reading, rise: float) -> bool:
    """Whether it rose in ten minutes by much more than half an hour's slope tells: load that came at once need not go on to grow."""
    low = now.of(level.subject, LOW)
    return low is not None and level.number - low.number > 2 * rise * (600 - LAG_S) + NOISE


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
    helps=(LATELY, LOW, REQUESTS_RUNNING.now),
    limits={
        "high": Limit(0.8, "ratio", "below, half an hour's rise is the day's tide and no cliff"),
        "least": Limit(0.6, "ratio", "below, nothing is said, however steep the rise is: it has far to go"),
        "soon": Limit(
            1200, "seconds", "20 min, in which a new replica can be too late; then a usage below high counts, too"
        ),
        "full": Limit(0.92, "ratio", "then it is full, which kv_saturation_queueing tells"),
        "rise": Limit(0.15, "ratio", "in half an hour: more than the noise of a busy cache"),
        "waiting": Limit(1, "requests", "then the cliff is reached"),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/kv-cache", "serving/queueing-and-admission"),
    owner="ml",
)
