"""Pods of a node that do not stay up, with what they say of the GPU software beneath them: what those checks share."""

from __future__ import annotations

import re

from tools.check import Because, Now, because
from tools.crashes import needed
from tools.reading import Reading
from tools.signals import WAITING_REASON, Ask, Signal
from tools.vocabulary.gpu_software import GPU_START_SAID, NODE_FAILING

HELPS = (GPU_START_SAID.now,)


def needs(signal: Signal) -> tuple[Ask, ...]:
    """What a check of such a line asks."""
    return (NODE_FAILING.now, WAITING_REASON.now, signal.now)


def said_by_a_failing_pod(now: Now, signal: Signal, start: re.Pattern[str] | None = None) -> Because | None:
    """Because a pod of the node cannot start or crashes, and its runtime (`start`) or its log (`signal`) says this."""
    failing = now[NODE_FAILING.now]
    if not failing.number:
        return None
    for waiting in now.each(WAITING_REASON.now):
        said = now.of(waiting.subject, GPU_START_SAID.now) if start is not None else None
        if said is not None and start is not None and start.search(said.text):
            return because("{said_of} cannot start on this node: {said}", waiting, failing, said=said)
        line = _line(now, waiting, signal)
        if line is not None and line.text:
            return because("{line_of} crashes on this node; its log says: {line}", waiting, failing, line=line)
    return None


def _line(now: Now, waiting: Reading, signal: Signal) -> Reading | None:
    if waiting.text == "CrashLoopBackOff":
        return needed(now, waiting, signal.now)
    return now.of(waiting.subject, signal.now) if waiting.text else None
