"""GPU memory runs out although PyTorch holds enough of it unused.

## What it means
PyTorch has reserved more memory than the failed request asked for, but in pieces too small for it: the allocator's pool is fragmented.

## Why it hurts
The replica dies of memory that it has. More traffic of mixed lengths brings it back sooner.

## What would rule it out
Less reserved and unused memory than was asked for: then memory is truly short.
"""

from tools import failing_replicas
from tools.check import Applies, Because, Check, Explains, Limits, Now, On, because
from tools.crashes import log_line, recent
from tools.failed_starts import LIMITS
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.quantity import quantity
from tools.signals import EXIT_CODE, POD_READY, RESTARTS, TERMINATED_AGO, TERMINATION, WAITING_REASON
from tools.vocabulary.startup import LOG_FRAGMENTS, fragments


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended lately, or is ready and fails its requests, with an out-of-memory line in which more is reserved than was asked for."""
    for crash in recent(now, limits["recent"]):
        line = log_line(now, crash, LOG_FRAGMENTS)
        if _fragmented(line.text):
            return because(
                "{code_of} ended with exit code {code} {ago} ago; its log says: {line}",
                crash.reason,
                now.get(RESTARTS.now),
                code=crash.code,
                ago=crash.ago,
                line=line,
            )
    found = failing_replicas.said_while_ready(now, limits["errors"], LOG_FRAGMENTS)
    return found if found is not None and _fragmented(found.readings["line"].text) else None


def _fragmented(line: str) -> bool:
    """Whether more is reserved and unallocated than was asked for."""
    sizes = [quantity(size) or 0.0 for size in fragments(line)]
    return len(sizes) == 2 and sizes[1] > sizes[0]


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Let segments grow instead of splitting them."""
    return (
        Remedy(
            "Let the allocator grow its segments instead of splitting them.",
            Change("PYTORCH_CUDA_ALLOC_CONF", "not set", "expandable_segments:True"),
            "The out-of-memory line does not return under the same traffic.",
            ("gpu/out-of-memory-kinds", "gpu/memory-accounting"),
        ),
        Remedy(
            "If it returns, lower --max-num-batched-tokens, so that the largest single request for memory is smaller.",
            None,
            "The largest allocation that the log names is smaller than before.",
            ("gpu/out-of-memory-kinds",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="high",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, LOG_FRAGMENTS.now),
    helps=(WAITING_REASON.now, RESTARTS.now, POD_READY.now, *failing_replicas.HELPS),
    limits={**LIMITS, **failing_replicas.LIMITS},
    fires=fires,
    explains=(Explains("cuda_oom_load"), Explains("cuda_oom_runtime"), *QUEUEING, *FAILING),
    remedies=remedies,
    pages=("gpu/out-of-memory-kinds", "gpu/memory-accounting"),
    owner="ml platform",
)
