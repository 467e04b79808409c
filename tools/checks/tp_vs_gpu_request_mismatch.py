"""The engine's parallel sizes use another number of GPUs than its pod requests.

## What it means
An engine uses tensor times pipeline times data parallel size GPUs, one where nobody sets them. The pod's request does not follow
by itself.

## Why it hurts
GPUs beyond that are held and paid for while nothing runs on them; with fewer the engine does not start.

## What would rule it out
Sizes whose product is the request, an engine that spans several pods, or several servers in the container.
"""

from tools import engine_changes
from tools.check import Applies, Because, Check, Limits, Now, On, Unseen, because
from tools.engines import Key
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.reading import Reading
from tools.signals import GPU_REQUEST, TENSOR_PARALLEL
from tools.vocabulary.configuration import CONFIGURED_BY, GPUS_USED


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where both numbers are known and differ."""
    found = _apart(now)
    if found is None:
        return None
    held, used = found
    also = (now.of(held.subject, CONFIGURED_BY.now), now.of(held.subject, TENSOR_PARALLEL.now))
    if used.number < held.number:
        return because(
            "{held_of} requests {held} and its engine uses {used}; the rest stays idle.", *also, held=held, used=used
        )
    return because(
        "{held_of} requests {held} and its engine needs {used}: it cannot start.", *also, held=held, used=used
    )


def _apart(now: Now) -> tuple[Reading, Reading] | None:
    for held in now.each(GPU_REQUEST.now):
        if held.number < 1:
            continue
        used = now.of(held.subject, GPUS_USED.now)
        if used is None:
            # A single GPU is used whatever the sizes are, or the start fails and tells.
            if held.number > 1:
                raise Unseen(now.blind(held.subject, GPUS_USED.now))
        elif used.number != held.number:
            return held, used
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    found = _apart(now)
    if found is None:
        return ()
    held, used = found
    verify = "Every GPU of the pod holds memory and shows work under load."
    cites = ("serving/tensor-parallelism", "gpu/idle-gpus")
    request = Remedy(
        "Request as many GPUs as the engine uses; the others serve somebody else at once.",
        Change("resources.limits.nvidia.com/gpu", f"{held.number:.0f}", f"{used.number:.0f}"),
        verify,
        cites,
    )
    if used.number > held.number:
        return (request,)
    parallel = now.of(held.subject, TENSOR_PARALLEL.now)
    more: tuple[Remedy, ...] = ()
    if parallel is not None and parallel.number >= 1 and held.number % (used.number / parallel.number) == 0:
        wider = held.number / (used.number / parallel.number)
        more = (
            Remedy(
                "Or spread the model over all of them, where its attention heads divide by that and NVLink joins them: more room for"
                " the KV cache and faster tokens.",
                engine_changes.change(now, Key.TENSOR_PARALLEL, TENSOR_PARALLEL.now, f"{wider:.0f}"),
                verify,
                cites,
            ),
        )
    return (request, *more)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(GPU_REQUEST.now, GPUS_USED.now),
    helps=(*engine_changes.HELPS, TENSOR_PARALLEL.now),
    fires=fires,
    explains=(*named("gpu_idle_no_process", "tp_invalid", "nccl_init_failure"), *FAILING, *QUEUEING),
    remedies=remedies,
    pages=("serving/tensor-parallelism", "gpu/idle-gpus"),
    owner="ml platform",
)
