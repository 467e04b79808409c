"""A router has no engine to send requests to.

## What it means
Its own log says so: it knows none, or holds all that it knows for unhealthy. Where engines are down or still load it is their symptom. Where they are
ready the way to them is wrong: a selector or label, the name or namespace of a pool, a port, a model's name, or a discovery that may not list pods.

## Why it hurts
Every request is refused with 503 while nobody computes.

## What would rule it out
The same line for a minute, while engines are replaced.
"""

import re

from tools.check import Because, Check, Limit, Limits, Now, On, Where, because
from tools.crashes import of_container
from tools.failed_starts import told
from tools.failing_replicas import ERRORS, FAILURES, failing, told_while_ready, unread
from tools.families import BROKEN, at, named
from tools.finding import Remedy
from tools.signals import POD_READY, RUNNING_FOR
from tools.vocabulary.cluster_parts import LOG_CLUSTER_API, LOG_NO_BACKEND
from tools.vocabulary.outcomes import LOG_WINDOW
from tools.vocabulary.pipelines import ROUTED, UNROUTED
from tools.vocabulary.startup import TOLD_OF

LOST = UNROUTED.increase("10m")
_CITES = ("serving/routing-and-load-balancing", "systems/llm-d-and-inference-gateway")
_MODEL = re.compile(r"(?:for model|selected model) '?\"?([\w./:-]{1,150})")
_ROLE = re.compile(r"No (prefill|decode) endpoints")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a router's log or its counts say so: one that is ready and fails requests, or one that has not been ready for a while."""
    found = told_while_ready(now, limits["errors"], LOG_NO_BACKEND, (LOG_CLUSTER_API,))
    refused = now.get(LOG_CLUSTER_API.now)
    if found is not None:
        return found if refused is None or not refused.text else None
    unrouted = _unrouted(now, limits)
    if unrouted is not None:
        return unrouted
    asked = [ready.subject for ready, _ in failing(now, limits["errors"])]
    for ready in now.each(POD_READY.now):
        if not ready.number:
            asked.append(ready.subject)
        line, ran = now.of(ready.subject, LOG_NO_BACKEND.now), now.of(ready.subject, RUNNING_FOR.now)
        api = now.of(ready.subject, LOG_CLUSTER_API.now)
        if ready.number or line is None or not line.text or (api is not None and api.text):
            continue
        if ran is not None and ran.number >= limits["standing"]:
            return of_container(
                now, because("{line_of} is not ready; its log says: {line}", ready, ran, line=line), "line"
            )
    unread(now, asked, LOG_NO_BACKEND)
    return None


def _unrouted(now: Now, limits: Limits) -> Because | None:
    """Because a router that counts as ready counts attempts for which it had no engine."""
    for ready in now.each(POD_READY.now):
        lost, api = now.of(ready.subject, LOST), now.of(ready.subject, LOG_CLUSTER_API.now)
        if not ready.number or lost is None or lost.number < limits["errors"] or (api is not None and api.text):
            continue
        routed = now.of(ready.subject, ROUTED.increase("10m"))
        return because(
            "{lost_of} counts as ready and had no engine to send to in {lost} within 10 min.", ready, routed, lost=lost
        )
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """The engines first; where they are ready, the way to them."""
    line = told(now, LOG_NO_BACKEND)
    model, role = _MODEL.search(line), _ROLE.search(line)
    whom = f" for {model[1]}" if model else f" for {role[1]}" if role else ""
    space = now.subject.namespace
    return (
        Remedy(
            f"See whether engines{whom} are ready at all: kubectl get pods -n {space} -o wide. If not, what keeps them is the cause, and this goes with it.",
            None,
            "Engines are ready, and the router's list of workers (its /workers, /metrics or log) names them.",
            _CITES,
        ),
        Remedy(
            f"If they are ready, compare what the router looks for with what they have (kubectl get pods -n {space} --show-labels): the selector of the pool"
            " or Service, port, namespace, the model's served name, and the role (prefill or decode) that its discovery reads from labels.",
            None,
            "The same request through the router answers.",
            (*_CITES, "platform/llm-gateways"),
        ),
        Remedy(
            "If it knows them and holds them for unhealthy, its own probe is too hard on an engine that loads or compiles: give the check a longer timeout,"
            " and let it try again.",
            None,
            "The router's list shows them healthy during the next load.",
            ("platform/circuit-breakers", "platform/health-endpoints"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(POD_READY.now,),
    helps=(
        LOG_NO_BACKEND.now,
        LOG_CLUSTER_API.now,
        RUNNING_FOR.now,
        ERRORS,
        FAILURES,
        LOG_WINDOW.now,
        LOST,
        ROUTED.increase("10m"),
        TOLD_OF.now,
    ),
    limits={
        "errors": Limit(5, "requests", "from then on the log of a server that counts as ready is read"),
        "standing": Limit(300, "seconds", "five minutes: engines that are replaced are back by then"),
    },
    fires=fires,
    explains=(
        *BROKEN,
        *named(
            "gateway_router_overloaded",
            "overload_rejections",
            "client_error_rise",
        ),
        *at(named("gpu_idle_no_traffic", "small_batches", "overprovisioned_replicas"), Where.SAME_NAMESPACE),
    ),
    remedies=remedies,
    pages=_CITES,
    owner="platform",
    pipeline=True,
)
