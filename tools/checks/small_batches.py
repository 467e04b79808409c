"""The demand is spread over more replicas than it fills.

## What it means
Decoding reads all weights for every step, so a step with two sequences costs nearly as much as one with fifty. Together even the
peaks of all replicas are a load that one of them would carry.

## Why it hurts
Each token costs a multiple of what it could.

## What would rule it out
Concurrency near what the KV cache can hold, one or two replicas, or no traffic at all. Where an engine's own limit makes requests
wait, that is another failure mode.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GENERATION_TOKENS, GPU_UTIL, KV_USAGE, REQUESTS_RUNNING

RUNNING = REQUESTS_RUNNING.avg("10m")
PEAK = REQUESTS_RUNNING.max("1h")
CACHE = KV_USAGE.max("10m")
TOKENS = GENERATION_TOKENS.rate("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when many replicas share what one could serve."""
    cache = now.worst(CACHE)
    if cache.number >= limits["cache"]:
        return None
    tokens = now.total(TOKENS)
    if tokens.number <= 0:
        return None
    running = now.worst(RUNNING)
    peaks = now.each(PEAK)
    total = now.total(PEAK)
    if len(peaks) < limits["replicas"] or not (total.number < limits["together"] or _fits_in_one(now, total, limits)):
        return None
    return because(
        "Even the peaks of the last hour add up to {total} over all replicas, and no cache was above {cache}.",
        tokens,
        running,
        now.get(GPU_UTIL.avg("10m")),
        total=total,
        cache=cache,
    )


def _fits_in_one(now: Now, total: Reading, limits: Limits) -> bool:
    """Whether many replicas run a few requests each, and what all of them keep would leave half of one cache free."""
    peaks = now.each(PEAK)
    few = total.number < limits["each"] * len(peaks) and max(one.number for one in peaks) < limits["burst"]
    return (
        few
        and total.number < limits["batch"]
        and len(peaks) >= limits["many"]
        and now.total(CACHE).number < limits["fits"]
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Fewer replicas."""
    return (
        Remedy(
            "Serve this demand with fewer replicas, keeping one more than the peak needs.",
            verify="Time to first token and inter-token latency stay within their objectives for a day.",
            cites=("serving/continuous-batching", "gpu/idle-gpus"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(CACHE, TOKENS, RUNNING, PEAK),
    helps=(GPU_UTIL.avg("10m"),),
    limits={
        "cache": Limit(0.5, "ratio", "with half of the cache free the memory is not what limits the batch"),
        "replicas": Limit(3, "replicas", "two replicas are redundancy, not waste"),
        "together": Limit(8, "requests", "a single replica of any current GPU runs this many"),
        "many": Limit(4, "replicas", "from four on, few requests each are no accident of the hour"),
        "each": Limit(4, "requests", "fewer at a time leave a decode step nearly as dear as a full one"),
        "burst": Limit(8, "requests", "a replica that had these at once was filled for a moment"),
        "batch": Limit(32, "requests", "a batch that one replica decodes within the usual inter-token latency"),
        "fits": Limit(
            0.5,
            "ratio",
            "half of one cache holds what all replicas keep at their peaks: the memory would not limit one's batch either",
        ),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/continuous-batching", "gpu/utilization-and-what-it-hides"),
    owner="ml platform",
)
