"""The liveness probe waits only a second for an answer.

## What it means
The liveness probe gives the server no more than its default of one second to answer.

## Why it hurts
A busy engine answers its health route late: a long prefill or a full CPU is enough. Then the kubelet restarts a
server that works, and its load falls on the others.

## What would rule it out
A timeout of several seconds, or no liveness probe at all.
"""

from tools.asked import asking
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.rules import paste
from tools.vocabulary.readiness import LIVENESS_TIMEOUT


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the shortest timeout lies below the limit."""
    timeout = now.least(LIVENESS_TIMEOUT.now)
    if timeout.number >= limits["seconds"]:
        return None
    return because("The liveness probe waits {timeout} for an answer.", timeout=timeout)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(LIVENESS_TIMEOUT.now,),
    fires=fires,
    remedies=paste(
        "Give it more time than the longest step of the engine.",
        "livenessProbe: {httpGet: {path: /health, port: 8000}, timeoutSeconds: 10, periodSeconds: 10, failureThreshold: 6}",
        "Under the load test no event Unhealthy names the liveness probe.",
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
    ),
    limits={"seconds": Limit(2.0, "seconds", "Kubernetes' default is 1 s; an engine step under load takes longer")},
    pages=("kubernetes/probes-for-slow-loading", "platform/health-endpoints"),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:liveness|health ?checks?|probes?)\b[^.?!]{0,80}\b(?:time-?outs?|one second|1 ?s|a second|too strict|tight|while (?:it is )?busy|under load)\b",
            80,
        ),
        r"\bhow long\b[^.?!]{0,60}\b(?:liveness|health ?check|probe)\w*\b[^.?!]{0,30}\bwait",
        r"\b(?:one second|a second|1 ?s|time-?outs?)\b[^.?!]{0,60}\b(?:liveness|health ?checks?)\b[^.?!]{0,60}\b(?:enough|too (?:short|tight|little|strict)|long enough)\b",
    ),
)
