"""The server refuses requests because it is at the limit that was set for it.

## What it means
Its bound on queued or concurrent requests is reached, and it answers 429 or 503 at once instead of letting them wait.

## Why it hurts
Users are turned away; but what is accepted is served in time, which is what the bound is for.

## What would rule it out
Refusals for other reasons (validation, authentication), or, where they are counted, a single one in a burst.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.failing_replicas import said_lately
from tools.finding import Remedy
from tools.signals import KV_USAGE, POD_READY, REQUESTS_FINISHED, REQUESTS_RUNNING, REQUESTS_WAITING
from tools.vocabulary.outcomes import LOG_OVERLOADED, LOG_WINDOW, REFUSED

TURNED_AWAY = REFUSED.increase("10m")
FINISHED = REQUESTS_FINISHED.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when refusals for overload are more than a slip, or where nobody counts them when the server has lately written of one."""
    if now.get(TURNED_AWAY) is None:
        said = said_lately(now, LOG_OVERLOADED)
        if said is not None:
            return said
    refused = now[TURNED_AWAY]
    if refused.number < limits["least"]:
        return None
    finished = now[FINISHED]
    if refused.number < limits["share"] * (refused.number + finished.number):
        return None
    return because(
        "{refused} were refused within 10 min, beside {finished} that finished.",
        now.get(REQUESTS_RUNNING.now),
        now.get(REQUESTS_WAITING.now),
        now.get(KV_USAGE.now),
        refused=refused,
        finished=finished,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """More capacity; a higher bound only where there is room behind it."""
    return (
        Remedy(
            "Add replicas, or move what is not urgent elsewhere: the bound tells that this replica is full.",
            verify="Refusals stop at the same load.",
            cites=("kubernetes/autoscaling-llm-serving", "serving/queueing-and-admission"),
        ),
        Remedy(
            "Raise the bound only if the KV cache has room and the time to first token meets its objective; else it just moves the wait into the queue."
            " Clients should back off with jitter on 429 and 503.",
            verify="The p95 time to first token stays within its objective after the change.",
            cites=("serving/queueing-and-admission",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(TURNED_AWAY, FINISHED),
    helps=(
        REQUESTS_RUNNING.now,
        REQUESTS_WAITING.now,
        KV_USAGE.now,
        POD_READY.now,
        LOG_WINDOW.now,
        LOG_OVERLOADED.now,
    ),
    limits={
        "least": Limit(10, "requests", "one a minute; fewer is the edge of a burst"),
        "share": Limit(0.01, "ratio", "one in a hundred"),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/queueing-and-admission", "kubernetes/autoscaling-llm-serving"),
    owner="sre",
)
