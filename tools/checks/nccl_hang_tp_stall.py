"""The GPUs of a replica wait for each other and no token comes out.

## What it means
A collective operation never ends: one rank has failed, hangs or waits for another. The GPUs spin at full utilisation in the
communication kernel while requests are running.

## Why it hurts
The replica looks busy and healthy, and every request on it hangs until a timeout ends the process.

## What would rule it out
Tokens that still come, a model on a single GPU, or a start that compiles (then no request is running).
"""

from collections.abc import Iterator

from tools.check import Applies, Because, Check, Explains, Limit, Limits, NothingToSee, Now, On, because
from tools.crashes import needed
from tools.families import BROKEN, DOWN, SLOW
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GENERATION_TOKENS, GPU_DRAM, GPU_REQUEST, GPU_UTIL, POD_READY, REQUESTS_RUNNING
from tools.vocabulary.startup import LOG_COLLECTIVE

RUNNING = REQUESTS_RUNNING.min("5m")
TOKENS = GENERATION_TOKENS.rate("5m")
BUSY = GPU_UTIL.min("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica of several GPUs has run requests without a token for five minutes, all its GPUs busy."""
    for running in _running(now):
        if running.number < 1:
            continue
        tokens, gpus = needed(now, running, TOKENS), needed(now, running, GPU_REQUEST.now)
        if tokens.number > 0 or gpus.number < 2:
            continue
        # Another replica's GPUs may rest while this one's spin; where nobody tells whose they are, all of them must.
        busy = min(now.held(running.subject, BUSY), key=lambda one: one.number, default=None) or now.least(BUSY)
        if busy.number < limits["busy"]:
            continue
        return because(
            "{running_of} has run {running} at least over 5 min without a token, on {gpus} whose utilisation stays at {busy}.",
            tokens,
            now.get(GPU_DRAM.max("5m")),
            now.of(running.subject, LOG_COLLECTIVE.now),
            running=running,
            gpus=gpus,
            busy=busy,
        )
    return None


def _running(now: Now) -> Iterator[Reading]:
    """The replicas that are ready, and those that a hang has made unready and that go on telling what they hold."""
    unready = []
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        held = now.of(ready.subject, RUNNING) if not ready.number else None
        if held is not None:
            unready.append(held)
    try:
        yield from now.each(RUNNING)
    except NothingToSee:
        if not unready:
            raise
    yield from unready


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Save what shows the hang, restart the group, look for the first rank."""
    return (
        Remedy(
            "Keep a py-spy dump of every rank, then restart the pod (all pods of the group, if it spans several).",
            None,
            "Tokens come again within the usual load time.",
            ("serving/tensor-parallelism",),
        ),
        Remedy(
            "Look for what came first on any rank: an Xid, a kill for memory, starved CPU, a fault of NVLink or the network.",
            None,
            "The earliest error across ranks is known; later timeouts are its echo.",
            ("gpu/xid-errors", "hardware/interconnect"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="critical",
    needs=(RUNNING, TOKENS, GPU_REQUEST.now, BUSY),
    helps=(POD_READY.now, GPU_DRAM.max("5m"), LOG_COLLECTIVE.now),
    limits={"busy": Limit(0.9, "ratio", "a spinning collective keeps every GPU busy, as far as its counter is exact")},
    fires=fires,
    explains=(Explains("engine_dead"), *SLOW, *BROKEN, *DOWN),
    remedies=remedies,
    pages=("serving/tensor-parallelism", "gpu/utilization-and-what-it-hides"),
    owner="ml platform",
)
