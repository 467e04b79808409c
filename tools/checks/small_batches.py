"""The engine runs too few sequences at once to make use of its GPUs.

## What it means
Decoding reads all weights for every step, so a step with two sequences costs nearly as much as one with fifty. Either the
engine is not allowed to batch more, or the demand is spread over more replicas than it fills.

## Why it hurts
Each token costs a multiple of what it could, and where the limit is the engine's own, requests queue beside an idle GPU.

## What would rule it out
Concurrency near what the KV cache can hold, or no traffic at all.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import GENERATION_TOKENS, GPU_UTIL, KV_USAGE, MAX_NUM_SEQS, REQUESTS_RUNNING, REQUESTS_WAITING

RUNNING = REQUESTS_RUNNING.avg("10m")
PEAK = REQUESTS_RUNNING.max("1h")
WAITING = REQUESTS_WAITING.min("5m")
CACHE = KV_USAGE.max("10m")
TOKENS = GENERATION_TOKENS.rate("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a low batch limit makes requests wait, or when many replicas share what one could serve."""
    cache = now.worst(CACHE)
    if cache.number >= limits["cache"]:
        return None
    tokens = now.total(TOKENS)
    if tokens.number <= 0:
        return None
    waiting = now.worst(WAITING)
    cap = now.get(MAX_NUM_SEQS.now)
    running = now.worst(RUNNING)
    if waiting.number >= 1 and cap is not None and running.number >= 0.9 * cap.number:
        return because(
            "{running_of} runs {running} on average, its limit is {cap}, and at least {waiting} always waits"
            " although the KV cache was never above {cache}.",
            tokens,
            now.get(GPU_UTIL.avg("10m")),
            running=running,
            cap=cap,
            waiting=waiting,
            cache=cache,
            severity="high",
        )
    peaks = now.each(PEAK)
    total = now.total(PEAK)
    if len(peaks) < limits["replicas"] or total.number >= limits["together"]:
        return None
    return because(
        "Even the peaks of the last hour add up to {total} over all replicas, and no cache was above {cache}.",
        tokens,
        running,
        now.get(GPU_UTIL.avg("10m")),
        total=total,
        cache=cache,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Raise the limit where it holds requests back, else use fewer replicas."""
    cap, waiting = now.get(MAX_NUM_SEQS.now), now.get(WAITING)
    if cap is not None and waiting is not None and waiting.number >= 1:
        return (
            Remedy(
                "Let the engine batch more: the KV cache has room for it.",
                Change("--max-num-seqs", f"{cap.number:.0f}", f"{max(64, int(cap.number) * 4)}"),
                "Nothing waits, running requests rise, and the KV cache stays below 80 %.",
                ("serving/continuous-batching",),
            ),
        )
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
    needs=(CACHE, TOKENS, WAITING, RUNNING, PEAK),
    helps=(MAX_NUM_SEQS.now, GPU_UTIL.avg("10m")),
    limits={
        "cache": Limit(0.5, "ratio", "with half of the cache free the memory is not what limits the batch"),
        "replicas": Limit(3, "replicas", "two replicas are redundancy, not waste"),
        "together": Limit(8, "requests", "a single replica of any current GPU runs this many"),
    },
    fires=fires,
    explains=(Explains("ttft_breach_queueing"),),
    remedies=remedies,
    pages=("serving/continuous-batching", "gpu/utilization-and-what-it-hides"),
    owner="ml platform",
)
