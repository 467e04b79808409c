"""Facts of one pod: its phase and conditions, the container that its failures are told of, and what its manifest declares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tools.facts import Object, Value, at, count_of, gpus_requested, many, serving_container
from tools.pod_containers import told_of, under_way
from tools.quantity import quantity, seconds
from tools.signals import (
    CPU_LIMIT,
    EXIT_CODE,
    GPU_REQUEST,
    LIVED_FOR,
    MEMORY_LIMIT,
    PENDING_FOR,
    POD_AGE,
    POD_PHASE,
    POD_READY,
    RESTARTS,
    RUNNING_FOR,
    SHM_SIZE,
    TERMINATED_AGO,
    TERMINATION,
    UNSCHEDULABLE,
    WAITING_REASON,
    Signal,
)
from tools.vocabulary.startup import INIT_CONTAINER, INIT_RUNNING_FOR, TOLD_LIMIT, TOLD_OF
from tools.vocabulary.turned import ENDING_FOR

SHM_PATH = "/dev/shm"  # noqa: S108 - the mount point of shared memory, not a temporary file
CONTAINER_SHM_BYTES = 64.0 * 1024 * 1024  # what a container runtime gives /dev/shm when nothing is mounted there


def pod_facts(pod: Object, now: float, events: Sequence[Object] = ()) -> dict[Signal, Value]:
    """Every fact of one pod. `events` are the events about it, oldest first."""
    facts: dict[Signal, Value] = {GPU_REQUEST: gpus_requested(pod)}
    phase = "Terminating" if at(pod, "metadata", "deletionTimestamp") else str(at(pod, "status", "phase") or "")
    if phase:
        facts[POD_PHASE] = phase
    ends = seconds(at(pod, "metadata", "deletionTimestamp"))
    if ends is not None:
        # The API writes when the grace period will be over, not when it began.
        facts[ENDING_FOR] = max(
            0.0, now - (ends - (quantity(at(pod, "metadata", "deletionGracePeriodSeconds")) or 0.0))
        )
    created = seconds(at(pod, "metadata", "creationTimestamp"))
    if created is not None:
        facts[POD_AGE] = max(0.0, now - created)
        facts[PENDING_FOR] = max(0.0, now - created) if phase == "Pending" else 0.0
    conditions = {str(c.get("type")): c for c in many(pod, "status", "conditions")}
    if "Ready" in conditions:
        facts[POD_READY] = 1.0 if conditions["Ready"].get("status") == "True" else 0.0
    facts[UNSCHEDULABLE] = _unschedulable(conditions, events, phase)
    facts.update(_container_facts(pod, now))
    facts.update(_declared(pod))
    return facts


def _unschedulable(conditions: Mapping[str, Object], events: Sequence[Object], phase: str) -> str:
    scheduled = conditions.get("PodScheduled")
    if phase != "Pending" or (scheduled is not None and scheduled.get("status") == "True"):
        return ""
    if scheduled is not None and scheduled.get("message"):
        return str(scheduled["message"])
    failed = [str(e.get("message") or "") for e in events if e.get("reason") == "FailedScheduling"]
    return failed[-1] if failed else ""


def _container_facts(pod: Object, now: float) -> dict[Signal, Value]:
    init = under_way(pod)
    facts: dict[Signal, Value] = {
        INIT_CONTAINER: init.role if init is not None else "",
        INIT_RUNNING_FOR: _running_for(init.status, now) if init is not None else 0.0,
    }
    one = told_of(pod, now)
    facts[TOLD_OF] = one.role
    if not one.status:
        return facts
    serving = str(serving_container(pod).get("name") or "")
    statuses = many(pod, "status", "containerStatuses")
    runs = next((s for s in statuses if s.get("name") == serving), statuses[0] if statuses else {})
    facts[RUNNING_FOR] = _running_for(runs, now)  # 0 where it does not run at all
    facts[RESTARTS] = count_of(one.status.get("restartCount"))
    facts[WAITING_REASON] = str(at(one.status, "state", "waiting", "reason") or "")
    ended = one.ended
    facts[TERMINATION] = str(at(ended, "reason") or "") if ended else ""
    limit = quantity(at(one.form, "resources", "limits", "memory") or "")
    if one.role and limit is not None:
        facts[TOLD_LIMIT] = limit
    if ended:
        code = ended.get("exitCode")
        if isinstance(code, int):
            facts[EXIT_CODE] = float(code)
        finished, begun = seconds(ended.get("finishedAt")), seconds(ended.get("startedAt"))
        if finished is not None:
            facts[TERMINATED_AGO] = max(0.0, now - finished)
            # A container that could not be started "began" at the beginning of 1970.
            if begun:
                facts[LIVED_FOR] = max(0.0, finished - begun)
    return facts


def _running_for(status: Object, now: float) -> float:
    started = seconds(at(status, "state", "running", "startedAt"))
    return max(0.0, now - started) if started is not None else 0.0


def _declared(pod: Object) -> dict[Signal, Value]:
    container = serving_container(pod)
    facts: dict[Signal, Value] = {}
    for signal, resource in ((CPU_LIMIT, "cpu"), (MEMORY_LIMIT, "memory")):
        value = quantity(at(container, "resources", "limits", resource) or "")
        if value is not None:
            facts[signal] = value
    facts[SHM_SIZE] = _shm(pod, container)
    return facts


def _shm(pod: Object, container: Object) -> float:
    if at(pod, "spec", "hostIPC") is True:
        return float("inf")
    mounted = next(
        (str(m.get("name")) for m in many(container, "volumeMounts") if m.get("mountPath") == SHM_PATH), None
    )
    if mounted is None:
        return CONTAINER_SHM_BYTES
    volume = next((v for v in many(pod, "spec", "volumes") if v.get("name") == mounted), None)
    limit = quantity(at(volume or {}, "emptyDir", "sizeLimit") or "")
    if limit is not None:
        return limit
    memory = quantity(at(container, "resources", "limits", "memory") or "")
    return memory if memory is not None else float("inf")
