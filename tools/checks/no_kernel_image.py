"""The image holds no code for this kind of GPU.

## What it means
The engine or one of its kernels was not compiled for the GPU's compute capability, or the data type needs a newer
GPU.

## Why it hurts
Every start on this kind of GPU ends the same way. A server that compiles nothing before its first request starts, turns ready and
fails each call instead.

## What would rule it out
The same image serving on the same kind of GPU.
"""

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.signals import POD_READY
from tools.vocabulary.startup import LOG_NO_KERNEL

_START = failed_start(LOG_NO_KERNEL)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica ended at its start with such a line, or is ready and fails its requests with it."""
    return _START(now, limits) or failing_replicas.said_while_ready(now, limits["errors"], LOG_NO_KERNEL)


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    verify = "The pod turns ready on this kind of GPU."
    if "Bfloat16" in told(now, LOG_NO_KERNEL):
        return (
            Remedy(
                "This GPU has no BF16: load the model in FP16, or use a GPU of compute capability 8.0 or above.",
                Change("--dtype", "bfloat16", "half"),
                verify,
                ("hardware/choosing-a-gpu",),
            ),
        )
    return (
        Remedy(
            "Use an image that is built for this GPU, or keep the workload to nodes that it is built for (a node selector or affinity on"
            " nvidia.com/gpu.product).",
            None,
            verify,
            ("platform/container-images", "hardware/choosing-a-gpu"),
        ),
        Remedy(
            "If the traceback names a quantisation or attention kernel, choose another backend for it.",
            None,
            verify,
            ("serving/quantization", "systems/attention-backends"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_NO_KERNEL),
    helps=(*HELPS, POD_READY.now, *failing_replicas.HELPS),
    limits={**LIMITS, **failing_replicas.LIMITS},
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("platform/container-images", "hardware/choosing-a-gpu"),
    owner="ml platform",
)
