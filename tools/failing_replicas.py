"""Replicas that count as ready and fail their requests, with the line of their log that says why: what those checks share.

A server survives what breaks each of its calls (a kernel that is missing, memory that is short, a GPU that is gone) where its
health endpoint asks for no inference: Kubernetes sees nothing of it. The logs of the replicas that fail most are read.
"""

from __future__ import annotations

from collections.abc import Iterator

from tools.check import Because, Limit, Now, because
from tools.reading import Reading
from tools.signals import POD_READY, Signal
from tools.vocabulary.outcomes import FAILED, HTTP_5XX

ERRORS = HTTP_5XX.increase("10m")
FAILURES = FAILED.increase("10m")
HELPS = (ERRORS, FAILURES)  # beside POD_READY
LIMITS = {"errors": Limit(5, "requests", "from then on the log of a server that counts as ready is read")}


def failing(now: Now, least: float) -> Iterator[tuple[Reading, Reading]]:
    """The ready replicas that failed so many requests at least, each with the count of them."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        errors = now.of(ready.subject, ERRORS) or now.of(ready.subject, FAILURES)
        if ready.number and errors is not None and errors.number >= least:
            yield ready, errors


def said_while_ready(now: Now, least: float, signal: Signal) -> Because | None:
    """Because a ready replica fails its requests, and its log says this."""
    for ready, errors in failing(now, least):
        line = now.of(ready.subject, signal.now)
        if line is not None and line.text:
            said = "{errors_of} counts as ready and failed {errors} within 10 min; its log says: {line}"
            return because(said, ready, errors=errors, line=line)
    return None
