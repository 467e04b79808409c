"""One replica is overloaded while others of the same workload have room.

## What it means
Requests are not spread by load: long-lived connections, round robin over requests of unequal cost, or an affinity that sends a
popular prefix to one place.

## Why it hurts
The capacity is there and paid for, yet the users of the hot replica wait as if it were not.

## What would rule it out
Replicas that are all busy alike: then the workload as a whole is short of capacity. A hot replica whose GPU runs at a lower clock than the
others': it is given its share and is slower with it.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING, named
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import KV_USAGE, PREFIX_CACHE_HITS, REQUESTS_RUNNING, REQUESTS_WAITING, RUNNING_FOR
from tools.vocabulary.gpu_health import SM_CLOCK

RUNNING = REQUESTS_RUNNING.avg("10m")
WAITING = REQUESTS_WAITING.avg("10m")
CLOCK = SM_CLOCK.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the busiest replica carries far more than the least busy one for 10 min."""
    running = now.each(RUNNING)
    if len(running) < 2:
        return None
    loads: list[tuple[float, Reading, Reading]] = []
    for one in running:
        waits = now.of(one.subject, WAITING) or now[WAITING]
        loads.append((one.number + waits.number, one, waits))
    loads.sort(key=lambda load: load[0])
    (low, idle, _), (high, hot, queue) = loads[0], loads[-1]
    if high - low <= limits["gap"] or high <= limits["ratio"] * (low + 1):
        return None
    if now.least(RUNNING_FOR.now).number < limits["settled"]:
        return None
    fast, slow = now.of(idle.subject, CLOCK), now.of(hot.subject, CLOCK)
    if fast is not None and slow is not None and slow.number < limits["clock"] * fast.number:
        return None  # it is given as much and gets less done: its GPU is slower
    return because(
        "{hot_of} ran {hot} with {queue} waiting, {idle_of} ran {idle}, on average over 10 min.",
        now.of(hot.subject, KV_USAGE.now),
        now.of(idle.subject, KV_USAGE.now),
        now.of(hot.subject, PREFIX_CACHE_HITS.rate("10m")),
        hot=hot,
        queue=queue,
        idle=idle,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Balance by load, cap affinities, and let connections end."""
    verify = "Running plus waiting requests per replica stay within a factor of two of each other for 10 min."
    return (
        Remedy(
            "Balance at layer 7 by outstanding requests (least request, or an inference gateway that reads the engines' queues)"
            " instead of by connection or round robin.",
            verify=verify,
            cites=("serving/routing-and-load-balancing",),
        ),
        Remedy(
            "If an affinity is wanted for the prefix cache, cap it by load so that a popular prefix may spill over;"
            " close keep-alive connections now and then so that new replicas get their share.",
            verify=verify,
            cites=("serving/routing-and-load-balancing", "serving/prefix-caching"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(RUNNING, WAITING, RUNNING_FOR.now),
    helps=(KV_USAGE.now, PREFIX_CACHE_HITS.rate("10m"), CLOCK),
    limits={
        "gap": Limit(10, "requests", "a heuristic starting point: less is the noise of small batches"),
        "ratio": Limit(
            3,
            "ratio",
            "times the least busy replica's load plus one; max over mean could never reach it with 3 replicas",
        ),
        "clock": Limit(0.85, "ratio", "GPUs of a kind under load differ by a few percent"),
        "settled": Limit(900, "seconds", "a new replica needs time to be found by clients"),
    },
    fires=fires,
    explains=(*QUEUEING, *named("hpa_at_max")),
    remedies=remedies,
    pages=("serving/routing-and-load-balancing",),
    owner="platform",
)
