"""A workload's readings now, as four views. Pure: a snapshot in, lines out; whatever is blind says why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.slack_command import View
from tools.check import shown
from tools.reading import Reading, Reason, Subject
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
    Kind,
    Per,
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


# Where there is nothing, nothing is hidden: no observation in the window, and of a fact an object that does not state it.
_NOTHING = {
    False: frozenset({Reason.NOTHING_OBSERVED}),
    True: frozenset({Reason.NOTHING_OBSERVED, Reason.NO_SERIES}),
}


@dataclass(frozen=True, slots=True)
class Line:
    """One ask: what was read of the parts, lowest first, and why the others could not be read (each reason once).

    `hidden` counts parts of which a value was to be had and could not be seen.
    """

    ask: Ask
    read: tuple[Reading, ...]
    blind: tuple[str, ...]
    hidden: int = 0

    def __str__(self) -> str:
        """Print the value, or the range over the parts with where the highest is."""
        if not self.read:
            return "could not be seen"
        lowest, highest = self.read[0], self.read[-1]
        rest = f"; {self.hidden} more could not be seen" if self.hidden else ""
        if shown(lowest) == shown(highest):
            return shown(highest) + (f" (each of {len(self.read)})" if len(self.read) > 1 else "") + rest
        return f"{shown(lowest)} to {shown(highest)}, highest on {highest.subject.name}{rest}"


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
    unread = [one.blind for one in readings if one.blind is not None]
    hidden = [one for one in unread if one.reason not in _NOTHING[ask.signal.kind is Kind.FACT]]
    reasons = [str(one) for one in (hidden or unread if read else unread)]
    lacking = _gpus_without(snapshot, workload, len(keys)) if ask.signal.per is Per.GPU else 0
    if lacking:
        reasons.append(f"{lacking} of its GPUs have no metrics that are known to be its own")
    why = tuple(dict.fromkeys(reasons)) or (() if read else ("there is nothing of it to read",))
    return Line(ask, tuple(read), why, len(hidden) + lacking)


def _gpus_without(snapshot: Snapshot, workload: Subject, seen: int) -> int:
    """How many of the GPUs that its running pods hold nobody tells of."""
    pods = (snapshot.topology.pods[key] for key in snapshot.topology.pods_of(workload))
    return max(0, round(sum(pod.gpus for pod in pods if pod.active)) - seen)


def _rank(reading: Reading) -> tuple[bool, float, str]:
    value = reading.value
    number = float(value) if isinstance(value, int | float) else 0.0
    return isinstance(value, str), number, reading.text


def unseen(lines: Sequence[Line]) -> dict[str, list[str]]:
    """Why lines, or parts of them, could not be seen: each reason with what it hides."""
    found: dict[str, list[str]] = {}
    for line in lines:
        if not line.read or line.hidden:
            for why in line.blind:
                found.setdefault(why, []).append(line.ask.said)
    return found
