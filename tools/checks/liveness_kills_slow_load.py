"""A probe kills the container although it only loads or is busy.

## What it means
The liveness or startup probe grants a start less time than the model needs, so the kubelet restarts a container that was on its way. Or a
liveness probe that waits a second or two for its answer does not get it from a server that is busy, and a server that works is killed.

## Why it hurts
Every start is cut off at the same point: the replica never serves, and loads over and over. Under load each kill moves its requests to the
others, until these are killed too.

## What would rule it out
A kill for memory (OOMKilled), a failed readiness probe, which never kills, or a server that had served and then died or hung: its log or its
GPUs say so.
"""

from dataclasses import replace

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.crashes import Crash, log_line, needed, recent
from tools.failed_starts import HELPS, LIMITS
from tools.families import FAILING, SLOW, named
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import EXIT_CODE, LIVED_FOR, LOG_CUDA_OOM, LOG_SERVING, RESTARTS, TERMINATED_AGO, TERMINATION
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT
from tools.vocabulary.manifests import GRACE, STARTUP_BUDGET
from tools.vocabulary.pipelines import PROBE_TIMEOUTS as UNANSWERED
from tools.vocabulary.readiness import LIVENESS_TIMEOUT
from tools.vocabulary.startup import LOG_COLLECTIVE, LOG_ENGINE_DEAD, PROBE_KILL

# What a server that is dead or hangs says: then the probe is right to kill it.
_DEAD = (LOG_ENGINE_DEAD, LOG_COLLECTIVE, LOG_CUDA_OOM, LOG_CUDA_FAULT)

_KILLED = {137.0, 143.0}


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica was killed after a failed probe and had not served."""
    for crash in recent(now, limits["recent"]):
        if crash.reason.text == "OOMKilled" or crash.code.number not in _KILLED:
            continue
        if now.of(crash.code.subject, PROBE_KILL.now) is None and (found := _timed(now, crash, limits)) is not None:
            return found
        kill = needed(now, crash.code, PROBE_KILL.now)
        if not kill.text:
            continue
        if log_line(now, crash, LOG_SERVING).text:
            busy = _busy(now, crash, kill, limits)
            if busy is not None:
                return busy
            continue
        lived = now.of(crash.code.subject, LIVED_FOR.now)
        also = (crash.reason, now.of(crash.code.subject, STARTUP_BUDGET.now))
        said = "{code_of} was killed (exit code {code}) {ago} ago before it served"
        if lived is None:
            return because(said + ": {kill}", *also, code=crash.code, ago=crash.ago, kill=kill)
        return because(said + ", after {lived}: {kill}", *also, code=crash.code, ago=crash.ago, kill=kill, lived=lived)
    return None


def _timed(now: Now, crash: Crash, limits: Limits) -> Because | None:
    """Where no event can be seen: it lived as long as its probes grant a start, and the grace that a kill is given, and never served."""
    lived, budget = (now.of(crash.code.subject, ask) for ask in (LIVED_FOR.now, STARTUP_BUDGET.now))
    grace = now.of(crash.code.subject, GRACE.now)
    if lived is None or budget is None or log_line(now, crash, LOG_SERVING).text:
        return None
    late = (grace.number if grace is not None else 30.0) + limits["late"]
    if not budget.number <= lived.number <= budget.number + late:
        return None
    if any((line := now.of(crash.code.subject, one.now)) is not None and line.text for one in _DEAD):
        return None
    return because(
        "{code_of} ended with exit code {code} {ago} ago before it served, after {lived}, where its probes grant a start {budget}.",
        crash.reason,
        grace,
        code=crash.code,
        ago=crash.ago,
        lived=lived,
        budget=budget,
    )


def _busy(now: Now, crash: Crash, kill: Reading, limits: Limits) -> Because | None:
    """A server that served until its liveness probe, which hardly waits, was not answered in time; nothing says that it was dead."""
    timeout = now.of(crash.code.subject, LIVENESS_TIMEOUT.now)
    if timeout is None or timeout.number > limits["timeout"] or "liveness" not in kill.text:
        return None
    if any((line := now.of(crash.code.subject, one.now)) is not None and line.text for one in _DEAD):
        return None
    found = because(
        "{code_of} was serving when it was killed (exit code {code}) {ago} ago: {kill}. The probe waits {timeout} for an answer.",
        crash.reason,
        now.of(crash.code.subject, UNANSWERED.now),
        now.get(RESTARTS.now),
        code=crash.code,
        ago=crash.ago,
        kill=kill,
        timeout=timeout,
    )
    # That the server answers late is what load does; that it is killed for it is the probe's doing.
    return replace(found, outranks=("event_loop_blocked",))


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A startup probe of twice the longest load that was seen, else of twice what was granted."""
    served, timeout = now.get(LOG_SERVING.now), now.get(LIVENESS_TIMEOUT.now)
    if served is not None and served.text and timeout is not None:
        return (
            Remedy(
                "Give the liveness probe ten seconds to be answered and more failures before it kills; let the readiness probe take a busy replica"
                " out of traffic first.",
                Change("livenessProbe.timeoutSeconds", f"{timeout.number:.0f}", "10 (with failureThreshold: 6)"),
                "Under the same load no event names a failed liveness probe, and restarts stand still.",
                ("kubernetes/probes-for-slow-loading", "platform/health-endpoints"),
            ),
            Remedy(
                "Keep the server able to answer: fewer concurrent sequences, more replicas, or more API server processes where one core is full.",
                None,
                "The health route answers within a second at peak.",
                ("platform/health-endpoints", "serving/queueing-and-admission"),
            ),
        )
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
    helps=(
        *HELPS,
        LIVED_FOR.now,
        STARTUP_BUDGET.now,
        GRACE.now,
        STARTUP_TOOK.now,
        LIVENESS_TIMEOUT.now,
        UNANSWERED.now,
        *(signal.now for signal in _DEAD),
    ),
    limits={
        **LIMITS,
        "timeout": Limit(2, "seconds", "Kubernetes' default is 1 s; a step under load takes longer"),
        "late": Limit(20, "seconds", "what a probe waits for its last answer, and a kubelet for its turn"),
    },
    fires=fires,
    # The rule that would have kept it from this.
    explains=(*SLOW, *FAILING, *named("missing_startup_probe")),
    remedies=remedies,
    pages=("kubernetes/probes-for-slow-loading", "serving/cold-start"),
    owner="ml platform",
)
