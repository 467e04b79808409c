"""Requests wait for their adapter, not for room.

## What it means
The engine defers requests although the cache has room: more adapters are asked for than it can hold at once, or a transfer of the cache is
awaited.

## Why it hurts
Adapters are loaded and dropped in turns, and requests of the rarer ones starve.

## What would rule it out
A full KV cache, or requests that wait for capacity.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.signals import KV_USAGE, REQUESTS_WAITING
from tools.vocabulary.outcomes import DEFERRED

HELD = DEFERRED.avg("10m")
FULL = KV_USAGE.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when requests stay deferred while the cache has room."""
    held = now.total(HELD)
    if held.number < limits["deferred"]:
        return None
    full = now[FULL]
    if full.number >= limits["room"]:
        return None
    return because(
        "{held} stay deferred on average over 10 min, with the KV cache {full} full.",
        now.get(REQUESTS_WAITING.now),
        held=held,
        full=full,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Hold more adapters, or send each to its own replicas."""
    return (
        Remedy(
            "Raise the number of adapters that one batch may hold, as far as GPU memory allows, and keep the rest in host memory.",
            Change("--max-loras", "as set", "the number of adapters that are in use at once"),
            "Deferred requests fall to none at the same load.",
            ("serving/continuous-batching",),
        ),
        Remedy(
            "Route each adapter to a few replicas, so that no replica has to hold them all.",
            verify="The adapters in use on each replica are fewer than its slots.",
            cites=("serving/routing-and-load-balancing",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(HELD, FULL),
    helps=(REQUESTS_WAITING.now,),
    limits={
        "deferred": Limit(3, "requests", "a sustained queue, not the noise of one poll"),
        "room": Limit(0.85, "ratio", "above, requests wait for room as well"),
    },
    fires=fires,
    explains=(Explains("ttft_breach_queueing"), Explains("abort_spike"), Explains("hpa_at_max")),
    remedies=remedies,
    pages=("serving/continuous-batching", "serving/queueing-and-admission"),
    owner="ml",
)
