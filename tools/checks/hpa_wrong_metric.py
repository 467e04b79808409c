"""The autoscaler follows a metric that does not see the queue.

## What it means
CPU, memory and GPU utilisation say little about how many requests wait: the GPU is busy with one request, its memory is filled at
start, and the CPU is idle or spins whatever the load. So the queue grows and the replica count stays.

## Why it hurts
The fleet has an autoscaler and is served as if it had none.

## What would rule it out
An empty queue, an autoscaler at its maximum, or one that also follows waiting requests, concurrency or KV cache usage.
"""

import re

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.families import QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import HPA_DESIRED, HPA_MAX, HPA_METRICS, HPA_MIN, KV_USAGE, REQUESTS_WAITING

QUEUE = REQUESTS_WAITING.avg("10m")
# What is said of the hardware, not of the work: by the names that autoscalers and adapters give it.
_BLIND_TO_QUEUES = re.compile(
    r"^(cpu|memory|dcgm_fi_.*|.*gpu_?util.*|.*utilization_gpu.*|.*fb_used.*|.*gpu_memory.*|container_cpu.*|container_memory.*)$",
    re.IGNORECASE,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when requests wait, the autoscaler sees only hardware, and it has room that it does not use."""
    metrics = now[HPA_METRICS.now]
    names = [name for name in metrics.text.split(", ") if name]
    if not names or not all(_BLIND_TO_QUEUES.match(name) for name in names):
        return None
    queue = now.total(QUEUE)
    if queue.number < limits["waiting"]:
        return None
    desired, most = now[HPA_DESIRED.now], now[HPA_MAX.now]
    if desired.number >= most.number:
        return None
    return because(
        "{queue} wait on average over 10 min, while the autoscaler follows {metrics} and wants {desired} of at most {most}.",
        now.get(HPA_MIN.now),
        now.get(KV_USAGE.now),
        queue=queue,
        metrics=metrics,
        desired=desired,
        most=most,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Follow the queue; scale by hand until that is in place."""
    desired, most = now.get(HPA_DESIRED.now), now.get(HPA_MAX.now)
    metrics = now.get(HPA_METRICS.now)
    by_hand = None
    if desired is not None and most is not None:
        by_hand = Change("minReplicas", f"{desired.number:.0f}", f"{min(desired.number + 1, most.number):.0f}")
    return (
        Remedy(
            "Now: raise the autoscaler's minimum so that a replica is added while the metric is being changed.",
            by_hand,
            "A new replica turns ready and the queue shrinks.",
            ("kubernetes/autoscaling-llm-serving",),
        ),
        Remedy(
            "Then let it follow waiting requests per replica (a target of 2 to 5), through KEDA or prometheus-adapter; keep KV cache usage"
            " at 0.7 as a second metric.",
            Change("HPA metric", metrics.text if metrics else "", "vllm:num_requests_waiting per replica"),
            "Under the next burst the desired replicas rise within a minute of the queue.",
            ("kubernetes/autoscaling-llm-serving",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(HPA_METRICS.now, QUEUE, HPA_DESIRED.now, HPA_MAX.now),
    helps=(HPA_MIN.now, KV_USAGE.now),
    limits={"waiting": Limit(3, "requests", "a sustained queue, not the noise of one poll")},
    fires=fires,
    explains=(*QUEUEING, *named("concurrency_cap_below_kv")),
    remedies=remedies,
    pages=("kubernetes/autoscaling-llm-serving",),
    owner="platform",
)
