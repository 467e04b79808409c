"""The engine keeps evicting running requests and computing them again.

## What it means
When the KV cache runs out in the middle of decoding, the scheduler drops a running sequence and later recomputes it from
its prompt. A few of these are harmless; a steady stream means that more was admitted than the cache can hold. Where more requests are
thrown out than finish, this is the cause, and the full cache with its queue the symptom.

## Why it hurts
The same tokens are computed twice, so throughput falls while the GPU is busy, and the tail of every latency grows.

## What would rule it out
Preemptions that stopped, or that are rare beside the requests that finish.
"""

from dataclasses import replace

from tools import engine_changes
from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because
from tools.engines import Key
from tools.finding import Remedy
from tools.signals import KV_USAGE, MAX_NUM_SEQS, PREEMPTIONS, REQUESTS_FINISHED, REQUESTS_RUNNING

# A full cache mostly causes preemptions.
_FULL = ("kv_saturation_queueing", "kv_memory_cliff")

COUNT = PREEMPTIONS.increase("10m")
NOW = PREEMPTIONS.rate("5m")
DONE = REQUESTS_FINISHED.increase("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when preemptions go on and are many beside what finishes."""
    count = now.total(COUNT)
    if count.number < limits["preemptions"]:
        return None
    rate = now.total(NOW)
    if rate.number <= 0:
        return None
    done = now.total(DONE)
    if count.number < limits["share"] * done.number:
        return None
    found = because(
        "{count} in 10 min while {done} finished, and they go on at {rate}.",
        now.get(KV_USAGE.avg("10m")),
        count=count,
        done=done,
        rate=rate,
    )
    # Each request that finishes was thrown out once at least: what was admitted is the trouble, and the full cache its other face.
    return replace(found, outranks=_FULL) if count.number >= limits["thrash"] * done.number else found


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Admit fewer sequences, or make room for those admitted."""
    running, cap = now.get(REQUESTS_RUNNING.now), now.get(MAX_NUM_SEQS.now)
    change = None
    if cap is not None and running is not None and cap.number > 16:
        change = engine_changes.change(
            now, Key.MAX_NUM_SEQS, MAX_NUM_SEQS.now, f"{max(16, int(cap.number * 0.75) // 8 * 8)}"
        )
    verify = "Preemptions stand still over 10 min while throughput holds."
    return (
        Remedy(
            "Admit fewer sequences at once: those that run then finish without being computed twice.",
            change,
            verify,
            ("serving/preemption",),
        ),
        Remedy(
            "Make room in the KV cache or add a replica, as for a full cache.",
            verify=verify,
            cites=("serving/kv-cache",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(COUNT, NOW, DONE),
    helps=(KV_USAGE.avg("10m"), REQUESTS_RUNNING.now, MAX_NUM_SEQS.now, *engine_changes.HELPS),
    limits={
        "preemptions": Limit(10, "preemptions", "one a minute; below that it is noise"),
        "share": Limit(0.05, "ratio", "preemptions per finished request; a heuristic starting point"),
        "thrash": Limit(
            1, "ratio", "a preemption per finished request: more is computed anew than is brought to its end"
        ),
    },
    fires=fires,
    explains=(
        Explains("ttft_breach_queueing"),
        Explains("itl_breach_batch_too_large"),
        Explains("head_of_line_blocking"),
        Explains("abort_spike"),
        Explains("overload_rejections"),
    ),
    remedies=remedies,
    pages=("serving/preemption", "serving/kv-cache"),
    owner="ml platform",
)
