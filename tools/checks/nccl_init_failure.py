"""The GPUs of the replica cannot set up their communication.

## What it means
NCCL fails while the ranks find each other: two ranks on one GPU, no usable network interface, blocked traffic, or too
little shared memory.

## Why it hurts
A model that is spread over several GPUs cannot start at all.

## What would rule it out
A collective that timed out after hours of service: that is a hang, not the set-up.
"""

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.signals import GPU_REQUEST, TENSOR_PARALLEL
from tools.vocabulary.startup import LOG_NCCL


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_NCCL)
    verify = "With NCCL_DEBUG=INFO the log reaches `Init COMPLETE` on every rank."
    if "Duplicate GPU" in line:
        first = "Two ranks use one GPU: request as many GPUs as ranks, and set no CUDA_VISIBLE_DEVICES of your own."
    elif "no socket interface" in line:
        first = "NCCL finds no network interface: name the pod's own, for example NCCL_SOCKET_IFNAME=eth0."
    else:
        first = (
            "Start once with NCCL_DEBUG=INFO and read the first WARN of any rank: it names the interface, the device or the"
            " segment that failed."
        )
    return (
        Remedy(first, None, verify, ("serving/tensor-parallelism", "hardware/interconnect")),
        Remedy(
            "Check what commonly breaks it: a small /dev/shm, a NetworkPolicy between ranks, MIG instances used as ranks.",
            None,
            verify,
            ("kubernetes/shared-memory", "gpu/mig-and-sharing"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_NCCL),
    helps=(
        *HELPS,
        TENSOR_PARALLEL.now,
        GPU_REQUEST.now,
    ),
    limits=LIMITS,
    fires=failed_start(LOG_NCCL, TENSOR_PARALLEL.now, GPU_REQUEST.now),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("serving/tensor-parallelism", "kubernetes/shared-memory"),
    owner="ml platform",
)
