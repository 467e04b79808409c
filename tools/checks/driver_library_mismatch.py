"""The node's driver module and its NVIDIA libraries are of different versions.

## What it means
The driver's libraries on the node were replaced while the kernel went on with the module of the version before, mostly by an
unattended package upgrade or a driver patch without a reboot. NVML and CUDA refuse such a pair.

## Why it hurts
Nothing that needs a GPU starts on the node any more. What runs goes on until its next restart; device plugin and exporter fail, and the
scheduler sees a node without GPUs.

## What would rule it out
A device plugin that runs on the node, or an error about a driver that is too old for the image's CUDA: that is the image's.
"""

from tools.check import Because, Check, Explains, Limits, Now, On, Where
from tools.failing_pods import HELPS, needs, said_by_a_failing_pod
from tools.families import FAILING, NO_CUDA, QUEUEING, at
from tools.finding import Remedy
from tools.vocabulary.gpu_software import LOG_VERSIONS, VERSIONS


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a pod of the node cannot start or crashes over the mismatch."""
    return said_by_a_failing_pod(now, LOG_VERSIONS, VERSIONS)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Load the module that the libraries belong to, then keep packages from doing it again."""
    node = now.subject.name
    return (
        Remedy(
            f"Drain the node and reboot it: kubectl drain {node} --ignore-daemonsets --delete-emptydir-data. With nothing on its GPUs,"
            " unloading and loading the nvidia modules does it too.",
            None,
            "nvidia-smi on the node names one version, the device plugin runs, and the node's allocatable GPUs equal its capacity.",
            ("platform/gpu-operator-and-drivers",),
        ),
        Remedy(
            "Hold the driver's packages (or leave the driver to the GPU Operator), and patch drivers node by node with a drain before.",
            None,
            "An upgrade of the system's packages leaves the NVIDIA packages as they are.",
            ("platform/gpu-operator-and-drivers",),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="critical",
    needs=needs(LOG_VERSIONS),
    helps=HELPS,
    fires=fires,
    explains=(
        *(
            Explains(symptom, Where.ON_THIS_NODE)
            for symptom in (
                "device_plugin_missing",
                "gpu_unhealthy_not_allocatable",
                "exporter_down",
                "container_create_failed",
            )
        ),
        Explains("pending_insufficient_gpu", Where.IN_CLUSTER),
        Explains("unexpected_admission_error", Where.IN_CLUSTER),
        *at((*NO_CUDA, *QUEUEING, *FAILING), Where.ON_THIS_NODE),
    ),
    remedies=remedies,
    pages=("platform/gpu-operator-and-drivers",),
    owner="platform",
)
