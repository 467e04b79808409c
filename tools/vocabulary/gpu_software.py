"""The software under a GPU: what driver, container toolkit, device plugin and fabric manager print, and what nodes tell of them.

The lines are those of NVML and its Python binding, of nvidia-smi, of the container toolkit, of CUDA and of the kernel module.
"""

from __future__ import annotations

import re

from tools.signals import Per, fact, line

LOG_VERSIONS = line("log.driver_library", "Line on driver and library versions")
LOG_GPU_LOST = line("log.gpu_lost", "Line on a lost GPU")
LOG_DEVICE_GONE = line("log.device_gone", "Line on a container without its GPU")
LOG_FABRIC = line("log.fabric", "Line on a system that is not initialised")
LOG_NO_DEVICES = line("log.no_devices", "Line on devices that a plugin did not find")
LOG_CUDA_FAULT = line("log.cuda_fault", "Line on a failed kernel")

POD_FAILING = fact("pod.failing", "", Per.REPLICA, "How the pod fails")
# How a device plugin fails that is ready on a node that should give GPUs.
RUNS_FOR_NOTHING = "it runs, and its node gives no GPU"
GPU_START_SAID = fact("pod.gpu_start_said", "", Per.REPLICA, "What the GPU runtime said at the start")

NODE_DEVICES_GIVEN = fact("node.devices_given", "GPUs", Per.NODE, "GPUs or instances that the node can give")
NODE_GPUS_PROMISED = fact("node.gpus_promised", "GPUs", Per.NODE, "GPUs by the node's labels", evidence="config")
NODE_SETTLED_FOR = fact("node.settled_for", "seconds", Per.NODE, "Time since the node or its plugin changed", "min")
NODE_CORDONED = fact("node.cordoned", "bool", Per.NODE, "Node cordoned")
NODE_PLUGIN = fact("node.plugin", "", Per.NODE, "Device plugin on the node", told_by="pods")

VERSIONS = re.compile(
    r"(?i)driver/library version mismatch|NVRM: API mismatch: the client has (?:the )?version \d{3}[\d.]{1,20}"
)
FABRIC = re.compile(
    r"(?:Error 802|CUDA error|error \(802\)) ?: system not yet initialized|CUDA_ERROR_SYSTEM_NOT_READY|cudaErrorSystemNotReady"
)

# Bounded repetitions only: a log may be one giant line.
# A handle of one GPU that ends in "Unknown Error" is a GPU that fell off, not a container that lost its devices.
DEVICE_GONE = re.compile(
    r"Failed to initialize NVML: Unknown Error|NVMLError_Unknown: Unknown Error"
    r"|CUDA error: no CUDA-capable device is detected|RuntimeError: No CUDA GPUs are available"
    r"|CUDA unknown error - this may be due to an incorrectly set up environment"
)

PATTERNS = {
    LOG_VERSIONS: VERSIONS,
    LOG_GPU_LOST: re.compile(
        r"GPU has fallen off the bus|\bGPU is lost\b|Unable to determine the device handle for (?:GPU|gpu)"
        r"|NVRM: RmInitAdapter failed"
    ),
    LOG_DEVICE_GONE: DEVICE_GONE,
    LOG_FABRIC: FABRIC,
    # NVIDIA's device plugin: it goes on running, with nothing to give.
    LOG_NO_DEVICES: re.compile(
        r"No devices found\. Waiting indefinitely|Incompatible (?:platform|strategy) detected"
        r"|[Ii]f this is a GPU node, did you (?:configure|set) the NVIDIA Container Toolkit|could not load NVML library: libnvidia-ml"
    ),
    LOG_CUDA_FAULT: re.compile(
        r"CUDA (?:error|failure \d{3}): (?:an illegal memory access was encountered|device-side assert triggered"
        r"|unspecified launch failure|misaligned address|an illegal instruction was encountered)"
    ),
}
