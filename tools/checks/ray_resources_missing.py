"""The Ray cluster does not have what an engine asks of it.

## What it means
Ray places an engine's workers as a group: as many GPUs as tensor times pipeline parallel size, each bundle on one node. The group waits until all of
them are there, and for good where the cluster has fewer, has them in another shape, or counts its nodes' GPUs as none.

## Why it hurts
The engine waits or gives up, and the GPUs that are already there do nothing meanwhile.

## What would rule it out
A cluster that is still scaling up, or workers that run and have not joined yet.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import DECISIVE, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Remedy
from tools.signals import GPU_REQUEST
from tools.vocabulary.cluster_parts import LOG_RAY_RESOURCES

_SPECS = re.compile(r"specs=(\[.{1,200}?\])")
_CITES = ("kubernetes/multi-node-serving", "systems/vllm-distributed-execution")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Count what is there against what is asked for."""
    specs, has = _SPECS.search(told(now, LOG_RAY_RESOURCES)), now.get(GPU_REQUEST.now)
    asked = f" It asks for {specs[1]}." if specs else ""
    own = f" The pods of this workload have {has.number:g} GPUs together." if has is not None and has.number else ""
    return (
        Remedy(
            f"Count the GPUs in ray status (kubectl exec into the head) against tensor times pipeline parallel size.{asked}{own}",
            None,
            "ray status shows no pending demand, and the engine's placement group is created.",
            _CITES,
        ),
        Remedy(
            "See that the worker pods run and have joined: pending pods, an image without the same Ray version, a head that their name does not lead"
            " to, or rayStartParams (num-gpus) that hide their GPUs.",
            None,
            "ray status lists every worker with its GPUs.",
            (*_CITES, "systems/ray-serve"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_RAY_RESOURCES),
    helps=helps(DECISIVE, GPU_REQUEST.now),
    limits=LIMITS,
    fires=ended_with(LOG_RAY_RESOURCES, unless=DECISIVE, helps=(GPU_REQUEST.now,)),
    explains=(*QUEUEING, *FAILING, *named("gpu_idle_no_process", "gpu_idle_no_traffic")),
    remedies=remedies,
    pages=_CITES,
    owner="ml platform",
)
