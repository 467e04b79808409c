"""A route gives up before a long answer is complete.

## What it means
An Ingress or HTTPRoute that leads to the engine waits less for it than the limit; most controllers wait 60 seconds
when nothing is set.

## Why it hurts
Answers that are not streamed, long prefills and requests that queue are cut with 504, and the engine goes on working
for nobody.

## What would rule it out
A timeout above the longest allowed answer, or traffic that streams without a pause.
"""

from tools.asked import asking
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.rules import paste
from tools.vocabulary.readiness import ROUTE_TIMEOUT, ROUTES


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the shortest wait lies below the limit."""
    timeout = now[ROUTE_TIMEOUT.now]
    if timeout.number >= limits["seconds"]:
        return None
    return because("A route to the engine waits {timeout} for an answer.", now.get(ROUTES.now), timeout=timeout)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(ROUTE_TIMEOUT.now,),
    helps=(ROUTES.now,),
    fires=fires,
    remedies=paste(
        "Set every hop above the longest allowed answer: max tokens times the gap, and the queue before it.",
        'metadata: {annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "600", nginx.ingress.kubernetes.io/proxy-buffering: "off"}}',
        "An answer of the maximum length arrives in full through the public name.",
        "platform/retries-timeouts-and-streams",
        "platform/network-for-streaming",
    ),
    limits={"seconds": Limit(300.0, "seconds", "4,000 tokens at 50 ms a token, and some queue before them")},
    pages=("platform/retries-timeouts-and-streams", "platform/network-for-streaming"),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        *asking(
            r"\b(?:ingress|routes?|gateway|proxy|nginx|envoy|load ?balancer)\b[^.?!]{0,60}\b(?:time-?outs? (?:long|short|enough|fit)|gives? up|patien\w*|long enough|cuts? off long|too short)\b",
            40,
        ),
    ),
)
