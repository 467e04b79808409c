"""Containers of a subject that ended a short while ago: what the out-of-memory checks share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.check import Now, Unseen
from tools.reading import Reading
from tools.signals import EXIT_CODE, TERMINATED_AGO, TERMINATION, WAITING_REASON, Ask, Signal


@dataclass(frozen=True, slots=True)
class Crash:
    """A container's last bad end: its exit code, its reason, and how long ago."""

    code: Reading
    reason: Reading
    ago: Reading


def recent(now: Now, within_s: float) -> Iterator[Crash]:
    """The subject's replicas whose serving container ended within a time, latest first.

    A container that still waits in CrashLoopBackOff counts however long its back-off has become.
    """
    crashes: list[Crash] = []
    for reason in now.each(TERMINATION.now):
        if not reason.text:
            continue  # it never ended
        # A server that ends itself cleanly after a fatal error has crashed all the same: exit code 0 acquits nobody.
        code = needed(now, reason, EXIT_CODE.now)
        ago = needed(now, reason, TERMINATED_AGO.now)
        waiting = now.of(code.subject, WAITING_REASON.now)
        if ago.number <= within_s or (waiting is not None and waiting.text == "CrashLoopBackOff"):
            crashes.append(Crash(code, reason, ago))
    yield from sorted(crashes, key=lambda crash: crash.ago.number)


def needed(now: Now, beside: Reading, ask: Ask) -> Reading:
    """The reading of the replica that another reading is about; raises `Unseen` when it is blind."""
    found = now.of(beside.subject, ask)
    if found is None:
        raise Unseen(now.blind(beside.subject, ask))
    return found


def log_line(now: Now, crash: Crash, signal: Signal) -> Reading:
    """What the crashed container's log holds of a pattern (an empty text when it was read and holds none)."""
    return needed(now, crash.code, signal.now)
