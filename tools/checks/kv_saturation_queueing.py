"""The KV cache is full, so new requests wait.

## What it means
Every running sequence holds blocks of GPU memory for its keys and values. When the cache stays nearly full, the scheduler
admits a new request only as an old one ends, and the rest queue.

## Why it hurts
Time to first token grows with the queue while the GPU looks busy, and the engine starts to preempt what it already runs.

## What would rule it out
Waiting requests with cache to spare: then the limit is the number of sequences, the scheduler's token budget or the CPU.
"""

from tools import engine_changes
from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.engines import Key
from tools.families import QUEUEING
from tools.finding import Remedy
from tools.signals import GPU_MEM_UTILIZATION, KV_DTYPE, KV_USAGE, REQUESTS_RUNNING, REQUESTS_WAITING, TTFT
from tools.vocabulary.configuration import MAX_MODEL_LEN

FULL = KV_USAGE.avg("10m")
QUEUE = REQUESTS_WAITING.min("5m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's cache stays full and its queue does not empty."""
    for usage in sorted(now.each(FULL), key=lambda reading: -reading.number):
        if usage.number < limits["full"]:
            return None
        queue = now.of(usage.subject, QUEUE) or now[QUEUE]
        if queue.number >= limits["waiting"]:
            waiting = now[REQUESTS_WAITING.now]
            return because(
                "The KV cache of {usage_of} was {usage} full on average over 10 min and its queue never emptied;"
                " {waiting} wait now.",
                queue,
                now.get(REQUESTS_RUNNING.now),
                now.get(TTFT.p95("5m")),
                usage=usage,
                waiting=waiting,
            )
    return None


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """More room for the cache first, then fewer or shorter sequences, then more replicas."""
    verify = "The cache stays below 80 % at peak and nothing waits for longer than a minute."
    found = [
        Remedy(
            "Add a replica, or let the autoscaler follow waiting requests: it is the only step that needs no restart of what serves.",
            verify=verify,
            cites=("kubernetes/autoscaling-llm-serving",),
        )
    ]
    dtype = now.get(KV_DTYPE.now)
    if dtype is None or dtype.text in {"auto", "bfloat16", "float16"}:
        found.append(
            Remedy(
                "Store the cache in FP8: about twice the tokens in the same memory, on GPUs with native FP8; check answer quality first.",
                engine_changes.change(now, Key.KV_CACHE_DTYPE, KV_DTYPE.now, "fp8", "auto (not set)"),
                verify,
                ("serving/kv-cache", "serving/quantization"),
            )
        )
    share = now.get(GPU_MEM_UTILIZATION.now)
    if share is not None and share.number < 0.92:
        found.append(
            Remedy(
                "Give the engine more of the GPU's memory. Lowering this flag would shrink the cache further.",
                engine_changes.change(now, Key.GPU_MEMORY_UTILIZATION, GPU_MEM_UTILIZATION.now, "0.93"),
                verify,
                ("gpu/memory-accounting",),
            )
        )
    longest = engine_changes.value_of(
        now, Key.MAX_MODEL_LEN, MAX_MODEL_LEN.now, "the model's whole context, unless it is set elsewhere"
    )
    found.append(
        Remedy(
            f"Cap {engine_changes.option(now, Key.MAX_MODEL_LEN)} (now {longest}) at the longest request that is really sent, and shed"
            " load at the gateway until there is room.",
            verify=verify,
            cites=("serving/queueing-and-admission",),
        )
    )
    return tuple(found)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(FULL, QUEUE, REQUESTS_WAITING.now),
    helps=(
        REQUESTS_RUNNING.now,
        TTFT.p95("5m"),
        KV_DTYPE.now,
        GPU_MEM_UTILIZATION.now,
        MAX_MODEL_LEN.now,
        *engine_changes.HELPS,
    ),
    limits={
        "full": Limit(0.92, "ratio", "above 90 % vLLM queues and preempts; see serving/kv-cache"),
        "waiting": Limit(1, "requests", "one request that always waits is a queue that never empties"),
    },
    fires=fires,
    explains=tuple(one for one in QUEUEING if one.symptom != "kv_saturation_queueing"),
    remedies=remedies,
    pages=("serving/kv-cache", "serving/queueing-and-admission"),
    owner="ml platform",
)
