"""Native code crashed, and no line says why.

## What it means
A library below Python, or a kernel on the GPU, did what it may not: a segmentation fault, an abort, an illegal instruction, a heap that was
overwritten, or an illegal access on the device. The log ends without an error of the engine's own; the frames after the line name the library.
Where the log just breaks off, the exit code tells the signal.

## Why it hurts
The process is gone with all that it served. What crashes once on a certain request, or at a certain step of the start, does so again.

## What would rule it out
A line that names a cause (out of memory, a library of another version, a collective that failed): the crash is what came of it.
"""

import re

from tools.check import Applies, Because, Check, Limits, Now, On, Unseen, because
from tools.crashes import log_line, of_container, recent
from tools.ended_with import LIMITS, causes, ended_with, helps, needs
from tools.failed_starts import told
from tools.failing_replicas import told_by
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.signals import EXIT_CODE, LOG_LAST_ERROR, LOG_SERVING, RESTARTS
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT
from tools.vocabulary.host_faults import LOG_NATIVE_CRASH
from tools.vocabulary.startup import LOG_ENGINE_DEAD

# A server that says that its engine died is told as that, with the same line.
_OTHERWISE = (*causes(LOG_NATIVE_CRASH, LOG_CUDA_FAULT), LOG_ENGINE_DEAD)
_INSTRUCTION = re.compile(r"[Ii]llegal instruction|SIGILL|signal 4\b|code -4\b|: -4\b")
_HEAP = re.compile(r"double free|corrupted|invalid (?:pointer|next size)|malloc|stack smashing")
# How a process is shown that a signal ended (128 and the signal's number), where its runtime saw it.
_SIGNALS = {
    132: "an illegal instruction",
    134: "an abort",
    136: "an arithmetic error",
    139: "a segmentation fault",
}
_ILLEGAL = 132
_CITES = ("kubernetes/exit-codes-and-terminations", "systems/python-and-image-errors")
_SAID = ended_with(LOG_NATIVE_CRASH, LOG_CUDA_FAULT, unless=_OTHERWISE)
_VERIFY = "The same start or request no longer ends the process, and restarts stay at zero for a day."


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a replica's log tells of it, or where it ended by such a signal and its log breaks off without an error."""
    try:
        said = _SAID(now, limits)
    except Unseen:
        # The log of another replica that cannot be read hides nothing.
        silent = _silent(now, limits)
        if silent is None:
            raise
        return silent
    return said or _silent(now, limits)


def _silent(now: Now, limits: Limits) -> Because | None:
    for crash in recent(now, limits["recent"]):
        signal = _SIGNALS.get(int(crash.code.number))
        if signal is None or crash.reason.text == "OOMKilled":
            continue
        error = now.of(crash.code.subject, LOG_LAST_ERROR.now)
        if (error is not None and error.text) or told_by(now, crash.code.subject, _OTHERWISE):
            continue
        said = f"{{code_of}} ended with exit code {{code}} ({signal}) {{ago}} ago, and its log breaks off without an error."
        # A log that nobody could read did not break off.
        also = (crash.reason, log_line(now, crash, LOG_NATIVE_CRASH), log_line(now, crash, LOG_SERVING))
        return of_container(now, because(said, *also, now.get(RESTARTS.now), code=crash.code, ago=crash.ago))
    return None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """By what kind of crash it was."""
    line = told(now, LOG_NATIVE_CRASH)
    codes = {int(code.number) for code in now.each(EXIT_CODE.now)} if now.get(EXIT_CODE.now) is not None else set()
    if _INSTRUCTION.search(line) or (not line and _ILLEGAL in codes):
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
    where = " after the line" if line else ", if its log holds any,"
    heap = " The heap was overwritten: it may be another library than the one that fell." if _HEAP.search(line) else ""
    return (
        Remedy(
            f"Read the frames{where} (kubectl logs POD --previous; PYTHONFAULTHANDLER=1 prints Python's): libcuda and libnccl point at the"
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
    helps=helps(_OTHERWISE, LOG_CUDA_FAULT.now, LOG_LAST_ERROR.now),
    limits=LIMITS,
    fires=fires,
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=_CITES,
    owner="ml platform",
)
