"""A probe kills the container before the model is loaded.

## What it means
The liveness or startup probe grants a start less time than the model needs, so the kubelet restarts a container that was on its way.

## Why it hurts
Every start is cut off at the same point: the replica never serves, and loads over and over.

## What would rule it out
A log that shows it had served before the kill, a kill for memory (OOMKilled), or a failed readiness probe, which never kills.
"""

from tools.check import Because, Check, Limits, Now, On, because
from tools.crashes import log_line, needed, recent
from tools.failed_starts import HELPS, LIMITS
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import EXIT_CODE, LIVED_FOR, LOG_SERVING, TERMINATED_AGO, TERMINATION
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.manifests import STARTUP_BUDGET
from tools.vocabulary.startup import PROBE_KILL

_KILLED = {137.0, 143.0}


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica was killed after a failed probe and had not served."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled" or crash.code.number not in _KILLED:
            continue
        kill = needed(now, crash.code, PROBE_KILL.now)
        if not kill.text or log_line(now, crash, LOG_SERVING).text:
            continue
        lived = now.of(crash.code.subject, LIVED_FOR.now)
        also = (crash.reason, now.of(crash.code.subject, STARTUP_BUDGET.now))
        said = "{code_of} was killed (exit code {code}) {ago} ago before it served"
        if lived is None:
            return because(said + ": {kill}", *also, code=crash.code, ago=crash.ago, kill=kill)
        return because(said + ", after {lived}: {kill}", *also, code=crash.code, ago=crash.ago, kill=kill, lived=lived)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A startup probe of twice the longest load that was seen, else of twice what was granted."""
    budget, took, lived = (now.get(ask) for ask in (STARTUP_BUDGET.now, STARTUP_TOOK.now, LIVED_FOR.now))
    seen = took.number if took is not None else 0.0
    granted = budget.number if budget is not None and budget.number < float("inf") else 0.0
    cut = lived.number if lived is not None else 0.0
    target = max(600.0, 2 * max(seen, granted, cut))
    basis = f"twice the longest start that was seen ({seen:.0f} s)" if 2 * seen >= target else "at least ten minutes"
    basis = basis if 2 * max(granted, cut) < target or 2 * seen >= target else "twice what it was granted"
    return (
        Remedy(
            f"Add a startup probe on the engine's health path with {basis}: liveness is only asked once it has succeeded.",
            Change(
                "startupProbe (failureThreshold x periodSeconds)",
                f"{granted:.0f} s in all" if granted else "not known",
                f"{-(-target // 10):.0f} x 10 s",
            ),
            "The replica turns ready without a restart.",
            ("kubernetes/probes-for-slow-loading", "platform/health-endpoints"),
        ),
        Remedy(
            "Or load faster: weights on a local or fast volume, and a warm compilation cache.",
            None,
            "The time from the container's start to ready falls well below the budget.",
            ("serving/cold-start", "platform/model-weight-storage"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="critical",
    needs=(EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, PROBE_KILL.now, LOG_SERVING.now),
    helps=(*HELPS, LIVED_FOR.now, STARTUP_BUDGET.now, STARTUP_TOOK.now),
    limits=LIMITS,
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("kubernetes/probes-for-slow-loading", "serving/cold-start"),
    owner="ml platform",
)
