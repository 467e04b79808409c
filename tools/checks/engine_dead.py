"""The engine died under its API server.

## What it means
The process that computes has ended or failed, and the server in front of it can only refuse. The message is the consequence: the
first traceback above it, in the engine's core or a worker, holds the cause. It may also die without a message: then the server goes on
answering its health endpoint, requests pile up or stand still, and the GPU does nothing.

## Why it hurts
Every request that was running is lost, and all that follow fail until the container is restarted and the model loaded again.

## What would rule it out
Tokens that come, a GPU that computes (then it is busy or hangs in a collective), a log without the message, or a container that ended for another reason (killed for memory, killed by a probe).
"""

from tools import failing_replicas, stalled_engines
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.crashes import log_line, needed, recent
from tools.failed_starts import HELPS, LIMITS
from tools.families import BROKEN, DOWN, QUEUEING, named
from tools.finding import Remedy
from tools.signals import EXIT_CODE, LOG_LAST_ERROR, POD_READY, RESTARTS, RUNNING_FOR, TERMINATED_AGO, TERMINATION
from tools.stalled_engines import stalled
from tools.vocabulary.startup import LOG_ENGINE_DEAD


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended lately, or runs, and its log says that the engine died; or when it holds requests and does nothing."""
    for crash in recent(now, limits["recent"]):
        line = log_line(now, crash, LOG_ENGINE_DEAD)
        if line.text:
            return because(
                "{code_of} ended with exit code {code} {ago} ago; its log says: {line}",
                crash.reason,
                now.get(RESTARTS.now),
                now.of(crash.code.subject, LOG_LAST_ERROR.now),
                code=crash.code,
                ago=crash.ago,
                line=line,
            )
    silent = stalled(now, limits["idle"], limits["settled"], LOG_ENGINE_DEAD)
    found = _up_and_dead(now, limits) or _ready_and_dead(now, limits) or silent
    if found is None:
        fail = (ready.subject for ready, _ in failing_replicas.failing(now, limits["errors"]))
        failing_replicas.unread(now, fail, LOG_ENGINE_DEAD)
    return found


def _up_and_dead(now: Now, limits: Limits) -> Because | None:
    """A container that still runs, without being ready, over an engine that is dead."""
    for ready in now.each(POD_READY.now):
        if ready.number:
            continue
        ran = needed(now, ready, RUNNING_FOR.now)
        line = now.of(ready.subject, LOG_ENGINE_DEAD.now)
        if ran.number > limits["unready"] and line is not None and line.text:
            last = now.of(ready.subject, LOG_LAST_ERROR.now)
            said = "{ran_of} has run for {ran} and is not ready; its log says: {line}"
            return because(said, ready, last, ran=ran, line=line)
    return None


def _ready_and_dead(now: Now, limits: Limits) -> Because | None:
    """A container that never ended and counts as ready (it has no probe, or one that asks the server alone) and fails its requests."""
    for ready, errors in failing_replicas.failing(now, limits["errors"]):
        ended, line = now.of(ready.subject, TERMINATION.now), now.of(ready.subject, LOG_ENGINE_DEAD.now)
        if (ended is None or not ended.text) and line is not None and line.text:
            said = "{errors_of} counts as ready and failed {errors} within 10 min; its log says: {line}"
            return because(said, ready, errors=errors, line=line)
    return failing_replicas.said_lately(now, LOG_ENGINE_DEAD)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find the first error, and let the probe see a dead engine."""
    return (
        Remedy(
            "Read the log of the container before from the first traceback on: the message that the engine died comes last.",
            None,
            "The cause is named by a line above the message.",
            ("kubernetes/exit-codes-and-terminations",),
        ),
        Remedy(
            "Point the liveness probe at /health, which answers 500 or 503 once the engine is dead, so that it is restarted.",
            None,
            "A replica whose engine died is restarted within a minute.",
            ("platform/health-endpoints", "kubernetes/probes-for-slow-loading"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, LOG_ENGINE_DEAD.now, POD_READY.now),
    helps=(
        *(ask for ask in HELPS if ask != POD_READY.now),
        LOG_LAST_ERROR.now,
        *failing_replicas.HELPS,
        *stalled_engines.HELPS,
    ),
    limits={
        **LIMITS,
        **failing_replicas.LIMITS,
        **stalled_engines.LIMITS,
        "unready": Limit(60, "seconds", "a minute: from then on its log is read"),
    },
    fires=fires,
    explains=(*QUEUEING, *BROKEN, *DOWN, *named("routing_skew", "hpa_at_max")),
    remedies=remedies,
    pages=("kubernetes/exit-codes-and-terminations", "platform/health-endpoints"),
    owner="ml platform",
)
