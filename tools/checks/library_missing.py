"""A library or module that the engine needs is missing, or is of another version.

## What it means
The driver's libraries are not in the container, the image lacks a Python module, or parts of it were built for other versions of each
other (an upgrade of one package alone), another libc or another processor.

## Why it hurts
The engine ends while it imports, before it has looked at model or GPU.

## What would rule it out
The same line in the log of a replica that serves: then it is optional.
"""

import re
from dataclasses import replace

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limits, Now, On
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.signals import GPU_REQUEST
from tools.vocabulary.container_rights import DRIVER_SETTINGS
from tools.vocabulary.refused_starts import LOG_ADDRESS, LOG_LIBRARY, LOG_OS_LIMITS
from tools.vocabulary.startup import LOG_DOWNLOAD, LOG_NCCL
from tools.vocabulary.volumes import LOG_UNREADABLE

# A module that is optional is asked for in vain: beside one of these that is what happened.
_OTHERWISE = (*DECISIVE, LOG_ADDRESS, LOG_DOWNLOAD, LOG_NCCL, LOG_OS_LIMITS, LOG_UNREADABLE)
_START = failed_start(LOG_LIBRARY, DRIVER_SETTINGS.now, GPU_REQUEST.now, unless=_OTHERWISE)
_DRIVER = re.compile(r"libcuda\.so|libnvidia-ml|NVML Shared Library|Failed to infer device type")
_MODULE = re.compile(r"No module named '([\w.-]{1,80})'")
_PACKAGES = re.compile(r"not found in your environment: ([\w., -]{1,120}?)(?:\. |\.?$)")
_SHARED = re.compile(r"(lib[\w.+-]{1,80}\.so[\w.]{0,20})")
_VISIBLE = re.compile(r"NVIDIA_VISIBLE_DEVICES(?:=(void|none)| empty)")
_CAPABILITIES = re.compile(r"NVIDIA_DRIVER_CAPABILITIES=([\w,]{1,80})")
_SEARCHED = re.compile(r"LD_LIBRARY_PATH=([^,\s]{1,160})")
_VERIFY = "The engine gets past its imports and begins to load the model."
_CITES = ("systems/python-and-image-errors", "platform/container-images")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a start ended with such a line, or a ready replica fails its requests with it."""
    found = _START(now, limits) or failing_replicas.said_while_ready(
        now, limits["errors"], LOG_LIBRARY, failing_replicas.BREAKING
    )
    if found is None or _DRIVER.search(found.readings["line"].text):
        return found
    # What an image lacks is no matter of a card that fails.
    return replace(found, apart=("xid_critical",))


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """The driver's libraries come from the node, everything else from the image."""
    line = told(now, LOG_LIBRARY)
    if _DRIVER.search(line):
        return _driver(now)
    module, packages, shared = _MODULE.search(line), _PACKAGES.search(line), _SHARED.search(line)
    if "exec format error" in line:
        first = (
            "The image is built for another processor: keep the pod to nodes of its kind (a node selector on kubernetes.io/arch), or build it for"
            " both (amd64 and arm64)."
        )
    elif "GLIBC" in line:
        first = "A binary wants a newer libc than the image has: build it on this base image, or take a newer base."
    elif "Torch not compiled with CUDA" in line:
        first = "A CPU build of PyTorch is in the image: install the one for CUDA, in one run of the resolver with pinned versions."
    elif module or packages:
        what = module[1] if module else packages[1] if packages else ""
        first = (
            f"The image lacks {what}: take the variant of the image that has it, or add it on top of this very image with the other packages held"
            " where they are (--no-deps, or a constraints file)."
        )
    elif shared and "cannot open" in line:
        first = (
            f"{shared[1]} is not in the image, or not where it is looked for: the number behind .so is the version that the package was built for"
            " (CUDA 12 against 13), and LD_LIBRARY_PATH may hide the right one."
        )
    else:
        first = (
            "Packages of the image were built for other versions of each other: take the engine's own image, or install all of them again in one"
            " run with its pins; do not upgrade PyTorch or Transformers alone."
        )
    return (
        Remedy(first, None, _VERIFY, _CITES),
        Remedy(
            "Pin the image by digest, and start it once on a GPU node before it is rolled out.",
            None,
            "A rollout of the same manifest starts the same packages each time.",
            ("platform/container-images",),
        ),
    )


def _driver(now: Now) -> tuple[Remedy, ...]:
    cites = ("systems/python-and-image-errors", "platform/gpu-containers-on-a-host")
    settings, request = now.get(DRIVER_SETTINGS.now), now.get(GPU_REQUEST.now)
    said = settings.text if settings is not None else ""
    searched = _SEARCHED.search(said)
    visible, capabilities = _VISIBLE.search(said), _CAPABILITIES.search(said)
    if request is not None and not request.number:
        change = Change("resources.limits.nvidia.com/gpu", "not set", "1")
        first = "The container asks for no GPU, so that none of the driver's libraries are mounted into it."
    elif visible:
        change = Change("env NVIDIA_VISIBLE_DEVICES", visible[1] or "empty", "not set (the device plugin sets it)")
        first = "The manifest hides the GPUs from the container runtime, which then mounts no driver libraries."
    elif capabilities and not {"compute", "all"} & set(capabilities[1].split(",")):
        change = Change("env NVIDIA_DRIVER_CAPABILITIES", capabilities[1], "compute,utility")
        first = "The container is given the driver without its part for CUDA."
    elif "runtimeClassName not set" in said:
        change = Change("spec.runtimeClassName", "not set", "nvidia")
        first = "The driver's libraries come from the node, mounted by NVIDIA's runtime; where that is not the default, the pod has to name it."
    elif searched and "/nvidia/" not in searched[1]:
        change = Change("env LD_LIBRARY_PATH", searched[1], f"{searched[1]}:/usr/local/nvidia/lib64")
        first = (
            "The manifest says where libraries are looked for, and leaves out where some platforms (GKE among them) mount the driver's: add that"
            " folder, and see that it is there."
        )
    else:
        change = None
        first = "The driver's libraries come from the node and were not mounted: look at the container toolkit there."
    return (Remedy(first, change, "nvidia-smi answers inside the new pod, and the engine finds its device.", cites),)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_LIBRARY),
    helps=(
        *HELPS,
        *(signal.now for signal in _OTHERWISE),
        DRIVER_SETTINGS.now,
        GPU_REQUEST.now,
        *failing_replicas.HELPS,
        *(signal.now for signal in failing_replicas.BREAKING),
    ),
    limits={**LIMITS, **failing_replicas.LIMITS},
    fires=fires,
    # A model's code that cannot be imported is told of as a model that is not known.
    explains=(*QUEUEING, *FAILING, *named("unsupported_model", "engine_config_refused")),
    remedies=remedies,
    pages=("systems/python-and-image-errors", "platform/container-images"),
    owner="ml platform",
)
