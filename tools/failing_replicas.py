"""Replicas that count as ready and fail their requests, with the line of their log that says why: what those checks share.

A server survives what breaks each of its calls (a kernel that is missing, memory that is short, a GPU that is gone) where its
health endpoint asks for no inference: Kubernetes sees nothing of it. The logs of the replicas that fail most are read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from tools.check import Because, Limit, Now, Unseen, because
from tools.reading import Reading, Reason, Subject
from tools.signals import LOG_CUDA_OOM, LOG_SHM, LOG_XID, POD_READY, TTFT, Signal
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT, LOG_DEVICE_GONE, LOG_GPU_LOST
from tools.vocabulary.outcomes import FAILED, HTTP_5XX, LOG_WINDOW
from tools.vocabulary.startup import LOG_COLLECTIVE, LOG_ENGINE_DEAD, LOG_NO_KERNEL

ERRORS = HTTP_5XX.increase("10m")
FAILURES = FAILED.increase("10m")
FIRST = TTFT.p95("5m")
# From so many failed requests in ten minutes, or such first tokens (the objective, seconds), the log of a pod that counts as ready is read:
# transfers that fail and caches that overflow are told by logs alone in many releases.
LEAST = 5.0
SLOW_S = 2.0
HELPS = (ERRORS, FAILURES, LOG_WINDOW.now)  # beside POD_READY
# What breaks the calls of a server that runs for certain; beside it an error of a start was survived.
BREAKING = (
    LOG_COLLECTIVE,
    LOG_CUDA_FAULT,
    LOG_CUDA_OOM,
    LOG_DEVICE_GONE,
    LOG_ENGINE_DEAD,
    LOG_GPU_LOST,
    LOG_NO_KERNEL,
    LOG_SHM,
    LOG_XID,
)
LIMITS = {"errors": Limit(LEAST, "requests", "from then on the log of a server that counts as ready is read")}


def failing(now: Now, least: float) -> Iterator[tuple[Reading, Reading]]:
    """The ready replicas that failed so many requests at least, each with the count of them."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        errors = now.of(ready.subject, ERRORS) or now.of(ready.subject, FAILURES)
        if ready.number and errors is not None and errors.number >= least:
            yield ready, errors


def told_by(now: Now, replica: Subject, signals: tuple[Signal, ...]) -> bool:
    """Whether a replica's log holds a line of one of these kinds."""
    lines = (now.of(replica, signal.now) for signal in signals)
    return any(line is not None and line.text for line in lines)


def said_while_ready(now: Now, least: float, signal: Signal, unless: tuple[Signal, ...] = ()) -> Because | None:
    """Because a ready replica fails its requests, and its log says this, and none of what is in `unless`, which weighs more.

    Raises `Unseen` where none says so and the log of one could not be read.
    """
    said = told_while_ready(now, least, signal, unless)
    if said is None:
        unread(now, (ready.subject for ready, _ in failing(now, least)), signal)
    return said


def told_while_ready(now: Now, least: float, signal: Signal, unless: tuple[Signal, ...] = ()) -> Because | None:
    """The same as far as logs could be read: for a check that has more to go by, and asks for `unread` itself in the end."""
    for ready, errors in failing(now, least):
        line = now.of(ready.subject, signal.now)
        if line is not None and line.text and not told_by(now, ready.subject, unless):
            said = "{errors_of} counts as ready and failed {errors} within 10 min; its log says: {line}"
            return because(said, ready, errors=errors, line=line)
    return said_lately(now, signal)


def said_lately(now: Now, signal: Signal) -> Because | None:
    """Because a ready replica, of whose requests nothing can be seen, said this within the time that its log was read back."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        window, line = now.of(ready.subject, LOG_WINDOW.now), now.of(ready.subject, signal.now)
        if window is None or not window.number or line is None or not line.text or not ready.number:
            continue
        said = (
            "{line_of} counts as ready, nothing is exported of its requests, and within {window} its log said: {line}"
        )
        return because(said, ready, window=window, line=line)
    return None


def unread(now: Now, replicas: Iterable[Subject], signal: Signal) -> None:
    """Raise `Unseen` where the log of one of these replicas, which fail, could not be read: silence acquits nobody.

    Logs are read of the few that fail most; that nobody asked for a further one is no refusal.
    """
    for replica in replicas:
        line = now.blind(replica, signal.now)
        if line.blind is not None and line.blind.reason is not Reason.NO_SERIES:
            raise Unseen(line)
