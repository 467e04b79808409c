"""Replicas that hold requests and compute nothing, while their API server goes on answering: an engine that died without a word.

A hang of a collective keeps its GPUs busy, and a long prefill too; here the GPU does nothing.
"""

from __future__ import annotations

from tools.check import Because, Limit, Now, because
from tools.signals import (
    ENGINE_AWAKE,
    GENERATION_TOKENS,
    GPU_UTIL,
    POD_READY,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    RUNNING_FOR,
    Signal,
)

RUNNING = REQUESTS_RUNNING.min("5m")
WAITING = REQUESTS_WAITING.min("5m")
TOKENS = GENERATION_TOKENS.rate("5m")
BUSY = GPU_UTIL.max("5m")
HELPS = (RUNNING, WAITING, TOKENS, BUSY, ENGINE_AWAKE.now, RUNNING_FOR.now)
LIMITS = {
    "idle": Limit(0.02, "ratio", "a GPU that computes anything in five minutes shows more"),
    "settled": Limit(900, "seconds", "a quarter of an hour: a young engine may compile before its first token"),
}


def stalled(now: Now, idle: float, settled_s: float, log: Signal) -> Because | None:
    """Because a ready replica has held requests for five minutes, gave no token, and its GPU did nothing."""
    for ready in now.each(POD_READY.now) if now.get(POD_READY.now) is not None else ():
        tokens, busy = now.of(ready.subject, TOKENS), now.of(ready.subject, BUSY)
        ran, awake = now.of(ready.subject, RUNNING_FOR.now), now.of(ready.subject, ENGINE_AWAKE.now)
        held = [
            one for ask in (WAITING, RUNNING) if (one := now.of(ready.subject, ask)) is not None and one.number >= 1
        ]
        if not ready.number or not held or tokens is None or tokens.number or busy is None or busy.number > idle:
            continue
        if ran is None or ran.number < settled_s or (awake is not None and not awake.number):
            continue
        line = now.of(ready.subject, log.now)
        what = "waiting" if held[0].name == WAITING.said else "running"
        said = f"{{held_of}} counts as ready and has had {{held}} {what} for 5 min at least, gave no token ({{tokens}}), and its GPU did nothing"
        if line is not None and line.text:
            return because(said + "; its log says: {line}", ready, busy, held=held[0], tokens=tokens, line=line)
        return because(said + " ({busy}); its log says nothing of it.", ready, held=held[0], tokens=tokens, busy=busy)
    return None
