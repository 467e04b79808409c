"""Pods of a node that fail, with what they say of the GPU software beneath them: what those checks share."""

from __future__ import annotations

import re

from tools.check import Because, Now, because
from tools.crashes import needed
from tools.log_lines import matches
from tools.signals import POD_AGE, Ask, Signal
from tools.vocabulary.autoscaling import FAILED_REASON
from tools.vocabulary.gpu_software import GPU_START_SAID, POD_FAILING

HELPS = (GPU_START_SAID.now, FAILED_REASON.now, POD_AGE.now)
# A pod that the kubelet turned away is followed by the next at once: an older one says nothing of now.
_TURNED_AWAY_WITHIN_S = 900.0
# A container that was never started has no log.
_NEVER_STARTED = frozenset({"RunContainerError", "CreateContainerError"})


def needs(signal: Signal) -> tuple[Ask, ...]:
    """What a check of such a line asks."""
    return (POD_FAILING.now, signal.now)


def said_by_a_failing_pod(now: Now, signal: Signal, start: re.Pattern[str] | None = None) -> Because | None:
    """Because a pod of the node cannot start or crashes, and its runtime (`start`) or its log (`signal`) says this."""
    for failing in now.each(POD_FAILING.now):
        if not failing.text:
            continue
        said = now.of(failing.subject, GPU_START_SAID.now)
        if start is not None and said is not None and start.search(said.text):
            return because("{said_of} cannot start on this node: {said}", failing, said=said)
        silent = failing.text in _NEVER_STARTED or (said is not None and said.text)
        line = now.of(failing.subject, signal.now) if silent else needed(now, failing, signal.now)
        if line is not None and line.text:
            return because("{line_of} fails on this node ({failing}); its log says: {line}", failing=failing, line=line)
    return _said_at_admission(now, signal)


def _said_at_admission(now: Now, signal: Signal) -> Because | None:
    """Because the kubelet turned a pod away just now, with the same words: a container that was never made has no log."""
    for reason in now.each(FAILED_REASON.now) if now.get(FAILED_REASON.now) is not None else ():
        age = now.of(reason.subject, POD_AGE.now)
        if age is None or age.number > _TURNED_AWAY_WITHIN_S or not matches(reason.text)[signal]:
            continue
        return because("{reason_of}, made {age} ago, was turned away on this node: {reason}", reason=reason, age=age)
    return None
