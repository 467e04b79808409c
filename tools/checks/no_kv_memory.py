"""The weights fit, but no GPU memory is left for the KV cache.

## What it means
The engine's share of the GPU is used up by weights, activations and CUDA graphs before a single block of the KV cache
is set aside.

## Why it hurts
An engine without a cache cannot serve one token, so it ends at every start.

## What would rule it out
A log that names a size above zero for the cache, or an out-of-memory error of CUDA before the weights were loaded.
"""

from tools import engine_changes
from tools.check import Applies, Check, Limits, Now, On
from tools.engines import Key
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import GPU_MEM_UTILIZATION, TENSOR_PARALLEL
from tools.vocabulary.startup import LOG_NO_KV


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    share, parallel = now.get(GPU_MEM_UTILIZATION.now), now.get(TENSOR_PARALLEL.now)
    verify = "The log names the size of the KV cache, and the pod turns ready."
    width = int(parallel.number) if parallel is not None else 1
    sglang = "--mem-fraction-static" in told(now, LOG_NO_KV)
    flag = "--mem-fraction-static" if sglang else engine_changes.option(now, Key.GPU_MEMORY_UTILIZATION)
    more = None
    if share is None or share.number < 0.92:
        before = engine_changes.value_of(now, Key.GPU_MEMORY_UTILIZATION, GPU_MEM_UTILIZATION.now, "default")
        more = Change(flag, before, "0.93")
    return (
        Remedy(
            "Give the engine a larger share of the GPU, where nothing else runs on it; less would leave the cache even less.",
            more,
            verify,
            ("gpu/memory-accounting", "serving/kv-cache"),
        ),
        Remedy(
            "Or need less beside the cache: lower --max-num-batched-tokens, a quantised checkpoint, or --enforce-eager.",
            None,
            verify,
            ("serving/quantization", "gpu/memory-accounting"),
        ),
        Remedy(
            "Or spread the weights over more GPUs; the pod must request as many.",
            Change(engine_changes.option(now, Key.TENSOR_PARALLEL), str(width), str(width * 2)),
            verify,
            ("serving/tensor-parallelism",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_NO_KV),
    helps=(
        *HELPS,
        GPU_MEM_UTILIZATION.now,
        TENSOR_PARALLEL.now,
        *engine_changes.HELPS,
    ),
    limits=LIMITS,
    fires=failed_start(LOG_NO_KV, GPU_MEM_UTILIZATION.now, TENSOR_PARALLEL.now),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("gpu/memory-accounting", "serving/kv-cache"),
    owner="ml platform",
)
