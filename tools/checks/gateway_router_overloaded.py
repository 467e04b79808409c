"""The router is overloaded: requests are held up before they reach an engine that has room.

## What it means
What chooses an engine for each request (an endpoint picker, a frontend, a gateway) takes too long to choose, keeps requests in its
own queue, or is stopped by its CPU limit, while the engines behind it have next to nothing waiting.

## Why it hurts
Every user waits, whichever model they ask, and nothing on the engines' boards shows it: their queues are empty and their GPUs idle.

## What would rule it out
Requests that wait at the engines, or a pool that its flow control sees as saturated: then it holds requests back on purpose, and the
engines are what is short.
"""

from tools.check import Because, Check, Limit, Limits, NothingToSee, Now, On, Unseen, Where, because
from tools.families import BROKEN, at, named
from tools.finding import Change, Remedy
from tools.signals import CPU_LIMIT, CPU_THROTTLED, CPU_USAGE
from tools.vocabulary.pipelines import (
    BEHIND_KV,
    BEHIND_READY,
    BEHIND_WAITING,
    HELD,
    ROUTED,
    ROUTING_TIME,
    SATURATION,
    STAGE,
)

CHOOSING = ROUTING_TIME.p95("5m")
KEPT = HELD.min("5m")
BEHIND = BEHIND_WAITING.avg("10m")
FULL = SATURATION.avg("10m")
THROTTLED = CPU_THROTTLED.mean("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the router is slow, holds requests or is throttled, and the engines behind it are not what is short."""
    slow, kept = now.get(CHOOSING), now.get(KEPT)
    if slow is None and kept is None:
        return _by_its_cpu(now, limits)
    late = slow is not None and slow.number >= limits["decision"]
    holds = kept is not None and kept.number >= limits["held"]
    if not late and not holds:
        return None
    full = now.get(FULL)
    if full is not None and full.number >= limits["saturated"]:
        return None
    waiting = now.get(BEHIND)
    if waiting is None and not late:
        # It may well hold requests for its engines' sake: without a look at them nobody knows.
        raise Unseen(now.blind(now.subject, BEHIND))
    ready = now.get(BEHIND_READY.now)
    if (waiting is not None and waiting.number >= limits["behind"]) or (ready is not None and not ready.number):
        return None
    throttled, cap = now.get(THROTTLED), now.get(CPU_LIMIT.now)
    more = (full, now.get(BEHIND_KV.avg("10m")), ready, now.get(ROUTED.rate("5m")), now.get(CPU_USAGE.rate("5m")), cap)
    said = {"waiting": waiting, "throttled": throttled, "slow": slow, "kept": kept}
    known = {name: reading for name, reading in said.items() if reading is not None}
    does = ["takes {slow} (p95) to choose an engine"] if late else []
    does += ["never holds less than {kept}"] if holds else []
    if throttled is not None and throttled.number >= limits["throttled"]:
        does.append("is throttled in {throttled} of its CPU periods")
    whom = "{slow_of} " if late else "{kept_of} "
    behind = " while {waiting} wait per engine behind it" if waiting is not None else ""
    return because(f"{whom}{', '.join(does)}{behind}.", *more, severity=None, **known)


def _by_its_cpu(now: Now, limits: Limits) -> Because | None:
    """A router that tells nothing of its work is judged by its CPU alone."""
    stage = now.get(STAGE.now)
    if stage is None or stage.text != "router":
        raise NothingToSee("it is no router")
    cap = now.get(CPU_LIMIT.now)
    if cap is None:
        return None  # without a limit nothing stops it
    throttled = now.worst(THROTTLED)
    if throttled.number < limits["throttled"]:
        return None
    usage = now.get(CPU_USAGE.rate("5m"))
    return because("{throttled_of} routes requests and is throttled in {throttled} of its CPU periods.",
                   stage, usage, cap, throttled=throttled)  # fmt: skip


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """More CPU where it is throttled, more replicas, and less work per request."""
    throttled, cap = now.get(THROTTLED), now.get(CPU_LIMIT.now)
    verify = "The p95 time to choose is below 10 ms, nothing is held for a minute, and the engines get their requests."
    found = []
    if cap is not None and (throttled is None or throttled.number >= limits["throttled"] / 2):
        more = f"{max(2, int(cap.number * 2))}, or no limit with a request of that"
        found.append(
            Remedy(
                "Give the router more CPU: it is stopped in its periods, not short of engines.",
                Change("resources.limits.cpu", f"{cap.number:g}", more),
                verify,
                ("kubernetes/cpu-limits-and-throttling",),
            )
        )
    found.append(
        Remedy(
            "Run more replicas of the router where it may have several, and spread the gateway's connections over them;"
            " mind that each keeps its own idea of who holds which prefix.",
            None,
            verify,
            ("platform/llm-gateways", "platform/prefix-aware-and-session-routing"),
        )
    )
    found.append(
        Remedy(
            "Take work out of its path: tokenising prompts, looking up exact prefixes, buffering whole bodies and calls"
            " to other services cost it time for each request.",
            None,
            verify,
            ("serving/routing-and-load-balancing", "platform/llm-gateways"),
        )
    )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(CHOOSING, KEPT, BEHIND, THROTTLED),
    helps=(
        FULL,
        STAGE.now,
        BEHIND_KV.avg("10m"),
        BEHIND_READY.now,
        ROUTED.rate("5m"),
        CPU_USAGE.rate("5m"),
        CPU_LIMIT.now,
    ),
    limits={
        "decision": Limit(0.05, "seconds", "a thousand times what it takes at rest; its histogram ends at 0.1 s"),
        "held": Limit(10, "requests", "a handful is a burst; this many that never leave are a queue"),
        "behind": Limit(1, "requests", "one waiting per engine: the engines are what is short"),
        "saturated": Limit(0.8, "ratio", "flow control holds requests back as the pool nears its limit"),
        "throttled": Limit(0.5, "ratio", "half of the periods; a proxy with headroom is hardly ever stopped"),
    },
    fires=fires,
    explains=(
        *BROKEN,
        *named("ttft_breach_queueing", "overload_rejections"),
        *at(named("small_batches", "abort_spike"), Where.SAME_NAMESPACE),
    ),
    remedies=remedies,
    pages=("serving/routing-and-load-balancing", "platform/llm-gateways", "kubernetes/cpu-limits-and-throttling"),
    owner="platform",
    pipeline=True,
)
