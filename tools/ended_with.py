"""Replicas that ended over a line of their log, whether or not they had served, or that do not get on over it: what those checks share.

A failed start is told by `tools.failed_starts`; here the line counts after days of service, too.
"""

from __future__ import annotations

from collections.abc import Sequence

from tools import failed_starts, failing_replicas
from tools.check import Because, Fires, Limit, Limits, Now, because
from tools.crashes import Crash, log_line, of_container, recent
from tools.reading import Reading
from tools.signals import LOG_LAST_ERROR, LOG_SERVING, RESTARTS, Ask, Signal
from tools.vocabulary import log_signals
from tools.vocabulary.gpu_software import LOG_CUDA_FAULT
from tools.vocabulary.host_faults import LOG_NATIVE_CRASH
from tools.vocabulary.order import LOG_ORDER
from tools.vocabulary.outcomes import LOG_OVERLOADED
from tools.vocabulary.retractions import LOG_RETRACTED
from tools.vocabulary.security import LOG_PICKLE
from tools.vocabulary.startup import LOG_ENGINE_DEAD, LOG_UNREACHABLE
from tools.vocabulary.volumes import LOG_FILES_THERE

LIMITS: dict[str, Limit] = {**failed_starts.LIMITS, **failing_replicas.LIMITS}
HELPS: tuple[Ask, ...] = (*failed_starts.HELPS, *failing_replicas.HELPS)
# What stands beside any cause: that it served or found its files, what it could not reach, that the engine behind the server is dead, and
# how its processes fell, what it refused or took back before, and in which order it told of errors.
_BESIDE = (
    LOG_ORDER,
    LOG_RETRACTED,
    LOG_SERVING,
    LOG_FILES_THERE,
    LOG_LAST_ERROR,
    LOG_UNREACHABLE,
    LOG_PICKLE,
    LOG_ENGINE_DEAD,
    LOG_NATIVE_CRASH,
    LOG_CUDA_FAULT,
    LOG_OVERLOADED,
)


def causes(*but: Signal) -> tuple[Signal, ...]:
    """Every kind of line that names a cause, but these."""
    beside = {one.name for one in (*_BESIDE, *but)}
    return tuple(signal for name, signal in sorted(log_signals().items()) if name not in beside)


def ended_with(*signals: Signal, unless: Sequence[Signal] = (), helps: Sequence[Ask] = ()) -> Fires:
    """Fire when a replica ended lately with a line of one of these kinds, runs unready over it, or is ready and fails its requests.

    A line of one of the kinds in `unless` in the same log tells the reason instead, and so does the kernel's kill.
    """

    def fires(now: Now, limits: Limits) -> Because | None:
        for crash in recent(now, limits["recent"]):
            if crash.reason.text == "OOMKilled" or failing_replicas.told_by(now, crash.code.subject, tuple(unless)):
                continue
            line = _line(now, crash, signals)
            if line is None:
                continue
            served = log_line(now, crash, LOG_SERVING)
            # What its runtime could not start has no log: the words are those of its status.
            says = "its runtime says" if crash.reason.text in failed_starts.NEVER_BEGAN else "its log says"
            said = "{code_of} ended with exit code {code} {ago} ago"
            said += " after it had served" if served.text else " before it served anything"
            also = (crash.reason, served, *(now.get(ask) for ask in (RESTARTS.now, *helps)))
            told = because(f"{said}; {says}: {{line}}", *also, code=crash.code, ago=crash.ago, line=line)
            return of_container(now, told)
        for signal in signals:
            found = failed_starts.standing(
                now, limits["standing"], signal, tuple(unless)
            ) or failing_replicas.told_while_ready(now, limits["errors"], signal, tuple(unless))
            if found is not None:
                return found
        # Only once no replica tells it: one whose log cannot be read must not hide what another says.
        failing = (ready.subject for ready, _ in failing_replicas.failing(now, limits["errors"]))
        failing_replicas.unread(now, failing, signals[0])
        return None

    return fires


def _line(now: Now, crash: Crash, signals: Sequence[Signal]) -> Reading | None:
    """What the log holds of the first of these kinds that it holds; a log that cannot be read is blind by the first."""
    told = (log_line(now, crash, signals[0]), *(now.of(crash.code.subject, signal.now) for signal in signals[1:]))
    return next((one for one in told if one is not None and one.text), None)


def needs(signal: Signal) -> tuple[Ask, ...]:
    """What such a check asks, by the first kind of line: all lines of a log are read at once."""
    return failed_starts.needs(signal)


def helps(unless: Sequence[Signal] = (), *more: Ask) -> tuple[Ask, ...]:
    """What it looks at besides, each once."""
    return tuple(dict.fromkeys((*HELPS, *(signal.now for signal in unless), *more)))
