"""The parallel size suits neither the model nor the GPUs of the pod.

## What it means
Tensor parallelism needs a size that divides the model's attention heads, and as many GPUs in the container.

## Why it hurts
The engine refuses to start.

## What would rule it out
A size that divides the heads on a pod with as many GPUs.
"""

from tools import engine_changes
from tools.check import Applies, Check, Limits, Now, On
from tools.engines import Key
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, numbers, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import GPU_REQUEST, TENSOR_PARALLEL
from tools.vocabulary.configuration import GPUS_USED
from tools.vocabulary.startup import LOG_TP


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    heads = numbers(r"heads \((\d+)\) must be divisible by tensor parallel size \((\d+)\)", told(now, LOG_TP))
    parallel, held = now.get(TENSOR_PARALLEL.now), now.least(GPU_REQUEST.now) if now.get(GPU_REQUEST.now) else None
    verify = "The engine gets past its configuration and loads weights on every GPU."
    cites = ("serving/tensor-parallelism",)
    if len(heads) == 2:
        sizes = [size for size in (1, 2, 4, 8, 16) if heads[0] % size == 0]
        below = max((size for size in sizes if size <= heads[1]), default=1)
        return (
            Remedy(
                f"Choose a size that divides {heads[0]:.0f} attention heads ({', '.join(map(str, sizes))}), and request as many GPUs.",
                Change(engine_changes.option(now, Key.TENSOR_PARALLEL), f"{heads[1]:.0f}", str(below)),
                verify,
                cites,
            ),
        )
    change = None
    used = now.get(GPUS_USED.now) or parallel
    if used is not None and held is not None and held.number < used.number:
        change = Change("resources.limits.nvidia.com/gpu", f"{held.number:.0f}", f"{used.number:.0f}")
    return (Remedy("Request as many GPUs as tensor times pipeline parallelism needs.", change, verify, cites),)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_TP),
    helps=(
        *HELPS,
        TENSOR_PARALLEL.now,
        GPU_REQUEST.now,
        GPUS_USED.now,
        *engine_changes.HELPS,
    ),
    limits=LIMITS,
    fires=failed_start(LOG_TP, TENSOR_PARALLEL.now, GPU_REQUEST.now),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("serving/tensor-parallelism",),
    owner="ml platform",
)
