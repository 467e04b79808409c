"""The server's event loop is blocked: it works on one core and answers nothing meanwhile, not even its health check.

## What it means
An asynchronous server (FastAPI, aiohttp, a frontend) serves all its connections from one loop. A call in it that computes or waits
(tokenising a long prompt, a model run in the handler, a synchronous request to another service) stops every other request until it ends.

## Why it hurts
All users of the replica wait for one request. Probes run into their time-outs: the replica loses its traffic, or is killed while it works.

## What would rule it out
Probes that are answered or refused at once, several cores in use, or a container that its CPU limit stops.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.families import BROKEN, SLOW, named
from tools.finding import Remedy
from tools.signals import CPU_THROTTLED, CPU_USAGE, POD_READY, RUNNING_FOR
from tools.vocabulary.pipelines import IN_FLIGHT, LOOP_DELAY, PROBE_TIMEOUTS
from tools.vocabulary.startup import PROBE_SAID

DELAY = LOOP_DELAY.p95("5m")
UNANSWERED = PROBE_TIMEOUTS.now
USED = CPU_USAGE.rate("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the loop itself reports long delays, or probes go unanswered while one core is used up."""
    delay = now.get(DELAY)
    if delay is not None and delay.number >= limits["delay"]:
        return because(
            "What is due in the event loop of {delay_of} starts {delay} late (p95).",
            now.get(USED),
            now.get(UNANSWERED),
            delay=delay,
        )
    for unanswered in sorted(now.each(UNANSWERED), key=lambda one: -one.number):
        if unanswered.number < limits["unanswered"]:
            return None
        pod = unanswered.subject
        ran = now.of(pod, RUNNING_FOR.now)
        if ran is None or ran.number < limits["settled"]:
            continue  # it may still be starting
        used = now.of(pod, USED) or now[USED]
        throttled = now.of(pod, CPU_THROTTLED.mean("5m"))
        stopped = throttled is not None and throttled.number >= limits["throttled"]
        if stopped or not limits["core"] <= used.number <= limits["cores"]:
            continue
        return because(
            "{unanswered_of} left {unanswered} without an answer within 10 min while it uses {used}: one thread is busy all the time.",
            now.of(pod, PROBE_SAID.now),
            now.of(pod, POD_READY.now),
            now.of(pod, IN_FLIGHT.now),
            throttled,
            ran,
            unanswered=unanswered,
            used=used,
        )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Take the blocking call out of the loop; let probes wait meanwhile."""
    verify = "Probes are answered within their time-out under load, and the time of short requests no longer follows that of long ones."
    return (
        Remedy(
            "Find the blocking call (py-spy dump shows what the main thread does) and move it off the loop: into a thread or process pool, or"
            " into a server of its own for the model.",
            verify=verify,
            cites=("platform/health-endpoints",),
        ),
        Remedy(
            "Run several worker processes or replicas, so that one long request stops only its own.",
            verify=verify,
            cites=("serving/routing-and-load-balancing",),
        ),
        Remedy(
            "Until then give the probes a time-out of some seconds and the liveness probe more failures: a restart only loses what it was working on.",
            verify="No replica is killed or taken out of the Service while it works.",
            cites=("platform/health-endpoints", "kubernetes/probes-for-slow-loading"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(UNANSWERED, USED),
    helps=(DELAY, RUNNING_FOR.now, CPU_THROTTLED.mean("5m"), PROBE_SAID.now, POD_READY.now, IN_FLIGHT.now),
    limits={
        "delay": Limit(0.5, "seconds", "a loop at rest is late by a few milliseconds"),
        "unanswered": Limit(5, "probes", "a single slow answer happens to anybody"),
        "settled": Limit(
            300, "seconds", "a server that starts refuses probes rather than leave them waiting; some do both"
        ),
        "core": Limit(0.8, "cores", "one thread that never rests"),
        "cores": Limit(1.6, "cores", "a second busy thread would mean that work is spread"),
        "throttled": Limit(0.25, "ratio", "then its limit is what stops it"),
    },
    fires=fires,
    explains=(
        *BROKEN,
        # Tokens that are computed wait in the loop, too.
        *SLOW,
        *named(
            "crash_loop",
            "liveness_kills_slow_load",
            "readiness_never_true",
            "gpu_held_by_not_ready_pod",
        ),
    ),
    remedies=remedies,
    pages=("platform/health-endpoints", "serving/routing-and-load-balancing"),
    owner="ml platform",
)
