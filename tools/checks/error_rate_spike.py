"""The server fails a notable share of its requests.

## What it means
Requests end in errors of the engine or the API server, not of the client: a crash, a fault of the hardware, a bug that some inputs
reach, or a dependency that fails.

## Why it hurts
Users see failures, and clients that retry at once add load to what is left.

## What would rule it out
Errors of class 4xx (the client's), refusals under load (they protect), or a handful of failures among thousands of requests.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.finding import Remedy
from tools.signals import REQUESTS_FINISHED
from tools.vocabulary.outcomes import FAILED, HTTP_5XX, HTTP_REQUESTS, REFUSED

FAILURES = FAILED.increase("10m")
FINISHED = REQUESTS_FINISHED.increase("10m")
ERRORS = HTTP_5XX.increase("10m")
ANSWERS = HTTP_REQUESTS.increase("10m")
REFUSALS = REFUSED.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when failed requests, or answers of class 5xx, are more than a small share of all."""
    errors, answers = now.get(ERRORS), now.get(ANSWERS)
    if errors is not None and answers is not None:
        # The API server counts every answer: what the engine says besides adds nothing to a share that is known.
        # A refusal under load is a 503 with some engines, and protects.
        refused = now.get(REFUSALS)
        broken = errors.number - (min(refused.number, errors.number) if refused is not None else 0.0)
        if broken < limits["least"] or broken < limits["share"] * answers.number:
            return None
        return because("{errors} of {answers} within 10 min.", now.get(FAILURES), errors=errors, answers=answers)
    failures = now[FAILURES]
    if failures.number < limits["least"]:
        return None
    finished = now[FINISHED]
    if failures.number < limits["share"] * (failures.number + finished.number):
        return None
    return because(
        "{failures} failed within 10 min, beside {finished} that finished.",
        errors,
        failures=failures,
        finished=finished,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Find the first error; keep clients from making it worse."""
    return (
        Remedy(
            "Read the engine's log from before the first failure: the first traceback of a worker or of the engine core names the cause, what follows"
            " repeats it.",
            verify="The share of failed requests is below 1 % for 10 min.",
            cites=("kubernetes/exit-codes-and-terminations", "gpu/xid-errors"),
        ),
        Remedy(
            "If one replica fails and the others do not, take it out of the Service (make it unready) and keep it for the post-mortem; if all began with"
            " a rollout, roll back.",
            verify="Failures stop while the rest serves.",
            cites=("serving/routing-and-load-balancing",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(FAILURES, FINISHED),
    helps=(ERRORS, ANSWERS, REFUSALS),
    limits={
        "least": Limit(5, "requests", "fewer are told by the log, not by a rate"),
        "share": Limit(0.02, "ratio", "twenty times the budget of an objective of 99.9 %"),
    },
    fires=fires,
    explains=(Explains("abort_spike"),),
    remedies=remedies,
    pages=("observability/slo-and-burn-rates", "kubernetes/exit-codes-and-terminations"),
    owner="sre",
)
