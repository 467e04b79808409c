"""The kernel killed the container because it used more memory than its limit.

## What it means
This is the host's memory, not the GPU's: the container's processes, its page cache that cannot be dropped, and everything in a
memory-backed /dev/shm count against the limit of the pod. An init container that downloads weights, or a sidecar, is killed by its own limit.
Ray looks at the same memory and ends its newest worker at 95 % of it, before the kernel would: then no container restarts.

## Why it hurts
The kill is instant. Every request on the replica is lost, and the model loads again for minutes, if it gets that far.

## What would rule it out
An exit code 137 without the reason OOMKilled and without a kill counted in the container: that is a probe, an eviction or a kill by hand.
"""

from tools import failing_replicas
from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import of_container, recent
from tools.families import FAILING, QUEUEING, UNEQUIPPED
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import (
    EXIT_CODE,
    LIVED_FOR,
    MEM_WORKING_SET,
    MEMORY_LIMIT,
    OOM_EVENTS,
    POD_READY,
    RESTARTS,
    SHM_SIZE,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)
from tools.vocabulary.startup import LOG_MEMORY_MONITOR, TOLD_LIMIT, TOLD_OF

GIB = 2.0**30


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's container was OOMKilled lately, or one fails its requests since Ray ends its workers for their memory."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled":
            # What is measured and declared of the serving container says nothing of another.
            told = now.of(crash.code.subject, TOLD_OF.now)
            part = told is not None and bool(told.text)
            cap = now.of(crash.code.subject, TOLD_LIMIT.now if part else MEMORY_LIMIT.now)
            also = (
                now.of(crash.code.subject, LIVED_FOR.now),
                None if part else now.of(crash.code.subject, MEM_WORKING_SET.max("1h")),
                now.of(crash.code.subject, RESTARTS.now),
                None if part else now.get(OOM_EVENTS.increase("1h")),
            )
            said = "{code_of} was OOMKilled (exit code {code}) {ago} ago"
            if cap is None:
                return of_container(now, because(said + ".", crash.reason, *also, code=crash.code, ago=crash.ago))
            said += " under a memory limit of {cap}."
            return of_container(now, because(said, crash.reason, *also, code=crash.code, ago=crash.ago, cap=cap))
    return _one_of_its_processes(now, limits) or failing_replicas.said_while_ready(
        now, limits["errors"], LOG_MEMORY_MONITOR
    )


def _one_of_its_processes(now: Now, limits: Limits) -> Because | None:
    """The kernel took a worker, and the server ended itself over it: then the container's reason is no OOMKilled."""
    for crash in recent(now, limits["recent"]):
        killed = now.of(crash.code.subject, OOM_EVENTS.increase("1h"))
        if crash.reason.text != "OOMKilled" and killed is not None and killed.number >= 1:
            said = "{code_of} ended with exit code {code} {ago} ago, and within 1 h the kernel killed processes in it for its memory limit ({killed})."
            cap = now.of(crash.code.subject, MEMORY_LIMIT.now)
            return because(said, crash.reason, cap, code=crash.code, ago=crash.ago, killed=killed)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Raise the limit to what loading needs, or need less."""
    part = now.get(TOLD_OF.now)
    if part is not None and part.text:
        return (_of_another(part.text, now.get(TOLD_LIMIT.now)),)
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


def _of_another(whom: str, cap: Reading | None) -> Remedy:
    change = None
    if cap is not None and cap.number < float("inf"):
        change = Change(f"memory limit of the {whom}", f"{cap.number / GIB:g}Gi", f"{-(-2 * cap.number // GIB):.0f}Gi")
    return Remedy(
        f"Raise the memory limit of the {whom}, which has a limit of its own: the serving container's does not help it. What downloads"
        " weights holds several files at once and their page cache: fewer parallel downloads need less (KServe sets it in the"
        " ClusterStorageContainer or the inferenceservice-config ConfigMap).",
        change,
        f"The {whom} ends with exit code 0, and the pod turns ready.",
        ("kubernetes/host-memory-limits", "platform/model-weight-storage"),
    )


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
        TOLD_OF.now,
        TOLD_LIMIT.now,
        LOG_MEMORY_MONITOR.now,
        POD_READY.now,
        *failing_replicas.HELPS,
    ),
    limits={
        **failing_replicas.LIMITS,
        "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
    },
    fires=fires,
    explains=(*QUEUEING, *FAILING, *UNEQUIPPED),
    remedies=remedies,
    pages=("kubernetes/host-memory-limits", "gpu/out-of-memory-kinds", "kubernetes/exit-codes-and-terminations"),
    owner="platform",
)
