"""A loaded model holds GPUs and gets no requests.

## What it means
The weights are in GPU memory and the engine is ready, but nothing was asked of it for an hour. An engine fills its share of the
memory at start, so used memory says nothing about load.

## Why it hurts
The GPUs cost the same as under full load, and others may be waiting for them.

## What would rule it out
A single finished request, a declared standby, an engine put to sleep, or a replica that only just started.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import (
    ENGINE_AWAKE,
    GPU_MEM_USED,
    GPU_UTIL,
    KEPT_WARM,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    RUNNING_FOR,
    STANDBY,
)

PEAK = REQUESTS_RUNNING.max("1h")
DONE = REQUESTS_FINISHED.increase("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when every replica has been up for an hour, holds memory, and neither ran nor finished anything."""
    peak = now.total(PEAK)
    if peak.number > 0:
        return None
    done = now.total(DONE)
    if done.number >= 1:
        return None
    age = now.least(RUNNING_FOR.now)
    if age.number < limits["settled"]:
        return None
    memory = now.total(GPU_MEM_USED.now)
    if memory.number < limits["memory"]:
        return None
    warm = now.get(KEPT_WARM.now)
    if warm is not None and warm.number:
        return None
    standby, awake, waiting = now.get(STANDBY.now), now.get(ENGINE_AWAKE.now), now.get(REQUESTS_WAITING.now)
    if (standby and standby.number) or (awake and not awake.number) or (waiting and waiting.number >= 1):
        return None
    return because(
        "{done} finished and none ran in the last hour, while {memory} of GPU memory is held.",
        peak,
        age,
        now.get(GPU_UTIL.max("1h")),
        done=done,
        memory=memory,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find out whether traffic should come; give the GPUs back if not."""
    return (
        Remedy(
            "Check whether it should get traffic: the Service's selector and endpoints, the route's weight, the model's name in the gateway.",
            verify="Requests finish on it, or its owner confirms that none should come.",
            cites=("gpu/idle-gpus", "serving/routing-and-load-balancing"),
        ),
        Remedy(
            "If none should come, scale it down or to zero; if it is a standby, say so with the annotation rackside.dev/standby.",
            verify="The GPUs show as free, or the finding is gone with the annotation in place.",
            cites=("gpu/idle-gpus", "serving/sleep-mode-and-standby"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(PEAK, DONE, RUNNING_FOR.now, GPU_MEM_USED.now),
    helps=(ENGINE_AWAKE.now, STANDBY.now, KEPT_WARM.now, REQUESTS_WAITING.now, GPU_UTIL.max("1h")),
    limits={
        "settled": Limit(3600, "seconds", "longer than any cold start, and the window that is looked at"),
        "memory": Limit(4 * 2**30, "bytes", "a CUDA context alone holds well under 1 GiB"),
    },
    fires=fires,
    remedies=remedies,
    pages=("gpu/idle-gpus", "serving/sleep-mode-and-standby"),
    owner="ml platform",
)
