"""The engine runs out of GPU memory while it loads the model.

## What it means
The container ends with a CUDA out-of-memory error before it has served anything: the weights, with what start-up needs beside
them, do not fit into what the GPU has free. A server with workers of its own (TorchServe, Triton) may run on, and start them over and over.

## Why it hurts
It will end the same way at every restart. Nothing comes up until the model, the GPUs or the other tenant of the GPU change.

## What would rule it out
A log that shows it had served before the error, or a termination by the kernel (OOMKilled): that is the host's memory.
"""

from tools import engine_changes
from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.crashes import log_line, recent
from tools.engines import Key
from tools.failed_starts import LIMITS, standing
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import (
    EXIT_CODE,
    GPU_MEM_UTILIZATION,
    GPU_REQUEST,
    LOG_CUDA_OOM,
    LOG_SERVING,
    POD_READY,
    RESTARTS,
    RUNNING_FOR,
    TENSOR_PARALLEL,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended lately, or runs without being ready, with a CUDA out-of-memory line and no sign of having served."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled":
            continue
        line = log_line(now, crash, LOG_CUDA_OOM)
        if line.text and not log_line(now, crash, LOG_SERVING).text:
            return because(
                "{code_of} ended with exit code {code} {ago} ago before it served anything; its log says: {line}",
                crash.reason,
                now.get(RESTARTS.now),
                now.get(TENSOR_PARALLEL.now),
                code=crash.code,
                ago=crash.ago,
                line=line,
            )
    return standing(now, limits["standing"], LOG_CUDA_OOM)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Spread the weights, shrink them, or find who else holds the memory."""
    parallel, held = now.get(TENSOR_PARALLEL.now), now.get(GPU_REQUEST.now)
    width = int(parallel.number) if parallel is not None else 1
    verify = "The log reaches the line with the size of the KV cache, and the pod turns ready."
    spread = Change(engine_changes.option(now, Key.TENSOR_PARALLEL), str(width), str(width * 2))
    found = [
        Remedy(
            "Spread the weights over more GPUs; the pod must request as many, and the size must divide the attention heads.",
            spread,
            verify,
            ("serving/tensor-parallelism", "gpu/memory-accounting"),
        ),
        Remedy(
            "Or load a quantised checkpoint (FP8 halves the weights of BF16).", None, verify, ("serving/quantization",)
        ),
        Remedy(
            "If the server starts several workers on one GPU (TorchServe's minWorkers, the count of Triton's instance_group), each loads the"
            " whole model: start as many as fit.",
            None,
            verify,
            ("gpu/memory-accounting",),
        ),
        Remedy(
            "If the message names another process on the GPU, that one holds the memory: two engines must share it by their"
            " --gpu-memory-utilization, which together stay below 1.",
            None,
            verify,
            ("gpu/out-of-memory-kinds",),
        ),
    ]
    if held is not None and parallel is not None and held.number < width * 2:
        found[0] = Remedy(
            found[0].text,
            Change(f"resources.limits.nvidia.com/gpu and {spread.what}", str(width), str(width * 2)),
            verify,
            found[0].cites,
        )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, LOG_CUDA_OOM.now, LOG_SERVING.now),
    helps=(
        WAITING_REASON.now,
        RESTARTS.now,
        TENSOR_PARALLEL.now,
        GPU_REQUEST.now,
        GPU_MEM_UTILIZATION.now,
        POD_READY.now,
        RUNNING_FOR.now,
        *engine_changes.HELPS,
    ),
    limits=LIMITS,
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("gpu/out-of-memory-kinds", "gpu/memory-accounting"),
    owner="ml platform",
)
