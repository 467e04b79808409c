"""A workload's readings now, as four views. Pure: a snapshot in, lines out; whatever is blind says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack_command import View
from tools.check import shown
from tools.reading import Reading, Subject
from tools.signals import (
    CPU_THROTTLED,
    GENERATION_TOKENS,
    GPU_MEM_FREE,
    GPU_TENSOR,
    GPU_UTIL,
    HPA_DESIRED,
    HPA_MAX,
    ITL,
    KV_USAGE,
    MEM_WORKING_SET,
    OOM_EVENTS,
    PREEMPTIONS,
    PREFILL_TIME,
    PROMPT_TOKENS,
    QUEUE_TIME,
    REPLICAS_READY,
    REPLICAS_WANTED,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    RESTARTS,
    TERMINATION,
    TTFT,
    WAITING_REASON,
    XID_LAST,
    Ask,
)
from tools.snapshot import Snapshot
from tools.vocabulary.outcomes import ABORTED, FAILED, HTTP_5XX, REFUSED

ASKS: dict[View, tuple[Ask, ...]] = {
    "overview": (
        REPLICAS_WANTED.now, REPLICAS_READY.now, REQUESTS_RUNNING.now, REQUESTS_WAITING.now, KV_USAGE.now, TTFT.p95("10m"),
        ITL.p95("10m"), FAILED.increase("10m"), GPU_UTIL.avg("10m"), RESTARTS.now,
    ),
    "latency": (
        TTFT.p50("10m"), TTFT.p95("10m"), TTFT.p99("10m"), QUEUE_TIME.p95("10m"), PREFILL_TIME.p95("10m"), ITL.p50("10m"),
        ITL.p95("10m"), REQUESTS_WAITING.avg("10m"), CPU_THROTTLED.mean("10m"),
    ),
    "errors": (
        FAILED.increase("10m"), REFUSED.increase("10m"), ABORTED.increase("10m"), HTTP_5XX.increase("10m"),
        PREEMPTIONS.increase("10m"), OOM_EVENTS.increase("1h"), RESTARTS.now, TERMINATION.now, WAITING_REASON.now, XID_LAST.now,
    ),
    "capacity": (
        REPLICAS_WANTED.now, REPLICAS_READY.now, HPA_DESIRED.now, HPA_MAX.now, REQUESTS_RUNNING.avg("10m"),
        REQUESTS_WAITING.avg("10m"), REQUESTS_FINISHED.rate("10m"), PROMPT_TOKENS.rate("10m"), GENERATION_TOKENS.rate("10m"),
        KV_USAGE.avg("10m"), GPU_UTIL.avg("10m"), GPU_TENSOR.avg("10m"), GPU_MEM_FREE.now, MEM_WORKING_SET.now,
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Line:
    """One ask: what was read of every part, lowest first, and why the others could not be read (each reason once)."""

    ask: Ask
    read: tuple[Reading, ...]
    blind: tuple[str, ...]

    def __str__(self) -> str:
        """Print the value, or the range over the parts with where the highest is."""
        if not self.read:
            return "could not be seen"
        lowest, highest = self.read[0], self.read[-1]
        if shown(lowest) == shown(highest):
            return shown(highest) + (f" (each of {len(self.read)})" if len(self.read) > 1 else "")
        return f"{shown(lowest)} to {shown(highest)}, highest on {highest.subject.name}"


@dataclass(frozen=True, slots=True)
class Status:
    """A view of one workload at a moment, in seconds since the epoch."""

    workload: Subject
    view: View
    at: float
    lines: tuple[Line, ...]

    @property
    def sees_nothing(self) -> bool:
        """Whether not one line has a value."""
        return not any(line.read for line in self.lines)


def workloads(snapshot: Snapshot, namespace: str, name: str) -> list[Subject]:
    """The workloads of a name, in a namespace or anywhere, by their printed form."""
    known = snapshot.topology.workloads
    return sorted((one for one in known if one.name == name and namespace in {"", one.namespace}), key=str)


def status(snapshot: Snapshot, workload: Subject, view: View) -> Status:
    """Read one view off a snapshot that asked for it."""
    return Status(workload, view, snapshot.at, tuple(_line(snapshot, workload, ask) for ask in ASKS[view]))


def _line(snapshot: Snapshot, workload: Subject, ask: Ask) -> Line:
    keys = snapshot.topology.parts(workload, ask.signal.per)
    readings = [snapshot.read(ask, key) for key in keys]
    read = sorted((one for one in readings if one.blind is None and one.value is not None), key=_rank)
    reasons = dict.fromkeys(str(one.blind) for one in readings if one.blind is not None)
    return Line(ask, tuple(read), tuple(reasons) or (() if read else ("there is nothing of it to read",)))


def _rank(reading: Reading) -> tuple[bool, float, str]:
    value = reading.value
    number = float(value) if isinstance(value, int | float) else 0.0
    return isinstance(value, str), number, reading.text


def unseen(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Why lines could not be seen, each reason with what it hides."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line.read:
            for why in line.blind:
                found.setdefault(why, []).append(line.ask.said)
    return found
