"""Requests wait for a place in the batch although the KV cache has room.

## What it means
The engine runs no more sequences at once than it is allowed to, by a limit that is set or by its version's default. All places are
taken, requests wait, and much of the memory for their keys and values stays empty.

## Why it hurts
Users wait in a queue beside an idle GPU, and each token costs more than it had to.

## What would rule it out
A cache that is nearly full (then memory is the limit), fewer sequences running than allowed, or nothing that waits.
"""

from tools import engine_changes
from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.engines import Key
from tools.finding import Remedy
from tools.signals import GENERATION_TOKENS, GPU_UTIL, KV_USAGE, MAX_NUM_SEQS, REQUESTS_RUNNING, REQUESTS_WAITING
from tools.vocabulary.configuration import CONFIGURED_BY

RUNNING = REQUESTS_RUNNING.avg("10m")
WAITING = REQUESTS_WAITING.min("5m")
CACHE = KV_USAGE.max("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where a replica is at its limit of sequences, its queue never empties, and its cache has room."""
    for waiting in now.each(WAITING):
        if waiting.number < limits["waiting"]:
            continue
        replica = waiting.subject
        cache = now.of(replica, CACHE) or now[CACHE]
        running = now.of(replica, RUNNING) or now[RUNNING]
        if cache.number >= limits["cache"] or running.number < 1:
            continue
        cap = now.of(replica, MAX_NUM_SEQS.now) or now[MAX_NUM_SEQS.now]
        if running.number < limits["full"] * cap.number:
            continue
        return because(
            "{running_of} runs {running} on average, its limit is {cap}, and its queue never fell below {waiting} although the"
            " KV cache was never above {cache} full.",
            now.get(GENERATION_TOKENS.rate("5m")),
            now.get(GPU_UTIL.avg("10m")),
            now.get(CONFIGURED_BY.now),
            running=running,
            cap=cap,
            waiting=waiting,
            cache=cache,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Raise the limit to what the cache holds at the lengths seen now."""
    cap, cache = now.get(MAX_NUM_SEQS.now), now.get(CACHE)
    change = None
    if cap is not None and cache is not None:
        # At the lengths of now the cache holds so many; four fifths of it leave room for longer ones.
        fits = cap.number / max(cache.number, 0.02) * 0.8
        to = f"{max(cap.number + 1, min(fits, cap.number * 8)):.0f}"
        change = engine_changes.change(now, Key.MAX_NUM_SEQS, MAX_NUM_SEQS.now, to)
    return (
        Remedy(
            "Let the engine batch more: at today's lengths the KV cache has room for it. Each step of decoding then takes a little"
            " longer, so watch the inter-token latency against its objective.",
            change,
            "Nothing waits, running requests rise, the KV cache stays below 80 %, and inter-token latency keeps its objective.",
            ("serving/continuous-batching", "serving/kv-cache"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(WAITING, CACHE, RUNNING, MAX_NUM_SEQS.now),
    helps=(GENERATION_TOKENS.rate("5m"), GPU_UTIL.avg("10m"), *engine_changes.HELPS),
    limits={
        "waiting": Limit(1, "requests", "one request that always waits is a queue that never empties"),
        "cache": Limit(0.5, "ratio", "with half of the cache free the memory is not what limits the batch"),
        "full": Limit(
            0.9, "ratio", "places change hands between samples, so an average stays a little below the limit"
        ),
    },
    fires=fires,
    explains=tuple(
        map(Explains, ("ttft_breach_queueing", "small_batches", "abort_spike", "overload_rejections", "hpa_at_max"))
    ),
    remedies=remedies,
    pages=("serving/continuous-batching", "serving/queueing-and-admission"),
    owner="ml platform",
)
