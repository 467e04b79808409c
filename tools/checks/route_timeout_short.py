"""A route gives up before a long answer is complete.

## What it means
An Ingress or HTTPRoute that leads to the engine waits less for it than the limit; most controllers wait 60 seconds
when nothing is set.

## Why it hurts
Answers that are not streamed, long prefills and requests that queue are cut with 504, and the engine goes on working
for nobody.

## What would rule it out
A timeout above the longest allowed answer, or traffic that streams without a pause. Where clients break off and answers take about as long as
the route waits, this is why; else it is a rule that is broken.
"""

from dataclasses import replace

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import named
from tools.rules import paste
from tools.vocabulary.pipelines import REQUEST_TIME
from tools.vocabulary.readiness import ROUTE_TIMEOUT, ROUTES

TOOK = REQUEST_TIME.p95("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the shortest wait lies below the limit."""
    timeout = now[ROUTE_TIMEOUT.now]
    if timeout.number >= limits["seconds"]:
        return None
    found = because("A route to the engine waits {timeout} for an answer.", now.get(ROUTES.now), timeout=timeout)
    took = now.get(TOOK)
    # Only where answers come near to it does it cut any.
    if took is None or took.number < limits["near"] * timeout.number:
        return replace(found, explains=())
    return because(
        "A route to the engine waits {timeout} for an answer, and answers take {took} (95th percentile).",
        now.get(ROUTES.now),
        timeout=timeout,
        took=took,
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(ROUTE_TIMEOUT.now,),
    helps=(ROUTES.now, TOOK),
    fires=fires,
    remedies=paste(
        "Set every hop above the longest allowed answer: max tokens times the gap, and the queue before it.",
        'metadata: {annotations: {nginx.ingress.kubernetes.io/proxy-read-timeout: "600", nginx.ingress.kubernetes.io/proxy-buffering: "off"}}',
        "An answer of the maximum length arrives in full through the public name.",
        "platform/retries-timeouts-and-streams",
        "platform/network-for-streaming",
    ),
    limits={
        "seconds": Limit(300.0, "seconds", "4,000 tokens at 50 ms a token, and some queue before them"),
        "near": Limit(0.8, "ratio", "the histogram's buckets are that coarse, and what was cut ended before its time"),
    },
    explains=named("abort_spike", "error_rate_spike"),
    pages=("platform/retries-timeouts-and-streams", "platform/network-for-streaming"),
    phase=1,
    owner="platform",
    rule=True,
)
