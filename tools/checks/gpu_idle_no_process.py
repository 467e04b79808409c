"""GPUs are allocated and nothing runs on them.

## What it means
A pod holds GPUs, yet for an hour no kernel ran on them and hardly any memory was used: no process has even opened them. Often
a notebook, a debug container, or an engine that uses fewer GPUs than its pod requests.

## Why it hurts
The scheduler counts them as taken. They cost as much as a busy GPU and keep others pending.

## What would rule it out
Memory in use (then a model is loaded and waits for traffic), any busy time, or a container that started less than an hour ago.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, Unseen, because, counted
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import GPU_MEM_USED, GPU_REQUEST, GPU_UTIL, RUNNING_FOR, TENSOR_PARALLEL

BUSY = GPU_UTIL.max("1h")
MEMORY = GPU_MEM_USED.max("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when some of the subject's GPUs were neither busy nor filled for an hour of their container's life."""
    idle: list[Reading] = []
    memories: list[Reading] = []
    for busy in now.each(BUSY):
        if busy.number > limits["busy"]:
            continue
        memory = now.of(busy.subject, MEMORY)
        if memory is None:
            raise Unseen(now[MEMORY])
        if memory.number < limits["memory"]:
            idle.append(busy)
            memories.append(memory)
    if not idle or now.least(RUNNING_FOR.now).number < limits["settled"]:
        return None
    return because(
        "{count} of this workload were busy {busy} of the last hour at most and never held more than {memory}.",
        now.get(GPU_REQUEST.now),
        now.get(TENSOR_PARALLEL.now),
        now.get(RUNNING_FOR.now),
        count=counted(idle, "Allocated GPUs without a process", "GPUs", now.subject),
        busy=max(idle, key=lambda reading: reading.number),
        memory=max(memories, key=lambda reading: reading.number),
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Use what is held, or hold less."""
    wanted, parallel = now.get(GPU_REQUEST.now), now.get(TENSOR_PARALLEL.now)
    verify = "Every GPU of the workload holds memory, or fewer are allocated."
    if wanted is not None and parallel is not None and 1 <= parallel.number < wanted.number:
        return (
            Remedy(
                "The engine uses fewer GPUs than the pod holds: request as many as it uses, or let it use all.",
                Change("resources.limits.nvidia.com/gpu", f"{wanted.number:.0f}", f"{parallel.number:.0f}"),
                verify,
                ("gpu/idle-gpus", "serving/tensor-parallelism"),
            ),
        )
    return (
        Remedy(
            "Ask the owner whether it is still needed; if not, scale it down. For notebooks set a time limit, or a MIG slice.",
            verify=verify,
            cites=("gpu/idle-gpus", "gpu/mig-and-sharing"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(BUSY, MEMORY, RUNNING_FOR.now),
    helps=(GPU_REQUEST.now, TENSOR_PARALLEL.now),
    limits={
        "busy": Limit(0.0, "ratio", "not one kernel"),
        "memory": Limit(600 * 2**20, "bytes", "an unused GPU shows up to some 600 MiB, by driver and ECC"),
        "settled": Limit(3600, "seconds", "the window that is looked at"),
    },
    fires=fires,
    remedies=remedies,
    pages=("gpu/idle-gpus",),
    owner="platform",
)
