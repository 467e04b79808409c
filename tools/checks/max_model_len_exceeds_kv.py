"""One request of the longest length does not fit into the KV cache.

## What it means
The engine promises to serve a request of --max-model-len tokens, and the cache that is left beside the weights cannot
hold one. By default the length is the model's whole context.

## Why it hurts
The engine refuses to start, at each restart alike. Where the cache's size is overridden it starts, and the first such request is
never scheduled: everybody queues behind it while nothing runs.

## What would rule it out
A length beyond the model's own limit (another message), or no memory for the cache at all.
"""

import re

from tools import engine_changes, stalled_engines
from tools.check import Applies, Because, Check, Limits, Now, On
from tools.engines import Key
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, numbers, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import KV_DTYPE, POD_READY
from tools.vocabulary.configuration import MAX_MODEL_LEN
from tools.vocabulary.startup import LOG_LEN_KV

_FAILED_START = failed_start(LOG_LEN_KV, KV_DTYPE.now)
_SHARE = re.compile(r"Maximum concurrency for ([\d,]+) tokens per request: (0\.\d+)x")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended at its start with such a line, or holds requests, runs none and does nothing, and has printed it."""
    stands = stalled_engines.stalled(now, limits["idle"], limits["settled"], LOG_LEN_KV)
    return _FAILED_START(now, limits) or (stands if stands is not None and "line" in stands.readings else None)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_LEN_KV)
    fits = numbers(r"estimated maximum model length is (\d+)", line) or numbers(r"stored in KV cache \((\d+)\)", line)
    asked = numbers(r"max seq len \((\d+)\)", line)
    share = _SHARE.search(line)
    if share is not None:
        asked = (float(share[1].replace(",", "")),)
        fits = (asked[0] * float(share[2]),)
    memory = numbers(r"([\d.]+) GiB KV cache is needed.*?available KV cache memory \(([\d.]+) GiB\)", line)
    verify = "The log names the size of the KV cache, and the pod turns ready."
    change = None
    if fits:
        # The engine's own words, else what it resolves to.
        asked_for = f"{asked[0]:.0f}" if asked else "the model's whole context"
        before = asked_for if asked else engine_changes.value_of(now, Key.MAX_MODEL_LEN, MAX_MODEL_LEN.now, asked_for)
        fit = f"{fits[0] // 256 * 256 or fits[0]:.0f}"
        change = Change(engine_changes.option(now, Key.MAX_MODEL_LEN), before, fit)
    missing = f" {memory[0]:g} GiB are needed for one request, {memory[1]:g} GiB are there." if len(memory) == 2 else ""
    found = [
        Remedy(
            f"Cap the length at what fits, or at the longest request that is really sent if that is less.{missing}",
            change,
            verify,
            ("serving/kv-cache", "hardware/kv-cache-arithmetic"),
        )
    ]
    dtype = now.get(KV_DTYPE.now)
    if dtype is None or dtype.text in {"auto", "bfloat16", "float16"}:
        found.append(
            Remedy(
                "Store the cache in FP8: about twice the tokens in the same memory; check answer quality first.",
                engine_changes.change(now, Key.KV_CACHE_DTYPE, KV_DTYPE.now, "fp8", "auto"),
                verify,
                ("serving/kv-cache", "serving/quantization"),
            )
        )
    found.append(
        Remedy(
            "For the full length, spread the model over more GPUs: each then holds a part of the weights and of the cache.",
            None,
            verify,
            ("serving/tensor-parallelism",),
        )
    )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_LEN_KV),
    helps=(
        *HELPS,
        KV_DTYPE.now,
        MAX_MODEL_LEN.now,
        POD_READY.now,
        *stalled_engines.HELPS,
        *engine_changes.HELPS,
    ),
    limits={**LIMITS, **stalled_engines.LIMITS},
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("serving/kv-cache", "hardware/kv-cache-arithmetic"),
    owner="ml platform",
)
