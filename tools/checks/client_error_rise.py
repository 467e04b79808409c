"""Clients are suddenly answered with errors of their own.

## What it means
A share of requests that used to be accepted is turned down with a status of class 4xx: a model's name that is no longer served (404),
prompts longer than the limit or fields that a new version rejects (400, 422), a key that ran out (401, 403).

## Why it hurts
For those users the service is down, and no alert on 5xx, latency or GPUs will ever tell.

## What would rule it out
A smaller share that was the same an hour ago, a handful of bad requests, or refusals under load, which are the server's doing.
"""

from tools.check import Because, Check, Limit, Limits, NothingToSee, Now, On, Unseen, because, objective
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import REQUESTS_FINISHED, RUNNING_FOR
from tools.vocabulary.outcomes import HTTP_4XX, HTTP_REQUESTS, REFUSED
from tools.vocabulary.pipelines import ANSWERS_BEFORE, CLIENT_ERRORS_BEFORE

ERRORS = HTTP_4XX.increase("10m")
ANSWERS = HTTP_REQUESTS.increase("10m")
EARLIER = CLIENT_ERRORS_BEFORE.increase("10m")
EARLIER_ANSWERS = ANSWERS_BEFORE.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when answers of class 4xx are a notable share that they were not an hour ago, or most of all answers."""
    errors, answers = now.get(ERRORS), now.get(ANSWERS)
    if answers is None:
        if now.get(REQUESTS_FINISHED.increase("10m")) is None:
            raise NothingToSee("it serves nothing")
        raise Unseen(now.blind(now.subject, ANSWERS))
    if errors is None:
        return None  # a class of answers is told from its first one on
    if errors.number < limits["least"]:
        return None
    refused = now.get(REFUSED.increase("10m"))
    if refused is not None and refused.number >= errors.number / 2:
        return None
    share = errors.number / max(1.0, answers.number)
    if share < limits["share"]:
        return None
    more = (now.get(REQUESTS_FINISHED.increase("10m")), now.get(RUNNING_FOR.now))
    told = "Of {answers} within 10 min {errors} were turned down with 4xx ({share}%s)."
    said = {"errors": errors, "answers": answers, "share": _ratio(errors, share)}
    earlier, of = now.get(EARLIER), now.get(EARLIER_ANSWERS)
    if of is None or of.number < limits["least"]:
        # Nobody was there an hour ago (a new rollout, a quiet hour): then only a large share tells.
        return because(told % "", *more, severity=None, **said) if share >= limits["alone"] else None
    then = earlier.number / of.number if earlier is not None else 0.0
    if share < limits["rise"] * then and share < limits["alone"]:
        return None
    return because(told % ", an hour before {past}", *more, earlier, of, severity=None, **said, past=_ratio(of, then))


def _ratio(like: Reading, value: float) -> Reading:
    return objective(like, value, "Share of answers")._replace(unit="ratio")


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Read which status it is, then look at what changed on either side."""
    return (
        Remedy(
            "Read the status and the reason in the server's access log or the answer's body: 404 is a model's name or a path, 400 and 422 the"
            " request's length or fields, 401 and 403 a key.",
            verify="One status and one reason account for nearly all of them.",
            cites=("platform/llm-gateways",),
        ),
        Remedy(
            "Put back what changed: serve the old name beside the new one (--served-model-name takes several), restore the length limit that"
            " clients count on, renew the key; or roll back the client that began it.",
            verify="The share of 4xx is what it was before.",
            cites=("platform/canary-blue-green-shadow", "platform/delivery-of-models"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="medium",
    needs=(ERRORS, ANSWERS),
    helps=(
        EARLIER,
        EARLIER_ANSWERS,
        REFUSED.increase("10m"),
        REQUESTS_FINISHED.increase("10m"),
        RUNNING_FOR.now,
    ),
    limits={
        "least": Limit(20, "requests", "two a minute; fewer is somebody who tries things out"),
        "share": Limit(0.1, "ratio", "one in ten"),
        "rise": Limit(3, "ratio", "three times the share of an hour before is no drift"),
        "alone": Limit(0.35, "ratio", "a good third of all is too much for any client, however long it has been so"),
    },
    fires=fires,
    remedies=remedies,
    pages=("platform/llm-gateways", "observability/slo-and-burn-rates"),
    owner="sre",
)
