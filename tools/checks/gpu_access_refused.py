"""CUDA keeps the GPU from the process: another holds it, MPS does not answer, or its licence is missing.

## What it means
The GPU is there and healthy. In exclusive mode one process has it to itself; with MPS a daemon hands out a limited number of clients and has to be
reachable from the container; a virtual GPU computes only with a licence. Each of them says no in words of CUDA.

## Why it hurts
No start of the engine gets past it, while the scheduler counts the GPU as given out.

## What would rule it out
No device at all (then the container was given none), a driver of another version, or memory that others hold.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.ended_with import LIMITS, ended_with, helps, needs
from tools.failed_starts import told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import GPU_REQUEST, LOG_XID
from tools.vocabulary.gpu_software import LOG_DEVICE_GONE, LOG_FABRIC, LOG_GPU_LOST, LOG_VERSIONS
from tools.vocabulary.host_faults import LOG_DEVICE_REFUSED

# A GPU that fell off, or software that does not fit, is busy or unavailable as well.
_OTHERWISE = (LOG_GPU_LOST, LOG_VERSIONS, LOG_FABRIC, LOG_XID, LOG_DEVICE_GONE)
_LICENCE = re.compile(r"(?i)licen[sc]e")
_MPS = re.compile(r"\bMPS\b|cudaErrorMps|support device connections")
_SHARING = ("gpu/time-slicing-and-mps-settings", "gpu/mig-and-sharing")


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By what stands between the process and the GPU."""
    line = told(now, LOG_DEVICE_REFUSED)
    if _LICENCE.search(line):
        return (
            Remedy(
                "Give the node's virtual GPU its licence: the client configuration token of the licence server, and nvidia-gridd running (nvidia-smi -q"
                " shows the licence status).",
                None,
                "nvidia-smi -q says Licensed, and the engine starts.",
                ("gpu/virtual-gpus-and-passthrough",),
            ),
        )
    if _MPS.search(line):
        return (
            Remedy(
                "See that the MPS control daemon of the node runs and that its pipe directory (CUDA_MPS_PIPE_DIRECTORY) and the host's IPC reach the"
                " container; after a fault of one client the"
                " server takes no new one before all that were hit have ended: end all pods on that GPU.",
                None,
                "echo get_server_list | nvidia-cuda-mps-control answers, and the engine starts.",
                _SHARING,
            ),
            Remedy(
                "Hand out fewer replicas of a GPU: each client takes memory and connections of it.",
                Change("sharing.mps.resources[].replicas", "as configured", "as many engines as fit the GPU's memory"),
                "As many pods as replicas start beside each other.",
                _SHARING,
            ),
        )
    wanted = now.get(GPU_REQUEST.now)
    asks = f" (the pod asks for {wanted.number:g})" if wanted is not None else ""
    return (
        Remedy(
            f"See who holds the GPU and in which mode: nvidia-smi -q -d COMPUTE and nvidia-smi pmon on the node{asks}. In exclusive mode end what is left"
            " over, or set the mode back.",
            Change("compute mode of the GPU", "Exclusive_Process or Prohibited", "Default (nvidia-smi -c 0)"),
            "nvidia-smi shows Default, and the engine finds its device.",
            ("gpu/settings-of-a-gpu", *_SHARING),
        ),
        Remedy(
            "Where MIG was turned on after the pod was placed, the whole GPU takes no work any more: delete the pod, so that it is given an instance.",
            None,
            "nvidia-smi -L inside the new pod lists what it was given.",
            ("gpu/mig-operations",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_DEVICE_REFUSED),
    helps=helps(_OTHERWISE, GPU_REQUEST.now),
    limits=LIMITS,
    fires=ended_with(LOG_DEVICE_REFUSED, unless=_OTHERWISE),
    explains=(
        *QUEUEING,
        *FAILING,
        *named("gpu_idle_no_process", "library_missing", "tp_invalid", "nccl_init_failure", "native_crash"),
    ),
    remedies=remedies,
    pages=("gpu/settings-of-a-gpu", "gpu/time-slicing-and-mps-settings"),
    owner="platform",
)
