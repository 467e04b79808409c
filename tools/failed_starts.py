"""Replicas that ended before they served anything, with the line of their log that says why: what those checks share."""

from __future__ import annotations

import re

from tools.check import Because, Fires, Limit, Limits, Now, because
from tools.crashes import log_line, of_container, recent
from tools.failing_replicas import told_by
from tools.reading import Reading
from tools.signals import (
    EXIT_CODE,
    LOG_CUDA_OOM,
    LOG_SERVING,
    POD_READY,
    RESTARTS,
    RUNNING_FOR,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
    Ask,
    Signal,
)
from tools.vocabulary.startup import (
    LOG_BAD_FLAG,
    LOG_DRIVER,
    LOG_FREE_MEMORY,
    LOG_LEN_KV,
    LOG_LEN_MODEL,
    LOG_NO_KERNEL,
    LOG_NO_KV,
    LOG_TP,
    TOLD_OF,
)

NEVER_BEGAN = frozenset({"StartError", "ContainerCannotRun"})
LIMITS = {
    "recent": Limit(3600, "seconds", "an hour: what ended before and runs since has recovered"),
    "standing": Limit(300, "seconds", "five minutes: a server that recovers from such a line has done so"),
}
# Lines that end a start for certain: what else its log complains of was survived, or is the same refusal in other words.
DECISIVE = (
    LOG_BAD_FLAG,
    LOG_CUDA_OOM,
    LOG_DRIVER,
    LOG_FREE_MEMORY,
    LOG_LEN_KV,
    LOG_LEN_MODEL,
    LOG_NO_KERNEL,
    LOG_NO_KV,
    LOG_TP,
)
HELPS = (WAITING_REASON.now, RESTARTS.now, TOLD_OF.now, POD_READY.now, RUNNING_FOR.now)


def needs(signal: Signal) -> tuple[Ask, ...]:
    """What a check of a failed start asks, with the line that it looks for."""
    return (EXIT_CODE.now, TERMINATED_AGO.now, TERMINATION.now, LOG_SERVING.now, signal.now)


def failed_start(signal: Signal, *helps: Ask, unless: tuple[Signal, ...] = ()) -> Fires:
    """Fire when a replica ended lately, or runs without being ready, with a line of this kind and no sign of having served.

    A line of one of the kinds in `unless` in the same log tells the reason instead.
    """

    def fires(now: Now, limits: Limits) -> Because | None:
        for crash in recent(now, limits["recent"]):
            if crash.reason.text == "OOMKilled":
                continue
            line = log_line(now, crash, signal)
            if line.text and told_by(now, crash.code.subject, unless):
                continue
            if line.text and not log_line(now, crash, LOG_SERVING).text:
                # What its runtime could not start has no log: the words are those of its status.
                says = "its runtime says" if crash.reason.text in NEVER_BEGAN else "its log says"
                found = because(
                    f"{{code_of}} ended with exit code {{code}} {{ago}} ago before it served anything; {says}: {{line}}",
                    crash.reason,
                    *(now.get(ask) for ask in (RESTARTS.now, *helps)),
                    code=crash.code,
                    ago=crash.ago,
                    line=line,
                )
                return of_container(now, found)
        return standing(now, limits["standing"], signal, unless)

    return fires


def standing(now: Now, for_s: float, signal: Signal, unless: tuple[Signal, ...] = ()) -> Because | None:
    """Because a container runs on, not ready, over workers that cannot start: its log says this, and nothing of having served."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        line, served = now.of(ready.subject, signal.now), now.of(ready.subject, LOG_SERVING.now)
        if ready.number or line is None or not line.text or (served is not None and served.text):
            continue
        if told_by(now, ready.subject, unless):
            continue
        ran = now.of(ready.subject, RUNNING_FOR.now)
        if ran is not None and ran.number >= for_s:
            return because(
                "{ran_of} has run for {ran} and is not ready; its log says: {line}", ready, ran=ran, line=line
            )
    return None


def told(now: Now, signal: Signal) -> str:
    """The line that was found, empty where none was."""
    found: Reading | None = now.get(signal.now)
    return found.text if found is not None else ""


def numbers(pattern: str, text: str) -> tuple[float, ...]:
    """The numbers of a pattern's groups, none where the text is otherwise."""
    match = re.search(pattern, text)
    try:
        return tuple(float(group) for group in match.groups()) if match else ()
    except (TypeError, ValueError):
        return ()
