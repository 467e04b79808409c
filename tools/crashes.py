"""Containers of a subject that ended a short while ago: what the checks of crashes share."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tools.check import Because, Now, Unseen
from tools.reading import Reading
from tools.signals import EXIT_CODE, TERMINATED_AGO, TERMINATION, WAITING_REASON, Ask, Signal
from tools.vocabulary.startup import TOLD_OF


@dataclass(frozen=True, slots=True)
class Crash:
    """A container's last bad end: its exit code, its reason, and how long ago."""

    code: Reading
    reason: Reading
    ago: Reading


def recent(now: Now, within_s: float) -> Iterator[Crash]:
    """The subject's replicas of which a container ended within a time, latest first: the serving one, or the one that it waits for.

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


def of_container(now: Now, told: Because, name: str = "code") -> Because:
    """The same, said of the container of the pod that it is about, where that is another than the serving one.

    `name` is the reading whose `{name_of}` is the pod in the sentence.
    """
    part = now.of(told.readings[name].subject, TOLD_OF.now)
    if part is None or not part.text:
        return told
    template = told.template.replace(f"{{{name}_of}}", f"The {{part}} of {{{name}_of}}", 1)
    return replace(told, template=template, readings={**told.readings, "part": part})


def needed(now: Now, beside: Reading, ask: Ask) -> Reading:
    """The reading of the replica that another reading is about; raises `Unseen` when it is blind."""
    found = now.of(beside.subject, ask)
    if found is None:
        raise Unseen(now.blind(beside.subject, ask))
    return found


def log_line(now: Now, crash: Crash, signal: Signal) -> Reading:
    """What the crashed container's log holds of a pattern (an empty text when it was read and holds none)."""
    return needed(now, crash.code, signal.now)
