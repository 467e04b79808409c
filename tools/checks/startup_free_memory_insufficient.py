"""Less GPU memory is free at start than the engine was told to take.

## What it means
vLLM takes a fixed share of the GPU's whole memory and refuses to start when that much is not free: another process, a
pod that still ends, or a second engine holds the rest.

## Why it hurts
It ends the same way at each restart until the memory is given back, so the replica never comes up.

## What would rule it out
A log without that refusal, or an engine that had served: then memory ran out later.
"""

from tools import engine_changes
from tools.check import Applies, Check, Limits, Now, On
from tools.engines import Key
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, numbers, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import GPU_MEM_UTILIZATION
from tools.vocabulary.startup import LOG_FREE_MEMORY


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    found = numbers(r"\(([\d.]+)/([\d.]+) GiB\)", told(now, LOG_FREE_MEMORY))
    verify = "The log goes on to load weights, and the pod turns ready."
    cites = ("gpu/memory-accounting", "gpu/out-of-memory-kinds")
    text = (
        "Find who else holds the GPU (nvidia-smi on the node): a pod that still ends, a stray process, a second engine."
    )
    change: Change | None = None
    if len(found) == 2 and found[1] > 0:
        free, total = found
        text += f" {free:g} of {total:g} GiB are free, so {total - free:.1f} GiB are held by something else."
        fits = int(free / total * 100 - 2) / 100
        if fits >= 0.1:
            # The line itself says what the engine was told to take.
            desired = numbers(r"desired GPU memory utilization \(([\d.]+),", told(now, LOG_FREE_MEMORY))
            old = f"{desired[0]:g}" if desired else "default"
            key = Key.GPU_MEMORY_UTILIZATION
            change = engine_changes.change(now, key, GPU_MEM_UTILIZATION.now, f"{fits:.2f}", old)
    found_remedies = [Remedy(text, None, verify, cites)]
    if change is not None:
        found_remedies.append(
            Remedy(
                "If the GPU is shared on purpose, take no more than is free; the shares of all engines stay below 1 together.",
                change,
                verify,
                cites,
            )
        )
    return tuple(found_remedies)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_FREE_MEMORY),
    helps=(
        *HELPS,
        GPU_MEM_UTILIZATION.now,
        *engine_changes.HELPS,
    ),
    limits=LIMITS,
    fires=failed_start(LOG_FREE_MEMORY, GPU_MEM_UTILIZATION.now),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("gpu/memory-accounting", "gpu/out-of-memory-kinds"),
    owner="ml platform",
)
