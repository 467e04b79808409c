"""The ports of the engine, its container, its probes and its Service do not match.

## What it means
One of them names a port that the others do not: the engine's --port, the container's ports, a probe, or a Service's target
port.

## Why it hurts
Probes fail, so the pod never turns ready or is restarted; or the Service sends requests to a port on which nobody listens.

## What would rule it out
The same port in all four places, by number or by name.
"""

from dataclasses import replace

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import named
from tools.rules import advise
from tools.signals import POD_READY, REQUESTS_FINISHED, REQUESTS_RUNNING, RUNNING_FOR, Ask
from tools.vocabulary.manifests import NO_WAY_IN, PORTS_APART

DONE = REQUESTS_FINISHED.increase("1h")
RAN = REQUESTS_RUNNING.max("1h")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when ports do not match. The harm is seen where no Service leads to the engine, and its ready replicas finished nothing."""
    found = now.worst(PORTS_APART.now)
    if not found.text:
        return None
    astray = now.get(NO_WAY_IN.now)
    if astray is not None and astray.text and now.get(DONE) is None and _idle(now, limits["settled"], RAN):
        ran = now.worst(RAN)
        said = "The ports do not match: {found}. {ran_of} is ready, and {ran} ran in the last hour."
        return replace(because(said, astray, now.get(RUNNING_FOR.now), found=found, ran=ran), felt=True)
    if astray is not None and astray.text and _idle(now, limits["settled"], DONE):
        done = now.total(DONE)
        said = "The ports do not match: {found}. {done_of} is ready and finished {done} in the last hour."
        return replace(because(said, astray, now.get(RUNNING_FOR.now), found=found, done=done), felt=True)
    return because("The ports do not match: {found}.", found=found)


def _idle(now: Now, for_s: float, of: Ask) -> bool:
    """Whether every replica is ready, has run for so long, and finished nothing; or ran nothing, where an engine counts no request before the first."""
    if any(now.get(ask) is None for ask in (POD_READY.now, RUNNING_FOR.now, of)):
        return False
    ready, ran, counted = now.each(POD_READY.now), now.each(RUNNING_FOR.now), now.each(of)
    seen = len(ready) == len(ran) == len(counted)
    up = all(one.number for one in ready) and all(one.number >= for_s for one in ran)
    return seen and up and all(one.number < 1 for one in counted)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(PORTS_APART.now,),
    helps=(NO_WAY_IN.now, DONE, RAN, POD_READY.now, RUNNING_FOR.now),
    limits={"settled": Limit(1800, "seconds", "half an hour of readiness without one request is no lull")},
    fires=fires,
    explains=named(
        "readiness_never_true", "liveness_kills_slow_load", "gpu_idle_no_traffic", "gpu_held_by_not_ready_pod"
    ),
    remedies=advise(
        "Name the container's port once, and use the name in probes and Service; give the engine the same number.",
        "Every replica turns ready, and a request through the Service is answered.",
        "platform/kubernetes-deployment-for-vllm",
        "platform/health-endpoints",
    ),
    pages=(
        "platform/kubernetes-deployment-for-vllm",
        "platform/health-endpoints",
    ),
    phase=1,
    owner="platform",
    rule=True,
)
