"""The series that decisions need, by the name that a reader knows. The asks are those that failure modes use, so they cost nothing more."""

from __future__ import annotations

from collections.abc import Mapping

from tools.signals import (
    GPU_DRAM,
    GPU_TENSOR,
    ITL,
    KV_USAGE,
    PREFIX_CACHE_HITS,
    QUEUE_TIME,
    REQUESTS_FINISHED,
    TTFT,
    XID_LAST,
    Ask,
    Signal,
)
from tools.vocabulary import watching as told
from tools.vocabulary.gpu_health import ECC_DOUBLE

WANTED: Mapping[Signal, Mapping[str, Ask]] = {
    told.LATENCY_MISSING: {
        "time to first token": TTFT.p95("5m"),
        "inter-token latency": ITL.p95("5m"),
        "time in the queue": QUEUE_TIME.p95("5m"),
    },
    # Failures and aborts are left out: engines begin to export those with the first of them.
    told.ENDINGS_MISSING: {"finished requests": REQUESTS_FINISHED.increase("10m")},
    told.CACHE_MISSING: {"KV cache usage": KV_USAGE.max("10m"), "prefix cache hits": PREFIX_CACHE_HITS.rate("10m")},
    told.FAULTS_MISSING: {"Xid": XID_LAST.max("1h")},
    told.ECC_MISSING: {"uncorrectable ECC errors": ECC_DOUBLE.max("1h")},
    told.PROFILING_MISSING: {
        "tensor core activity": GPU_TENSOR.max("5m"),
        "memory bandwidth activity": GPU_DRAM.max("5m"),
    },
}


def asks_of(signal: Signal) -> tuple[Ask, ...]:
    """What must be asked for, that it can be told what is missing."""
    return tuple(WANTED[signal].values())
