"""The engine runs out of GPU memory while it serves.

## What it means
It had loaded and served; then one step asked for more GPU memory than was left beside the weights and the KV cache. A long
prompt, log probabilities, an image, or a second process on the GPU makes such a peak.

## Why it hurts
The engine dies with every request that it was serving, and it may happen again with the next such request. A server that lives on
fails request after request while it counts as ready.

## What would rule it out
A log that shows no request served before the error (then the model does not fit), or a termination by the kernel (OOMKilled).
"""

from tools import engine_changes, failing_replicas
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import log_line, recent
from tools.engines import Key
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.signals import (
    EXIT_CODE,
    GPU_MEM_UTILIZATION,
    LIVED_FOR,
    LOG_CUDA_OOM,
    LOG_SERVING,
    POD_READY,
    REQUEST_TOKENS,
    RESTARTS,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica that had served ended lately with a CUDA out-of-memory line, or is ready and fails its requests with it."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled":
            continue
        line = log_line(now, crash, LOG_CUDA_OOM)
        if not line.text:
            continue
        served = log_line(now, crash, LOG_SERVING)
        if served.text:
            return because(
                "{code_of} had served when it ended with exit code {code} {ago} ago; its log says: {line}",
                now.of(crash.code.subject, LIVED_FOR.now),
                now.get(RESTARTS.now),
                now.get(REQUEST_TOKENS.p95("30m")),
                served,
                code=crash.code,
                ago=crash.ago,
                line=line,
            )
    return failing_replicas.said_while_ready(now, limits["errors"], LOG_CUDA_OOM)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Leave more room for peaks, or make the peaks smaller."""
    share = now.get(GPU_MEM_UTILIZATION.now)
    before = share.number if share is not None else 0.9
    verify = "No restart over a day with the same traffic; the KV cache still has room at peak."
    return (
        Remedy(
            "Leave more of the GPU free for a step's peak. The KV cache shrinks by as much.",
            engine_changes.change(
                now,
                Key.GPU_MEMORY_UTILIZATION,
                GPU_MEM_UTILIZATION.now,
                f"{before - 0.05:.2f}",
                "not set (0.9 to 0.92 by version)",
            ),
            verify,
            ("gpu/out-of-memory-kinds", "gpu/memory-accounting"),
        ),
        Remedy(
            "Or make the peak smaller: a lower --max-num-batched-tokens, a limit on images per prompt, no log probabilities for long prompts.",
            None,
            verify,
            ("gpu/out-of-memory-kinds",),
        ),
        Remedy(
            "Make sure that nothing else uses this GPU.",
            None,
            "Only the engine's process holds its memory.",
            ("gpu/mig-and-sharing",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, LOG_CUDA_OOM.now, LOG_SERVING.now),
    helps=(
        WAITING_REASON.now,
        LIVED_FOR.now,
        RESTARTS.now,
        REQUEST_TOKENS.p95("30m"),
        GPU_MEM_UTILIZATION.now,
        *engine_changes.HELPS,
        POD_READY.now,
        *failing_replicas.HELPS,
    ),
    limits={
        "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
        **failing_replicas.LIMITS,
    },
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("gpu/out-of-memory-kinds", "gpu/memory-accounting"),
    owner="ml platform",
)
