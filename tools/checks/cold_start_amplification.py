"""Replicas are on their way, and requests wait out their long start.

## What it means
More replicas are wanted than are ready, the missing ones were created lately, and replicas of this workload take minutes from
creation to ready: the burst is older than the help will be.

## Why it hurts
Requests queue and time out meanwhile, and an autoscaler that sees only the queue asks for still more.

## What would rule it out
Missing replicas that are much older than a start takes (then something keeps them from starting, unless they advance: a node that pulls the
image for the first time is slower than those before it), or nothing waiting.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.reading import Subject
from tools.signals import (
    POD_AGE,
    POD_READY,
    REPLICAS_READY,
    REPLICAS_WANTED,
    REQUESTS_WAITING,
    RESTARTS,
    UNSCHEDULABLE,
)
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.startup import START_BLOCKED

QUEUE = REQUESTS_WAITING.avg("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when requests wait while young replicas go through a start that is known to be long."""
    wanted, ready = now[REPLICAS_WANTED.now], now[REPLICAS_READY.now]
    if ready.number >= wanted.number or ready.number < 1:
        return None
    queue = now.total(QUEUE)
    if queue.number < limits["waiting"]:
        return None
    # Only those that are ready tell it: that the others do not is no blindness.
    took = now.get(STARTUP_TOOK.now) or now[STARTUP_TOOK.now]
    coming = [one for one in now.each(POD_READY.now) if one.number < 1]
    ages = [age for one in coming if (age := now.of(one.subject, POD_AGE.now)) is not None]
    if coming and not ages:
        now[POD_AGE.now]  # raises: whether they are on their way cannot be seen
    slow = all(_advances(now, age.subject) for age in ages)
    if not ages or max(age.number for age in ages) > max(1.5 * took.number, limits["slow"] if slow else 0.0):
        return None
    youngest = min(ages, key=lambda age: age.number)
    if max(took.number, youngest.number) < limits["long"]:
        # Neither did an earlier start take long, nor is any of these long under way.
        return None
    return because(
        "{queue} wait while {ready} of {wanted} are ready; the next one was created {youngest} ago, and an earlier start took {took}.",
        queue=queue,
        ready=ready,
        wanted=wanted,
        youngest=youngest,
        took=took,
    )


def _advances(now: Now, pod: Subject) -> bool:
    """Whether a pod is on its way as far as can be seen: it has a node, nothing blocks it, and it has not failed."""
    told = [now.of(pod, ask) for ask in (RESTARTS.now, UNSCHEDULABLE.now, START_BLOCKED.now)]
    return all(one is not None and not one.value for one in told)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Shorten the longest part of the start; keep a spare."""
    verify = "The time from creation to ready falls, and the next burst is over before requests time out."
    return (
        Remedy(
            "Now: shed or redirect load until the replicas are ready; adding more makes none of them ready sooner.",
            verify="The queue stops growing.",
            cites=("serving/queueing-and-admission",),
        ),
        Remedy(
            "Then take the start apart (node, image, weights, compile) and shorten the longest part: weights on local disk or a shared cache, a smaller"
            " or pre-pulled image, a kept compile cache.",
            verify=verify,
            cites=("serving/cold-start",),
        ),
        Remedy(
            "Keep one replica more than the usual load needs, or scale up earlier: a target that leaves room for one start's worth of growth.",
            verify=verify,
            cites=("kubernetes/autoscaling-llm-serving", "serving/sleep-mode-and-standby"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(REPLICAS_WANTED.now, REPLICAS_READY.now, QUEUE, STARTUP_TOOK.now, POD_READY.now, POD_AGE.now),
    helps=(RESTARTS.now, UNSCHEDULABLE.now, START_BLOCKED.now),
    limits={
        "waiting": Limit(3, "requests", "a sustained queue, not the noise of one poll"),
        "long": Limit(180, "seconds", "three minutes: longer than users of an interactive service wait"),
        "slow": Limit(1800, "seconds", "half an hour: longer than a large model usually loads"),
    },
    fires=fires,
    explains=QUEUEING,
    remedies=remedies,
    pages=("serving/cold-start", "kubernetes/autoscaling-llm-serving"),
    owner="platform",
)
