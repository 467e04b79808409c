"""The node's driver does not support the image's CUDA.

## What it means
The image was built for a newer CUDA than the driver on the node supports, or it brings a libcuda of its own (cuda-compat, for forward
compatibility) that does not go with this driver or this kind of GPU: CUDA errors 803 and 804.

## Why it hurts
The container cannot use a GPU on any node with this driver, whatever is restarted.

## What would rule it out
The same image running on nodes of the same driver version.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, numbers, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Remedy
from tools.vocabulary.startup import LOG_DRIVER, START_BLOCKED

_COMPAT = re.compile("forward compatibility|unsupported display driver")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    found = numbers(r"found version (\d{4,6})", told(now, LOG_DRIVER))
    said = f" The driver supports CUDA {found[0] // 1000:.0f}.{found[0] % 1000 // 10:.0f} at most." if found else ""
    verify = "nvidia-smi in the pod names a CUDA version no lower than the image's, and the pod turns ready."
    if _COMPAT.search(told(now, LOG_DRIVER)):
        return (
            Remedy(
                "Take the image's own libcuda out of the way: no cuda-compat directory in LD_LIBRARY_PATH or under /etc/ld.so.conf.d (for"
                " vLLM, VLLM_ENABLE_CUDA_COMPATIBILITY unset). It is for data centre GPUs on a driver older than the image's CUDA.",
                None,
                "ldconfig -p in the pod finds libcuda.so.1 only where the container toolkit mounts the driver's, and the pod turns ready.",
                ("platform/gpu-operator-and-drivers", "platform/container-images"),
            ),
            Remedy(
                "If the driver is older than the image's CUDA, upgrade the driver of the node pool, or use an image that is built for it.",
                None,
                verify,
                ("platform/gpu-operator-and-drivers",),
            ),
        )
    return (
        Remedy(
            f"Use an image that is built for the CUDA of the node's driver.{said}",
            None,
            verify,
            ("platform/gpu-operator-and-drivers", "platform/container-images"),
        ),
        Remedy(
            "Or upgrade the driver of the node pool, one drained node at a time; NVIDIA_DISABLE_REQUIRE only hides the mismatch.",
            None,
            verify,
            ("platform/gpu-operator-and-drivers",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_DRIVER),
    helps=(
        *HELPS,
        START_BLOCKED.now,
    ),
    limits=LIMITS,
    fires=failed_start(LOG_DRIVER, START_BLOCKED.now),
    explains=(*QUEUEING, *FAILING, *named("container_create_failed")),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers", "platform/container-images"),
    owner="platform",
)
