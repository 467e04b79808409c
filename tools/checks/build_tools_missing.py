"""Compiling at start fails: the image lacks what a kernel is built with, or has it in a version that is too old.

## What it means
Triton, torch.compile, FlashInfer and extensions of PyTorch compile code when the model is loaded or first used. They want a C compiler with
Python's headers, CUDA's nvcc and ptxas, ninja; slim and runtime images leave those out. A toolkit that is older than the GPU does not
know its architecture.

## Why it hurts
The engine ends while it warms up, after the weights were loaded; or the first request that needs the kernel fails.

## What would rule it out
Kernels that were compiled before and come from a cache, or a compiler that the host's memory limit killed.
"""

import re

from tools import failing_replicas
from tools.check import Applies, Because, Check, Limits, Now, On
from tools.failed_starts import DECISIVE, HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING, named
from tools.finding import Change, Remedy
from tools.vocabulary.configuration import ENGINE_NAME
from tools.vocabulary.refused_starts import LOG_BUILD_TOOLS
from tools.vocabulary.startup import LOG_DOWNLOAD

_START = failed_start(LOG_BUILD_TOOLS, unless=DECISIVE)
_TOOL = re.compile(
    r"directory: '(?:\S{0,120}/)?([\w+]{1,20})'|(?:^|[ :/])([\w+]{1,20}): (?:command )?not found|Could not find (nvcc)|(Ninja) is required"
)
_HEADER = re.compile(r"fatal error: ([\w./]{1,60})")
_OLD = re.compile(r"(sm_\d{2,4}\w?|compute_\d{2,4}\w?)")
_LINKED = re.compile(r"cannot find -l(\w{1,40})")
_FLASHINFER = re.compile(r"[Ff]lash[Ii]nfer|Could not find nvcc|[Nn]inja")
_VERIFY = "The engine gets past its warm-up and turns ready, on an empty cache as well."
_CITES = ("serving/cuda-graphs-and-compilation", "platform/container-images")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a start ended with such a line, or a ready replica fails its requests with it."""
    fetched = now.get(LOG_DOWNLOAD.now)
    if fetched is not None and "No space left" in fetched.text:
        return None  # the compiler's error follows from a full disk
    return _START(now, limits) or failing_replicas.said_while_ready(
        now, limits["errors"], LOG_BUILD_TOOLS, failing_replicas.BREAKING
    )


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Bring the tool, take a newer toolkit, or do without the kernels that are compiled."""
    line = told(now, LOG_BUILD_TOOLS)
    tool, header, old, linked = (
        _TOOL.search(line),
        _HEADER.search(line),
        _OLD.search(line),
        _LINKED.search(line),
    )
    if old:
        first = (
            f"The CUDA toolkit of the image does not know {old[1]}, this GPU's architecture: take an image with a newer toolkit, or let Triton use a"
            " newer assembler (TRITON_PTXAS_PATH=/usr/local/cuda/bin/ptxas)."
        )
    elif header and header[1].startswith("Python"):
        first = (
            "The image lacks Python's headers: add python3-dev (of the Python that runs the engine) and a C compiler."
        )
    elif linked:
        first = (
            f"The linker does not find lib{linked[1]}: the driver's libraries are mounted where ldconfig does not look; add their folder (for instance"
            " /usr/local/nvidia/lib64) to LD_LIBRARY_PATH and LIBRARY_PATH."
        )
    elif tool or header or "C compiler" in line or "C++ compiler" in line or "CUDA_HOME" in line:
        lacks = next((group for group in tool.groups() if group), "") if tool else header[1] if header else ""
        what = lacks or ("CUDA's toolkit" if "CUDA_HOME" in line else "a C compiler")
        first = (
            f"The image lacks {what}: take the engine's own image or one of the -devel kind, or add the packages to this one (build-essential,"
            " python3-dev, ninja, cuda-nvcc of the CUDA version that PyTorch was built for)."
        )
    else:
        first = (
            "The compiler ran and failed: its first error stands above that line. Killed means the host's memory (fewer jobs at once: MAX_JOBS=4);"
            " anything else is a toolkit, driver or header of another version."
        )
    return (Remedy(first, None, _VERIFY, _CITES), *_without(now, line))


def _without(now: Now, line: str) -> tuple[Remedy, ...]:
    """What goes without compiling, where the engine has a way."""
    name = now.get(ENGINE_NAME.now)
    engine = name.text if name is not None else ""
    if engine == "vllm" and _FLASHINFER.search(line):
        change = Change("env VLLM_USE_FLASHINFER_SAMPLER", "not set", "0")
        text = "Until the image has it, do without FlashInfer's kernels: the sampler of PyTorch, and another attention backend."
    elif engine == "vllm":
        change = Change("--enforce-eager", "not set", "set")
        text = "Until the image has it, do without compiling: slower steps, but it serves."
    elif engine == "sglang":
        change = Change("--attention-backend", "default", "triton")
        text = "Until the image has it, take an attention backend whose kernels need no nvcc (Triton still wants a C compiler)."
    else:
        return ()
    return (Remedy(text, change, _VERIFY, ("systems/attention-backends", "serving/cuda-graphs-and-compilation")),)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_BUILD_TOOLS),
    helps=(
        *HELPS,
        *(signal.now for signal in DECISIVE),
        ENGINE_NAME.now,
        LOG_DOWNLOAD.now,
        *failing_replicas.HELPS,
        *(signal.now for signal in failing_replicas.BREAKING),
    ),
    limits={**LIMITS, **failing_replicas.LIMITS},
    fires=fires,
    # What was not built is a shared object that cannot be opened; the peers of a worker that gave up say so in NCCL's words.
    explains=(
        *QUEUEING,
        *FAILING,
        *named("library_missing", "unsupported_model", "engine_config_refused", "nccl_init_failure"),
    ),
    remedies=remedies,
    pages=("serving/cuda-graphs-and-compilation", "platform/container-images"),
    owner="ml platform",
)
