"""The driver noted the fault of an application on the GPU.

## What it means
Xids 13, 31, 43, 45, 68 and 69 are the driver's note that a process did something wrong on the GPU (an illegal access, a failed kernel) or
died with work in flight. 45 is only the clean-up after it. The GPU is not at fault and stays schedulable; the device plugin ignores them.

## Why it hurts
The process has ended, and its requests with it. Where its log tells of the failed kernel too, the fault is the cause of that end; where it
does not, the Xid may be only the echo of a process that ended for another reason.

## What would rule it out
An Xid of another class, a process that goes on unharmed, or the same Xid on the same GPU under different applications: then suspect the hardware.
"""

from dataclasses import replace

from tools.catalogue.xids import XIDS
from tools.check import Because, Check, Explains, Limit, Limits, NothingToSee, Now, On, Where, because
from tools.finding import Remedy
from tools.reading import Reading
from tools.signals import GPU_MEM_USED, TERMINATED_AGO, TERMINATION, XID_BEFORE, XID_LAST
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT

LAST = XID_LAST.max("1h")
CHANGED = XID_LAST.changes("1h")
# How a process ends that did something wrong on the GPU, where its own log says that it did. An engine that tells of its death is told as that.
_ENDS = ("native_crash", "crash_loop")
_DEATH = ("engine_dead",)
_FAILS = ("error_rate_spike", "readiness_never_true")
_FOLLOWS = tuple(Explains(one, Where.ON_THIS_GPU) for one in _ENDS)
APPLICATION = frozenset({13, 31, 43, 45, 68, 69})


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire on a new Xid of the application class on a GPU whose container ended a short while ago or fails with it, or which stands empty since."""
    last = now[LAST]
    if int(last.number) not in APPLICATION:
        return None
    # The gauge keeps its last value for good: one that is as it was an hour ago says nothing new.
    before, changed = now.get(XID_BEFORE.now), now[CHANGED]
    kernel = now.get(LOG_CUDA_FAULT.now)
    renewed = bool(changed.number) or (before is not None and before.number != last.number)
    # Unless the container that ended tells of a failed kernel: a code that comes twice leaves the gauge as it is.
    again = kernel is not None and bool(kernel.text)
    if not again and not renewed:
        return None
    known = XIDS[int(last.number)]
    try:
        ended = now[TERMINATION.now]
    except NothingToSee:
        return _left(now, limits, f"The driver reported Xid {{last}} ({known.text})", before, changed)
    if not ended.text:
        return _goes_on(now, last, known.text, before, changed) if again and renewed else None
    ago = now[TERMINATED_AGO.now]
    if ago.number > limits["recent"]:
        return None
    found = because(
        f"The driver reported Xid {{last}} ({known.text}); the container on this GPU ended {{ago}} ago.",
        before,
        changed,
        ended,
        kernel,
        last=last,
        ago=ago,
    )
    return replace(found, outranks=_ENDS, ahead=_DEATH, explains=_FOLLOWS) if again else found


def _goes_on(now: Now, last: Reading, said: str, *also: Reading | None) -> Because:
    """A server whose calls fail since, in a context that is lost until it starts anew."""
    found = because(
        f"The driver reported Xid {{last}} ({said}); the container on this GPU runs on, and its log says: {{kernel}}",
        *also,
        last=last,
        kernel=now[LOG_CUDA_FAULT.now],
    )
    return replace(
        found, outranks=_ENDS, ahead=_DEATH, explains=(*_FOLLOWS, *(Explains(one, Where.ON_THIS_GPU) for one in _FAILS))
    )


def _left(now: Now, limits: Limits, said: str, *also: Reading | None) -> Because | None:
    """A GPU that nobody is known to hold: what ran on it has ended where its memory is empty."""
    used = now[GPU_MEM_USED.now]
    if used.number >= limits["left"]:
        return None
    found = because(
        f"{said}; nobody is known to hold this GPU, and {{used}} of its memory are in use.",
        *also,
        last=now[LAST],
        used=used,
    )
    return replace(found, explains=_FOLLOWS)


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """The application first; the hardware only where the code follows the GPU."""
    return (
        Remedy(
            "Read the container's log before the crash for the CUDA error. For an illegal access in an engine: upgrade it, try another"
            " attention backend, and run once with CUDA_LAUNCH_BLOCKING=1 to find the kernel.",
            None,
            "The same requests no longer end the process, and the Xid does not return.",
            ("gpu/xid-errors", "kubernetes/exit-codes-and-terminations"),
        ),
        Remedy(
            "If the code returns on this GPU under another application, test the hardware: dcgmi diag -r 3 on the drained node.",
            None,
            "dcgmi diag passes.",
            ("gpu/xid-errors",),
        ),
    )


CHECK = Check(
    on=(On.GPU,),
    severity="low",
    needs=(LAST, CHANGED, TERMINATION.now, TERMINATED_AGO.now),
    helps=(XID_BEFORE.now, LOG_CUDA_FAULT.now, GPU_MEM_USED.now),
    limits={
        "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
        "left": Limit(
            2.0**30, "bytes", "1 GiB: a driver keeps some hundred MiB of an empty GPU, and an engine many GiB"
        ),
    },
    fires=fires,
    # An engine that dies of a failed kernel tells of its death, and the driver of the kernel.
    sign=r"\bxids?\b",
    remedies=remedies,
    pages=("gpu/xid-errors",),
    owner="ml platform",
)
