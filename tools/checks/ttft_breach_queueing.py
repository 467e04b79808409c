"""The first token comes late because requests wait in the queue.

## What it means
Time to first token is the wait in the engine's queue plus the prefill. Here most of it is the wait: the engine is short of
room or of turns, not of speed.

## Why it hurts
A person watches an empty answer for that long, clients time out and retry, and the retries join the queue.

## What would rule it out
An empty queue with a slow first token: then the prefill, the tokeniser or something before the engine is slow.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because, objective
from tools.finding import Remedy
from tools.signals import QUEUE_TIME, REQUESTS_WAITING, TTFT

LATE = TTFT.p95("5m")
MEAN = TTFT.mean("5m")
QUEUED = QUEUE_TIME.mean("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's p95 misses the objective and the queue is most of the wait, or the queue alone takes longer."""
    waited = now.get(QUEUED)
    if now.get(LATE) is None and waited is not None and waited.number > limits["ttft"]:
        # An engine may not report first tokens; none can come before the wait is over.
        return because(
            "Requests of {waited_of} wait {waited} on average before they are begun, longer than the objective for the whole time"
            " to first token, which is {goal}.",
            now.get(REQUESTS_WAITING.now),
            waited=waited,
            goal=objective(waited, limits["ttft"]),
        )
    for late in sorted(now.each(LATE), key=lambda reading: -reading.number):
        if late.number <= limits["ttft"]:
            return None
        queued = now.of(late.subject, QUEUED) or now[QUEUED]
        mean = now.of(late.subject, MEAN) or now[MEAN]
        if queued.number >= limits["queue"] and queued.number >= limits["share"] * mean.number:
            return because(
                "The p95 time to first token of {late_of} is {late} against an objective of {goal};"
                " on average {queued} of {mean} is spent in the queue.",
                now.get(REQUESTS_WAITING.now),
                late=late,
                goal=objective(late, limits["ttft"]),
                queued=queued,
                mean=mean,
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Remove the cause of the queue; shed load meanwhile."""
    return (
        Remedy(
            "Remove what holds the queue: look at the KV cache, the batch limit, the CPU and the routing in that order.",
            verify="The mean time in the queue falls below half a second.",
            cites=("serving/time-to-first-token", "serving/queueing-and-admission"),
        ),
        Remedy(
            "Until then scale out on waiting requests, and limit what the gateway lets in so that accepted requests are served in time.",
            verify="The p95 time to first token meets the objective for 10 min.",
            cites=("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(LATE, QUEUED, MEAN),
    helps=(REQUESTS_WAITING.now,),
    limits={
        "ttft": Limit(2.0, "seconds", "a common interactive objective; set your own"),
        "queue": Limit(0.5, "seconds", "vLLM's lowest queue bucket ends at 0.3 s, so means are judged above it"),
        "share": Limit(0.5, "ratio", "more than half of the wait is queueing"),
    },
    fires=fires,
    explains=(Explains("abort_spike"),),
    remedies=remedies,
    pages=("serving/time-to-first-token", "serving/queueing-and-admission"),
    owner="sre",
)
