"""KEDA cannot read the trigger that should scale this workload.

## What it means
Its scaler answers with errors, or its query comes back empty: the address or the credentials are wrong, or the metric was renamed, or
it is told only by pods that are scaled to zero.

## Why it hurts
Scaling stops, or follows a zero that is none: with ignoreNullValues an empty answer scales a busy workload in.

## What would rule it out
A trigger without errors and with answers over the last quarter of an hour, or an autoscaler that KEDA did not make.
"""

import re

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Change, Remedy
from tools.signals import HPA_DESIRED, HPA_METRICS, REQUESTS_WAITING
from tools.vocabulary.autoscaling import HPA_BROKEN, KEDA_EMPTY, KEDA_ERRORS, KEDA_MADE, KEDA_SAID

ERRORS = KEDA_ERRORS.increase("15m")
EMPTY = KEDA_EMPTY.increase("15m")
# Whom the trigger names is there and does not answer: no address, name or query of the trigger would change that.
_AWAY = re.compile(
    r"status(?: code)?:? (?:40[13]|5\d\d)|connection refused|i/o timeout|deadline exceeded|no route to host|connection reset|\bEOF\b",
    re.IGNORECASE,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the trigger's errors or empty answers are no single slip."""
    if not now[KEDA_MADE.now].number:
        return None
    said = now.get(KEDA_SAID.now)
    errors = now.get(ERRORS)
    broken = now.get(HPA_BROKEN.now)
    # Where the autoscaler itself complains and what KEDA asks is away for everybody, that is the finding, and KEDA's words are its evidence.
    away = broken is not None and bool(broken.text) and said is not None and _AWAY.search(said.text) is not None
    if said is not None and said.text and not away and (errors is None or errors.number < limits["failures"]):
        return because("KEDA cannot read its trigger; its event says: {said}", errors, said=said)
    errors = now[ERRORS]  # raises: what KEDA counts cannot be seen
    empty = now.get(EMPTY)
    also = (said, now.get(HPA_METRICS.now), now.get(HPA_DESIRED.now), now.get(REQUESTS_WAITING.avg("10m")))
    if errors.number >= limits["failures"]:
        return because("KEDA's trigger failed {errors} within 15 min.", empty, *also, errors=errors)
    if empty is not None and empty.number >= limits["failures"]:
        return because("KEDA's query came back without a value, {empty} within 15 min.", errors, *also, empty=empty)
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Make the query answer, and say what happens when it does not."""
    return (
        Remedy(
            "Read the operator's words: `kubectl describe scaledobject` and its events name the trigger; then run its query in Prometheus by hand.",
            verify="The query returns one value, and the errors stop.",
            cites=("kubernetes/autoscaling-llm-serving", "observability/metrics-vllm"),
        ),
        Remedy(
            "Set `fallback` (failureThreshold and replicas) and `ignoreNullValues`, so that a query without an answer does not scale in.",
            Change("ignoreNullValues", "true (default)", "false"),
            "With the query broken on purpose, the replicas stay.",
            ("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(KEDA_MADE.now, ERRORS),
    helps=(KEDA_SAID.now, HPA_BROKEN.now, EMPTY, HPA_METRICS.now, HPA_DESIRED.now, REQUESTS_WAITING.avg("10m")),
    limits={"failures": Limit(3, "failures", "one poll in 30 s may fail; three in 15 min is no slip")},
    fires=fires,
    explains=(Explains("hpa_metric_unavailable"), Explains("concurrency_cap_below_kv"), *QUEUEING),
    remedies=remedies,
    pages=("kubernetes/autoscaling-llm-serving",),
    owner="platform",
)
