"""Where the GPU-hours of a window went: by pod that holds GPUs now, and by node for those that nobody holds.

Every device-hour of the window lands in exactly one place. What could not be seen is `unseen`: it is never counted as idle.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from tools.costs_figures import Kind, Spent, queries
from tools.costs_nodes import NodeRate
from tools.facts import STANDBY_NAME
from tools.reading import Reading, Subject
from tools.signals import ENGINE_AWAKE, POD_AGE, STANDBY, Ask, Signal
from tools.snapshot import Snapshot
from tools.topology import Pod
from tools.unlisted import requests_unseen
from tools.vocabulary.costs import ENGINE_QUIET, ENGINE_SEEN, GPU_ACTIVE, GPU_EMPTY, GPU_SEEN, NOT_READY, SLOTS_PER_HOUR

ENDED = frozenset({"Succeeded", "Failed"})
# What Kubernetes says now is taken for an hour at most: it keeps no past.
STATE_HOLDS_H = 1.0
_SLOT = 1.0 / SLOTS_PER_HOUR
_CONTROLLED_ONE_BY_ONE = frozenset({"deployment", "replicaset", "pod", "daemonset"})


def asks(window: str) -> frozenset[Ask]:
    """What the accounting of a window reads beside the nodes."""
    slots = {signal.max(window) for signal in (GPU_SEEN, GPU_EMPTY, GPU_ACTIVE, ENGINE_SEEN, ENGINE_QUIET, NOT_READY)}
    return frozenset({*slots, POD_AGE.now, STANDBY.now, ENGINE_AWAKE.now})


def holders(snapshot: Snapshot) -> dict[str, list[Pod]]:
    """By node, the pods that hold GPUs on it."""
    found: dict[str, list[Pod]] = {}
    for pod in snapshot.topology.pods.values():
        if pod.node and pod.phase not in ENDED and devices_of(snapshot, pod):
            found.setdefault(pod.node, []).append(pod)
    return found


def devices_of(snapshot: Snapshot, pod: Pod) -> float:
    """Devices that a pod holds: those that it requests, or those that exporters say are its own."""
    return pod.gpus or float(len(snapshot.topology.gpus_of(pod.subject)))


class Window:
    """A window of `hours`, asked for as `text`; `standby` are workloads declared to be kept warm elsewhere than in the cluster."""

    def __init__(self, snapshot: Snapshot, text: str, hours: float, standby: frozenset[Subject] = frozenset()) -> None:
        """Look at a snapshot that was taken with `asks(text)`."""
        self.snapshot, self.text, self.hours, self.standby = snapshot, text, hours, standby

    def age(self, pod: Pod) -> float:
        """Hours of the window in which the pod was there, all of them where its age is not known."""
        age = self.snapshot.read(POD_AGE.now, pod.key).value
        return min(self.hours, float(age) / 3600) if isinstance(age, int | float) else self.hours

    def pod(self, pod: Pod, rate: NodeRate | None) -> tuple[Spent, ...]:
        """The GPU-hours of a pod, all its devices together."""
        devices = devices_of(self.snapshot, pod)
        here = self.age(pod)
        down, why_down, read_down = self._not_ready(pod, here)
        up = here - down
        keys = self.snapshot.topology.gpus_of(pod.subject)
        found: list[tuple[Kind, str, float, tuple[Reading, ...]]] = [("idle", why_down, down * devices, read_down)]
        young = here < self.hours - _SLOT
        for number in range(max(1, round(devices))):
            key = keys[number] if number < len(keys) and len(keys) <= devices else None
            share = devices / max(1, round(devices))
            for kind, reason, spent, readings in self._device(pod, key, up, down, young=young):
                found.append((kind, reason, spent * share, readings))
        return tuple(
            _spent(kind, reason, hours, rate, readings) for kind, reason, hours, readings in found if hours > 0
        )

    def _device(
        self, pod: Pod, key: str | None, up: float, down: float, *, young: bool
    ) -> list[tuple[Kind, str, float, tuple[Reading, ...]]]:
        """One device while the pod was ready: empty, without work, at work, unseen."""
        engine_seen, engine_quiet = self._read(ENGINE_SEEN, pod.key), self._read(ENGINE_QUIET, pod.key)
        gpu_seen = self._read(GPU_SEEN, key) if key else None
        found: list[tuple[Kind, str, float, tuple[Reading, ...]]] = []
        left = up
        # What the exporter counted of a GPU in the window may be of the pod that held it before.
        if gpu_seen is not None and not young and key:
            empty, active = self._read(GPU_EMPTY, key), self._read(GPU_ACTIVE, key)
            if empty is not None:
                bare = empty.number if active is None else min(empty.number, gpu_seen.number - active.number)
                hours = min(left, max(0.0, bare - down))
                found.append(("idle", "no process on the GPU", hours, _some(empty, active)))
                left -= hours
        if engine_seen is not None and engine_quiet is not None:
            seen = min(left, engine_seen.number)
            quiet = min(seen, engine_quiet.number)
            kind, reason, why = self._quiet(pod)
            found.append((kind, reason, quiet, _some(engine_quiet, why)))
            found.append(("used", "requests were served", seen - quiet, _some(engine_seen, engine_quiet)))
            left -= seen
        elif gpu_seen is not None and not young and key:
            active = self._read(GPU_ACTIVE, key)
            seen = min(left, max(0.0, gpu_seen.number - (up - left) - down))
            if active is not None:
                busy = min(seen, active.number)
                found.append(("used", "the GPU ran something", busy, (active,)))
                found.append(("idle", "a process held the GPU and ran nothing", seen - busy, (gpu_seen, active)))
                left -= seen
        found.append(("unseen", self._unseen(pod, key, young), left, ()))
        return found

    def _not_ready(self, pod: Pod, here: float) -> tuple[float, str, tuple[Reading, ...]]:
        told = self._read(NOT_READY, pod.key)
        why = "the pod was not ready"
        if pod.ready is False and pod.workload.kind not in _CONTROLLED_ONE_BY_ONE:
            others = (self.snapshot.topology.pods[key] for key in self.snapshot.topology.pods_of(pod.workload))
            if any(one.phase == "Pending" and not one.node for one in others):
                why = "the pod waits for pods of its gang that have no place"
        return (min(here, told.number), why, (told,)) if told is not None else (0.0, why, ())

    def _quiet(self, pod: Pod) -> tuple[Kind, str, Reading | None]:
        declared = self.snapshot.read(STANDBY.now, str(pod.workload))
        if declared.value == 1.0:
            return "standby", "declared a standby, no request", declared
        if pod.workload in self.standby:
            return "standby", "declared a standby in the intent, no request", None
        awake = self.snapshot.read(ENGINE_AWAKE.now, pod.key)
        if awake.value == 0.0:
            return "standby", "the engine sleeps", awake
        if STANDBY_NAME.search(pod.workload.name):
            return "standby", "a standby by its name, no request", None
        return "idle", "no request", None

    def _unseen(self, pod: Pod, key: str | None, young: bool) -> str:
        engine = self.snapshot.read(ENGINE_SEEN.max(self.text), pod.key)
        if pod.ready is False and self._read(NOT_READY, pod.key) is None:
            return "the pod is not ready, and nothing tells since when"
        if young and key:
            return "the pod held the GPU for a part of the window, and its engine tells nothing of that part"
        if engine.blind is not None:
            return f"its engine's requests are not seen ({engine.blind.detail or engine.blind.reason})"
        return "the engine did not report for a part of the window"

    def _read(self, signal: Signal, key: str) -> Reading | None:
        """Hours of the window; what is counted beyond its ends (its slots are whole ones) is cut off."""
        reading = self.snapshot.read(signal.max(self.text), key)
        if reading.blind is not None or not isinstance(reading.value, int | float):
            return None
        within = min(self.hours, max(0.0, float(reading.value)))
        return reading if within == reading.value else reading._replace(value=within)

    def node(self, rate: NodeRate, pods: Sequence[Pod]) -> tuple[Spent, ...]:
        """The device-hours of a node that its present pods do not account for."""
        held = sum(devices_of(self.snapshot, pod) for pod in pods)
        free = max(0.0, rate.given - held)
        missing = max(0.0, rate.devices - max(rate.given, held))
        found = []
        if missing:
            why = "the node does not give it out (not allocatable)"
            known = min(self.hours, STATE_HOLDS_H)
            found.append(_spent("stranded", why, missing * known, rate, rate.readings))
            why = "the node does not give it out now, and nothing tells since when"
            found.append(_spent("unseen", why, missing * (self.hours - known), rate, rate.readings))
        kind, reason = self._why_free(rate, free)
        keys = [
            key
            for key in self.snapshot.topology.gpus_of(Subject("node", "", rate.node))
            if self.snapshot.topology.gpus[key].pod is None
        ]
        whole = round(free)
        if free and self._hidden:
            # A pod that was not listed may hold it: that it is free, or was held until it ended, nobody can say.
            why = f"whether a pod holds it is not known ({self._hidden})"
            found.append(_spent("unseen", why, free * self.hours, rate, rate.readings))
        elif whole and len(keys) >= whole:
            # Which of them is the broken one cannot be told where both are unheld: those that were seen longest are the free ones.
            read = sorted(
                ((seen, empty) for key in keys if (seen := self._read(GPU_SEEN, key)) and (empty := self._read(GPU_EMPTY, key))),
                key=lambda pair: -pair[0].number,
            )[:whole]  # fmt: skip
            bare = sum(min(seen.number, empty.number) for seen, empty in read)
            watched = sum(seen.number for seen, _ in read)
            asked = tuple(one for pair in read for one in pair)
            found.append(_spent(kind, reason, bare, rate, (*rate.readings, *asked)))
            found.append(_spent("gone", "held by a pod that has ended since", watched - bare, rate, asked))
            unseen = free * self.hours - watched
            found.append(_spent("unseen", "the free GPU was not seen for a part of the window", unseen, rate, ()))
        elif free:
            why = "it is free now, and no exporter tells since when"
            found.append(_spent("unseen", why, free * self.hours, rate, rate.readings))
        before = sum((self.hours - self.age(pod)) * devices_of(self.snapshot, pod) for pod in pods)
        found.append(_spent("unseen", "before the pods that hold it now", before, rate, ()))
        return tuple(one for one in found if one.gpu_hours > 1e-9)

    @cached_property
    def _hidden(self) -> str:
        return requests_unseen(self.snapshot)

    @cached_property
    def _waiting(self) -> tuple[Pod, ...]:
        pods = self.snapshot.topology.pods.values()
        return tuple(pod for pod in pods if pod.phase == "Pending" and not pod.node and pod.gpus > 0)

    def _why_free(self, rate: NodeRate, free: float) -> tuple[Kind, str]:
        if rate.ready is False:
            return "stranded", "the node is not ready"
        if rate.cordoned:
            return "stranded", "the node is cordoned"
        waiting = self._waiting
        if not waiting:
            return "free", "nobody asks for it"
        least = min(pod.gpus for pod in waiting)
        if free < least:
            pods = "1 pending pod wants" if len(waiting) == 1 else f"{len(waiting)} pending pods want"
            return "stranded", f"fragmented: {pods} {least:.0f} or more on one node"
        if any(pod.workload.kind not in _CONTROLLED_ONE_BY_ONE for pod in waiting):
            return "stranded", "kept for a gang that does not start yet, or barred to it"
        return "stranded", "pending pods do not come here (taints, selectors or affinity)"


def _spent(kind: Kind, reason: str, hours: float, rate: NodeRate | None, readings: Sequence[Reading]) -> Spent:
    """Device-hours as GPU-hours and dollars."""
    hours = max(0.0, hours)
    device = rate.usd_per_device if rate is not None else None
    gpus = hours * (rate.gpus_per_device if rate is not None else 1.0)
    return Spent(kind, reason, gpus, None if device is None else hours * device, queries(readings))


def _some(*readings: Reading | None) -> tuple[Reading, ...]:
    return tuple(one for one in readings if one is not None)


def total(spent: Sequence[Spent]) -> Mapping[Kind, float]:
    """GPU-hours by kind."""
    found: dict[Kind, float] = {}
    for one in spent:
        found[one.kind] = found.get(one.kind, 0.0) + one.gpu_hours
    return found
