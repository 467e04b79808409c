"""A neighbour on the node takes the CPU that the engine needs.

## What it means
Nearly all CPUs of the node are busy, and another pod takes far more of them than an engine there, which is slow while its GPU has time
to spare. The engine is not stopped by a limit of its own: it waits for its turn on a core.

## Why it hurts
Tokenising, scheduling and launching kernels are a chain on the CPU: each step that waits for a core is a step that the GPU waits too.

## What would rule it out
CPU to spare on the node, an engine that is throttled by its own limit, or a GPU that is busy all the time.
"""

from tools.check import Because, Check, Explains, Limit, Limits, Now, On, Where, because
from tools.families import BROKEN, SLOW, at
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import CPU_THROTTLED, CPU_USAGE, GENERATION_TOKENS, GPU_UTIL, ITL, TTFT
from tools.vocabulary.pipelines import NODE_CPU_BUSY, NODE_CPU_PRESSURE, NODE_CPUS

BUSY = NODE_CPU_BUSY.avg("10m")
USED = CPU_USAGE.rate("5m")
LATE = TTFT.p95("5m")
GAP = ITL.p95("5m")
TOKENS = GENERATION_TOKENS.rate("5m")
GPUS = GPU_UTIL.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire on a node whose CPUs are taken by others than the engine that suffers."""
    found = _felt(now, limits)
    if found is None:
        return None
    felt, what = found
    busy = now[BUSY]
    if busy.number < limits["busy"]:
        return None
    usage = now.each(USED)
    own = next((one for one in usage if one.subject == felt.subject), None)
    others = sorted((one for one in usage if one is not own), key=lambda one: -one.number)
    mine = own.number if own is not None else 0.0
    if not others or others[0].number < limits["more"] * mine:
        return None
    return because(
        "The CPUs of the node are busy {busy} of the time, and {neighbour_of} alone uses {neighbour};"
        f" meanwhile the p95 {what} of {{felt_of}} is {{felt}}.",
        own,
        now.of(felt.subject, GPUS),
        now.get(NODE_CPU_PRESSURE.avg("10m")),
        now.get(NODE_CPUS.now),
        busy=busy,
        neighbour=others[0],
        felt=felt,
    )


def _felt(now: Now, limits: Limits) -> tuple[Reading, str] | None:
    """What is slow of an engine here that serves, is not throttled, and whose GPU waits; None where no engine suffers."""
    for ask, limit, what in ((LATE, "ttft", "time to first token"), (GAP, "itl", "gap between tokens")):
        worst = now.get(ask)
        if worst is None or worst.number < limits[limit]:
            continue
        tokens, throttled = now.of(worst.subject, TOKENS), now.of(worst.subject, CPU_THROTTLED.mean("5m"))
        gpu = now.of(worst.subject, GPUS)
        serves = tokens is not None and tokens.number > 0
        waits = gpu is not None and gpu.number < limits["gpu"]
        if serves and waits and (throttled is None or throttled.number < limits["throttled"]):
            return worst, what
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Move the neighbour, bound it, and give the engine cores of its own."""
    verify = "The node's CPUs are busy less than 80 % of the time, and the engine's latency is what it was."
    return (
        Remedy(
            "Move the neighbour off the GPU node (a taint on GPU nodes keeps such pods away), or bound it with a CPU limit: batch work can wait.",
            verify=verify,
            cites=("kubernetes/cpu-limits-and-throttling", "platform/multi-tenancy"),
        ),
        Remedy(
            "Give the engine a CPU request of what it really uses: under contention cores are shared in proportion to requests, and a pod"
            " without one gets next to nothing. Whole cores with the static CPU manager are safest.",
            verify=verify,
            cites=("kubernetes/cpu-limits-and-throttling",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="high",
    needs=(BUSY, USED),
    helps=(LATE, GAP, TOKENS, GPUS, CPU_THROTTLED.mean("5m"), NODE_CPU_PRESSURE.avg("10m"), NODE_CPUS.now),
    limits={
        "busy": Limit(0.9, "ratio", "above it tasks wait for a core much of the time"),
        "more": Limit(2, "ratio", "replicas alike crowd each other: that is a node too small, not a neighbour"),
        "ttft": Limit(
            0.75, "seconds", "more than a third of the default objective, of a server that has nothing else to wait for"
        ),
        "itl": Limit(0.08, "seconds", "twelve tokens a second: about as fast as people read"),
        "gpu": Limit(0.6, "ratio", "a busy decoder is above; below it the GPU waits"),
        "throttled": Limit(0.25, "ratio", "then its own limit is what stops it"),
    },
    fires=fires,
    explains=(
        *at((*SLOW, *BROKEN), Where.ON_THIS_NODE),
        *(Explains(one, Where.ON_THIS_NODE) for one in ("event_loop_blocked", "routing_skew", "readiness_never_true")),
    ),
    remedies=remedies,
    pages=("kubernetes/cpu-limits-and-throttling", "platform/multi-tenancy"),
    owner="platform",
)
