"""Native code crashed, and no line says why.

## What it means
A library below Python, or a kernel on the GPU, did what it may not: a segmentation fault, an abort, an illegal instruction, a heap that was
overwritten, or an illegal access on the device. The log ends without an error of the engine's own; the frames after the line name the library.

## Why it hurts
The process is gone with all that it served. What crashes once on a certain request, or at a certain step of the start, does so again.

## What would rule it out
A line that names a cause (out of memory, a library of another version, a collective that failed): the crash is what came of it.
"""

import re

from tools.check import Applies, Check, Limits, Now, On
from tools.ended_with import LIMITS, causes, ended_with, helps, needs
from tools.failed_starts import told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT
from tools.vocabulary.host_faults import LOG_NATIVE_CRASH
from tools.vocabulary.startup import LOG_ENGINE_DEAD

# A server that says that its engine died is told as that, with the same line.
_OTHERWISE = (*causes(LOG_NATIVE_CRASH, LOG_CUDA_FAULT), LOG_ENGINE_DEAD)
_INSTRUCTION = re.compile(r"[Ii]llegal instruction|SIGILL|signal 4\b|code -4\b|: -4\b")
_HEAP = re.compile(r"double free|corrupted|invalid (?:pointer|next size)|malloc|stack smashing")
_CITES = ("kubernetes/exit-codes-and-terminations", "systems/python-and-image-errors")
_VERIFY = "The same start or request no longer ends the process, and restarts stay at zero for a day."


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By what kind of crash it was."""
    line = told(now, LOG_NATIVE_CRASH)
    if _INSTRUCTION.search(line):
        return (
            Remedy(
                "The binary was built for another processor: take an image for this machine type (AVX-512 or AVX2, x86 or Arm; lscpu shows what"
                " the node has), or place the pod on nodes that have it.",
                None,
                _VERIFY,
                ("platform/container-images", _CITES[0]),
            ),
        )
    if told(now, LOG_CUDA_FAULT):
        return (
            Remedy(
                "Start once with CUDA_LAUNCH_BLOCKING=1 to find the kernel; then upgrade the engine, or try another attention backend, and without"
                " CUDA graphs.",
                None,
                _VERIFY,
                ("gpu/xid-errors", _CITES[0]),
            ),
            Remedy(
                "If it follows the GPU and not the request, test the hardware: dcgmi diag -r 3 on the drained node.",
                None,
                "dcgmi diag passes, and another GPU shows the fault as well.",
                ("gpu/dcgm-diagnostics",),
            ),
        )
    heap = " The heap was overwritten: it may be another library than the one that fell." if _HEAP.search(line) else ""
    return (
        Remedy(
            "Read the frames after the line (kubectl logs POD --previous; PYTHONFAULTHANDLER=1 prints Python's): libcuda and libnccl point at the"
            f" driver and the interconnect, the engine's own library at its version, others at the image.{heap}",
            None,
            "The frames name one library, at one place.",
            _CITES,
        ),
        Remedy(
            "Return to the image that ran last, or go to the engine's newest release, with the driver that it was built for.",
            None,
            _VERIFY,
            ("gpu/cuda-driver-compatibility", "platform/container-images"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.NEEDED,
    severity="critical",
    needs=needs(LOG_NATIVE_CRASH),
    helps=helps(_OTHERWISE, LOG_CUDA_FAULT.now),
    limits=LIMITS,
    fires=ended_with(LOG_NATIVE_CRASH, LOG_CUDA_FAULT, unless=_OTHERWISE),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=_CITES,
    owner="ml platform",
)
