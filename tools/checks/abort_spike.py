"""Clients give up on many requests before they are answered.

## What it means
A notable share of requests ends because the client closed the connection: its timeout, or a gateway's, is shorter than the answer
takes, or people stop waiting.

## Why it hurts
The GPU worked for nothing on them, and each is often sent again.

## What would rule it out
A steady small share (people who press stop), or too few requests to tell.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import REQUESTS_FINISHED, TTFT
from tools.vocabulary.outcomes import ABORTED
from tools.vocabulary.pipelines import REQUEST_TIME
from tools.vocabulary.readiness import ROUTE_TIMEOUT

GIVEN_UP = ABORTED.increase("10m")
FINISHED = REQUESTS_FINISHED.increase("10m")
BEFORE = ABORTED.increase("6h")
BEFORE_ALL = REQUESTS_FINISHED.increase("6h")
HOUR = ABORTED.increase("1h")
HOUR_ALL = REQUESTS_FINISHED.increase("1h")
TOOK = REQUEST_TIME.p95("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the share of aborted requests is high, and well above that of the last hours."""
    aborted = now[GIVEN_UP]
    if aborted.number < limits["least"]:
        return None
    finished = now[FINISHED]
    share = aborted.number / (aborted.number + finished.number)
    if share < limits["share"]:
        return None
    before, before_all = now[BEFORE], now[BEFORE_ALL]
    usual = before.number / max(1.0, before.number + before_all.number)
    # The spike itself is no measure of what is usual: where enough was asked before the last hour, that alone is.
    hour, hour_all = now.get(HOUR), now.get(HOUR_ALL)
    if hour is not None and hour_all is not None:
        earlier = before.number + before_all.number - hour.number - hour_all.number
        if earlier >= limits["earlier"]:
            usual = max(0.0, before.number - hour.number) / earlier
    # A share that has been like this for hours is how people use it.
    rise = limits["rise_of_many"] if share >= limits["many"] else limits["rise"]
    if share < rise * usual:
        return None
    said = "{aborted} were given up within 10 min, beside {finished} that finished; over 6 h it was {before} beside {before_all}."
    told = {"aborted": aborted, "finished": finished, "before": before, "before_all": before_all}
    route = _cut_by_a_route(now, limits)
    if route:
        waits, took = route
        said += " A route to the engine waits {waits} for an answer, and answers take {took}: it breaks the longer ones off."
        told |= {"waits": waits, "took": took}
    return because(said, now.get(TTFT.p95("5m")), severity=None, **told)


def _cut_by_a_route(now: Now, limits: Limits) -> tuple[Reading, Reading] | None:
    """How long the least patient route waits, and how long answers take, where these come near to it."""
    waits, took = now.get(ROUTE_TIMEOUT.now), now.get(TOOK)
    near = waits is not None and took is not None and took.number >= limits["near"] * waits.number
    return (waits, took) if near and waits is not None and took is not None else None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Make answers come before the patience ends, or the patience longer."""
    route = _cut_by_a_route(now, limits)
    longer = (
        Remedy(
            "Set the wait of every hop (Ingress or HTTPRoute, gateway, client) above the longest allowed answer, and stream: then the wait counts between tokens.",
            Change("timeout of the route", f"{route[0].number:.0f} s", "above the longest answer, 600 s for instance"),
            "An answer of the maximum length arrives in full through the public name, and the aborted share falls.",
            ("platform/retries-timeouts-and-streams", "platform/network-for-streaming"),
        )
        if route
        else None
    )
    return (
        *([longer] if longer else []),
        Remedy(
            "Compare the clients' and the gateway's timeouts with the time to first token and the length of answers: a stream needs a timeout between"
            " tokens, not for the whole answer.",
            verify="The share of aborted requests is back at what it was.",
            cites=("serving/time-to-first-token", "serving/queueing-and-admission"),
        ),
        Remedy(
            "Give retries a budget and a growing, jittered wait, so that what was given up is not sent again at once.",
            verify="The rate of arriving requests follows the users, not the failures.",
            cites=("serving/queueing-and-admission",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(GIVEN_UP, FINISHED, BEFORE, BEFORE_ALL),
    helps=(TTFT.p95("5m"), HOUR, HOUR_ALL, ROUTE_TIMEOUT.now, TOOK),
    limits={
        "least": Limit(20, "requests", "fewer say nothing about a share"),
        "share": Limit(0.1, "ratio", "one in ten"),
        "rise": Limit(2, "times", "the share of the last six hours"),
        "near": Limit(
            0.8, "ratio", "buckets of a histogram are that coarse, and what a route cut off ended before its time"
        ),
        "earlier": Limit(200, "requests", "fewer before the last hour say nothing about what is usual"),
        "many": Limit(0.3, "ratio", "three in ten"),
        "rise_of_many": Limit(
            1.5, "times", "the share of the last six hours, of which the spike itself may be an hour"
        ),
    },
    fires=fires,
    remedies=remedies,
    pages=("serving/queueing-and-admission", "serving/time-to-first-token"),
    owner="sre",
)
