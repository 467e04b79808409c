"""Tokens come slowly because too many requests share each step.

## What it means
The inter-token latency misses its objective while many sequences run at once and few wait: each decode step reads the weights once and
every sequence's cache, so that a larger batch is a longer step.

## Why it hurts
Answers crawl for everybody, although throughput looks best in that hour.

## What would rule it out
Few running sequences, preemptions (then the cache is short), or gaps only in the tail (then long prompts interrupt).
"""

from dataclasses import replace

from tools import engine_changes
from tools.check import Applies, Because, Check, Explains, Limit, Limits, Now, On, because, objective
from tools.engines import Key
from tools.finding import Remedy
from tools.signals import ITL, KV_USAGE, MAX_NUM_SEQS, PREEMPTIONS, REQUESTS_RUNNING, TTFT

SLOW = ITL.p95("5m")
TYPICAL = ITL.p50("5m")
BATCH = REQUESTS_RUNNING.avg("10m")
EVICTED = PREEMPTIONS.increase("10m")
FIRST = TTFT.mean("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the typical gap between tokens is long on a replica that runs a large batch without preempting."""
    for slow in sorted(now.each(SLOW), key=lambda reading: -reading.number):
        if slow.number <= limits["itl"]:
            return None
        typical = now.of(slow.subject, TYPICAL) or now[TYPICAL]
        batch = now.of(slow.subject, BATCH) or now[BATCH]
        # A long tail alone is the mark of long prompts between the steps.
        if typical.number < limits["typical"] * limits["itl"] or batch.number < limits["batch"]:
            continue
        evicted = now.get(EVICTED)
        if evicted is not None and evicted.number >= limits["preemptions"]:
            return None
        found = because(
            "The p95 gap between tokens of {slow_of} is {slow} against an objective of {goal} (median {typical}), with {batch} at once on average.",
            evicted,
            now.get(KV_USAGE.now),
            now.get(MAX_NUM_SEQS.now),
            slow=slow,
            goal=objective(slow, limits["itl"]),
            typical=typical,
            batch=batch,
        )
        first = now.of(slow.subject, FIRST)
        few = first is not None and first.number <= limits["steps"] * typical.number
        # A prompt that is done within a few steps is slow because the steps are.
        return replace(found, outranks=("ttft_breach_prefill",)) if few else found
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """A smaller batch per replica, and more replicas for the rest."""
    batch = now.get(BATCH)
    change = None
    if batch is not None:
        change = engine_changes.change(
            now, Key.MAX_NUM_SEQS, MAX_NUM_SEQS.now, f"{max(8.0, batch.number / 2):.0f}", "the default"
        )
    return (
        Remedy(
            "Cap the sequences per replica: halve them, measure, and go on until the gap meets its objective; then add the replicas that the load needs.",
            change,
            "The p95 inter-token latency meets its objective, and requests do not pile up in the queue.",
            ("serving/inter-token-latency", "serving/continuous-batching"),
        ),
        Remedy(
            "Where the cap costs too many replicas, shorten the step instead: FP8 weights or cache, or a GPU with more memory bandwidth.",
            verify="The gap at the same number of sequences is shorter.",
            cites=("serving/quantization", "serving/inter-token-latency"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(SLOW, TYPICAL, BATCH),
    helps=(EVICTED, FIRST, KV_USAGE.now, MAX_NUM_SEQS.now, *engine_changes.HELPS),
    limits={
        "itl": Limit(0.1, "seconds", "ten tokens per second, about reading speed; set your own"),
        "typical": Limit(0.7, "ratio", "the median is near the objective too: it is the step, not an interruption"),
        "batch": Limit(64, "requests", "below, a decode step is bound by reading the weights, whatever the batch"),
        "steps": Limit(10, "steps", "prefilling a short prompt takes a few, a long one dozens"),
        "preemptions": Limit(10, "preemptions", "then the cache is what is short"),
    },
    fires=fires,
    explains=(Explains("abort_spike"),),
    remedies=remedies,
    pages=("serving/inter-token-latency", "serving/continuous-batching"),
    owner="ml",
)
