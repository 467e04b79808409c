"""The container's shared memory is too small for its worker processes.

## What it means
Workers of a tensor-parallel engine talk through /dev/shm. A container gets 64 MiB there unless a volume is mounted, and NCCL or the
engine fails when a segment does not fit. Triton's Python models pass every tensor through it, and outgrow it while they serve.

## Why it hurts
The engine fails at start, dies with a bus error at the first large exchange, or fails each request that needs more. No restart mends it.

## What would rule it out
A memory-backed volume of some GiB at /dev/shm, or a log without a shared-memory error.
"""

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import log_line, needed, recent
from tools.families import FAILING, named
from tools.finding import Change, Remedy
from tools.reading import Subject
from tools.signals import (
    EXIT_CODE,
    GPU_REQUEST,
    LOG_SHM,
    POD_READY,
    SHM_SIZE,
    TENSOR_PARALLEL,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended lately, or is ready and fails its requests, with a shared-memory error, and its /dev/shm is small."""
    for crash in recent(now, limits["recent"]):
        size = needed(now, crash.code, SHM_SIZE.now)
        if size.number >= limits["size"]:
            continue
        line = log_line(now, crash, LOG_SHM)
        if line.text:
            return because(
                "{code_of} ended with exit code {code} {ago} ago; /dev/shm has {size}, and its log says: {line}",
                now.get(TENSOR_PARALLEL.now),
                now.get(GPU_REQUEST.now),
                code=crash.code,
                ago=crash.ago,
                size=size,
                line=line,
            )
    return _ready_and_full(now, limits)


def _ready_and_full(now: Now, limits: Limits) -> Because | None:
    """A server whose workers find no room for the tensors of a request, and whose health endpoint asks for none."""
    small: list[Subject] = []
    for ready, errors in failing_replicas.failing(now, limits["errors"]):
        size, line = now.of(ready.subject, SHM_SIZE.now), now.of(ready.subject, LOG_SHM.now)
        if size is None or size.number >= limits["size"]:
            continue
        small.append(ready.subject)
        if line is not None and line.text:
            said = "{errors_of} counts as ready and failed {errors} within 10 min; /dev/shm has {size}, and its log says: {line}"
            return because(said, ready, errors=errors, size=size, line=line)
    failing_replicas.unread(now, small, LOG_SHM)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Mount a memory-backed volume at /dev/shm."""
    return (
        Remedy(
            "Mount an emptyDir with medium Memory at /dev/shm, and raise the memory limit by as much: its pages are charged to the pod.",
            Change("volume at /dev/shm", "none or too small", "emptyDir {medium: Memory, sizeLimit: 8Gi}"),
            "The engine starts on all its GPUs, and df shows the new size of /dev/shm in the container.",
            ("kubernetes/shared-memory",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="high",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, SHM_SIZE.now, LOG_SHM.now),
    helps=(WAITING_REASON.now, TENSOR_PARALLEL.now, GPU_REQUEST.now, POD_READY.now, *failing_replicas.HELPS),
    limits={
        **failing_replicas.LIMITS,
        "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
        "size": Limit(2**30, "bytes", "1 GiB; the container default is 64 MiB"),
    },
    fires=fires,
    explains=(*named("nccl_init_failure"), *FAILING),
    remedies=remedies,
    pages=("kubernetes/shared-memory",),
    owner="platform",
)
