"""The kernel killed the container because it used more memory than its limit.

## What it means
This is the host's memory, not the GPU's: the container's processes, its page cache that cannot be dropped, and everything in a
memory-backed /dev/shm count against the limit of the pod.

## Why it hurts
The kill is instant. Every request on the replica is lost, and the model loads again for minutes, if it gets that far.

## What would rule it out
An exit code 137 without the reason OOMKilled: that is a probe, an eviction or a kill by hand.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import recent
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import (
    EXIT_CODE,
    LIVED_FOR,
    MEM_WORKING_SET,
    MEMORY_LIMIT,
    OOM_EVENTS,
    RESTARTS,
    SHM_SIZE,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)

GIB = 2.0**30


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's container was OOMKilled lately."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled":
            cap = now.of(crash.code.subject, MEMORY_LIMIT.now)
            also = (
                now.of(crash.code.subject, LIVED_FOR.now),
                now.of(crash.code.subject, MEM_WORKING_SET.max("1h")),
                now.of(crash.code.subject, RESTARTS.now),
                now.get(OOM_EVENTS.increase("1h")),
            )
            said = "{code_of} was OOMKilled (exit code {code}) {ago} ago"
            if cap is None:
                return because(said + ".", crash.reason, *also, code=crash.code, ago=crash.ago)
            return because(
                said + " under a memory limit of {cap}.", crash.reason, *also, code=crash.code, ago=crash.ago, cap=cap
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Raise the limit to what loading needs, or need less."""
    cap, shm = now.get(MEMORY_LIMIT.now), now.get(SHM_SIZE.now)
    change = None
    if cap is not None:
        target = max(cap.number * 1.5, cap.number + 16 * GIB)
        change = Change("resources.limits.memory", f"{cap.number / GIB:g}Gi", f"{-(-target // GIB):.0f}Gi")
    found = [
        Remedy(
            "Raise the memory limit (and the request with it) to what the weights need on the host while loading, plus /dev/shm, plus"
            " 8 to 16 GiB for the engine.",
            change,
            "The working set stays below 90 % of the limit through a full load and an hour of traffic.",
            ("kubernetes/host-memory-limits",),
        ),
        Remedy(
            "Or need less: safetensors instead of pickled weights, less CPU offload and a smaller multimodal cache.",
            None,
            "The highest working set falls below the old limit.",
            ("kubernetes/host-memory-limits", "gpu/out-of-memory-kinds"),
        ),
    ]
    if shm is not None and cap is not None and GIB < shm.number < float("inf"):
        found.append(
            Remedy(
                "Count the memory-backed /dev/shm in: what is written there is charged to the pod.",
                None,
                "Limit minus /dev/shm still holds the working set.",
                ("kubernetes/shared-memory",),
            )
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="critical",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now),
    helps=(
        WAITING_REASON.now,
        MEMORY_LIMIT.now,
        LIVED_FOR.now,
        MEM_WORKING_SET.max("1h"),
        RESTARTS.now,
        OOM_EVENTS.increase("1h"),
        SHM_SIZE.now,
    ),
    limits={"recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered")},
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("kubernetes/host-memory-limits", "gpu/out-of-memory-kinds", "kubernetes/exit-codes-and-terminations"),
    owner="platform",
)
