"""The CPU holds the GPUs back: the container is throttled while its GPUs have time to spare.

## What it means
Tokenising, scheduling, detokenising and the HTTP server run on the CPU. Under a CPU limit that is too small the kernel stops
them in every period, and the GPU waits for its next step.

## Why it hurts
Latency grows and throughput falls on hardware that costs many times what the missing cores would.

## What would rule it out
Throttling that is rare, or GPUs that are busy all the time: then the CPU is not what limits.
"""

from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, Unseen, because
from tools.families import SLOW
from tools.finding import Change, Remedy
from tools.signals import (
    CPU_LIMIT,
    CPU_THROTTLED,
    CPU_USAGE,
    GENERATION_TOKENS,
    GPU_REQUEST,
    GPU_UTIL,
    REQUESTS_FINISHED,
    REQUESTS_WAITING,
    TENSOR_PARALLEL,
    TTFT,
)
from tools.vocabulary.pipelines import REQUEST_TIME

THROTTLED = CPU_THROTTLED.mean("5m")
BUSY = GPU_UTIL.avg("10m")
TOKENS = GENERATION_TOKENS.rate("5m")
DONE = REQUESTS_FINISHED.increase("10m")
WHOLE = REQUEST_TIME.p95("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when throttling is frequent, the GPUs are far from busy, tokens flow and users feel it."""
    if now.get(GPU_REQUEST.now) is not None and now.get(CPU_LIMIT.now) is None:
        return None  # the manifest sets no limit, so nothing can be throttled
    throttled = now.worst(THROTTLED)
    if throttled.number < limits["throttled"]:
        return None
    busy = now.of(throttled.subject, BUSY) or now.least(BUSY)
    if busy.number >= limits["busy"]:
        return None
    # What generates nothing (an embedder, a classifier) finishes requests.
    work = now.total(TOKENS) if now.get(TOKENS) is not None else now.get(DONE)
    if work is None:
        raise Unseen(now.blind(now.subject, TOKENS))
    if work.number <= 0:
        return None
    late, waiting = now.get(TTFT.p95("5m")), now.get(REQUESTS_WAITING.avg("10m"))
    whole = now.get(WHOLE) if now.get(TOKENS) is None else None
    felt = (
        (late is not None and late.number >= limits["ttft"])
        or (waiting is not None and waiting.number >= 1)
        or (whole is not None and whole.number >= limits["request"])
    )
    if not felt:
        return None
    return because(
        "{throttled_of} is throttled in {throttled} of its CPU periods while its GPU is busy {busy} of the time.",
        late,
        waiting,
        whole,
        work,
        now.get(CPU_LIMIT.now),
        now.get(CPU_USAGE.rate("5m")),
        throttled=throttled,
        busy=busy,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Lift the limit: one core per engine process and tensor-parallel worker, and some for the API server and tokeniser."""
    cap, parallel = now.get(CPU_LIMIT.now), now.get(TENSOR_PARALLEL.now)
    cores = 4 + 2 * int(parallel.number if parallel is not None else 1)
    change = None
    if cap is not None:
        cores = max(cores, int(cap.number * 2))
        change = Change("resources.limits.cpu", f"{cap.number:g}", f"{cores}, or no limit with a request of {cores}")
    return (
        Remedy(
            "Give the serving container more CPU. A request with no limit is safest for latency on a node that is not shared.",
            change,
            "Throttled periods fall below 5 % and the GPU's busy time rises with the same traffic.",
            ("kubernetes/cpu-limits-and-throttling",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(THROTTLED, BUSY, TOKENS),
    helps=(
        TTFT.p95("5m"),
        REQUESTS_WAITING.avg("10m"),
        DONE,
        WHOLE,
        CPU_LIMIT.now,
        CPU_USAGE.rate("5m"),
        TENSOR_PARALLEL.now,
        GPU_REQUEST.now,
    ),
    limits={
        "throttled": Limit(0.25, "ratio", "a quarter of the periods; a tenth is worth watching"),
        "request": Limit(
            1.0, "seconds", "without tokens a whole request is one computation of some tens of milliseconds"
        ),
        "busy": Limit(0.6, "ratio", "a busy decoder is above; it leaves no doubt that the GPU waits"),
        "ttft": Limit(1.0, "seconds", "half of the default objective: users begin to feel it"),
    },
    fires=fires,
    explains=(Explains("small_batches"), *SLOW),
    remedies=remedies,
    pages=("kubernetes/cpu-limits-and-throttling", "gpu/utilization-and-what-it-hides"),
    owner="platform",
)
