"""Facts read off Kubernetes objects: what the manifests declare and what the kubelet and scheduler report.

Pure functions over raw API objects. A fact that an object does not hold is absent, never zero.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from tools.quantity import quantity, seconds
from tools.reading import Subject
from tools.signals import (
    CPU_LIMIT,
    EXIT_CODE,
    GPU_REQUEST,
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    LIVED_FOR,
    MEMORY_LIMIT,
    NODE_GPUS,
    NODE_READY,
    PENDING_FOR,
    POD_AGE,
    POD_PHASE,
    POD_READY,
    REPLICAS_READY,
    REPLICAS_WANTED,
    RESTARTS,
    RUNNING_FOR,
    SHM_SIZE,
    STANDBY,
    TERMINATED_AGO,
    TERMINATION,
    UNSCHEDULABLE,
    WAITING_REASON,
    Signal,
)

Value = float | str
Object = Mapping[str, Any]
STANDBY_ANNOTATION = "rackside.dev/standby"
SHM_PATH = "/dev/shm"  # noqa: S108 - the mount point of shared memory, not a temporary file
CONTAINER_SHM_BYTES = 64.0 * 1024 * 1024  # what a container runtime gives /dev/shm when nothing is mounted there


# What the API sends is a dict, which is told at once; asking the abstract class first would be half of the time on a large fleet.
MAPPINGS = (dict, Mapping)


def at(item: Object, *path: str) -> Any:
    """Walk an object by keys; None where it ends early or something is no mapping."""
    here: Any = item
    for key in path:
        if not isinstance(here, MAPPINGS):
            return None
        here = here.get(key)
    return here


def within(item: Object, *path: str) -> Object:
    """The mapping at a path, empty where there is none."""
    found = at(item, *path)
    return found if isinstance(found, MAPPINGS) else {}


def many(item: Object, *path: str) -> list[Object]:
    """The list of mappings at a path, empty where there is none."""
    found = at(item, *path)
    return [one for one in found if isinstance(one, MAPPINGS)] if isinstance(found, list) else []


def name_of(item: Object) -> tuple[str, str]:
    """Namespace and name of an object."""
    return str(at(item, "metadata", "namespace") or ""), str(at(item, "metadata", "name") or "")


def gpus_requested(pod: Object) -> float:
    """GPUs (whole, shared or MIG instances) that a pod's containers request."""
    total = 0.0
    for container in many(pod, "spec", "containers"):
        wanted = {**within(container, "resources", "limits"), **within(container, "resources", "requests")}
        total += sum(quantity(v) or 0.0 for k, v in wanted.items() if str(k).startswith("nvidia.com/"))
    return total


def serving_container(pod: Object) -> Object:
    """The container that serves: the one that requests GPUs, else the first."""
    containers = many(pod, "spec", "containers")
    for container in containers:
        limits = {**within(container, "resources", "limits"), **within(container, "resources", "requests")}
        if any(str(key).startswith("nvidia.com/") for key in limits):
            return container
    return containers[0] if containers else {}


def pod_facts(pod: Object, now: float, events: Sequence[Object] = ()) -> dict[Signal, Value]:
    """Every fact of one pod. `events` are the events about it, oldest first."""
    facts: dict[Signal, Value] = {GPU_REQUEST: gpus_requested(pod)}
    phase = "Terminating" if at(pod, "metadata", "deletionTimestamp") else str(at(pod, "status", "phase") or "")
    if phase:
        facts[POD_PHASE] = phase
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
    facts: dict[Signal, Value] = {}
    serving = str(serving_container(pod).get("name") or "")
    statuses = many(pod, "status", "containerStatuses")
    status = next((s for s in statuses if s.get("name") == serving), statuses[0] if statuses else None)
    if status is None:
        return facts
    facts[RESTARTS] = _count(status.get("restartCount"))
    started = seconds(at(status, "state", "running", "startedAt"))
    facts[RUNNING_FOR] = max(0.0, now - started) if started is not None else 0.0  # not running at all
    facts[WAITING_REASON] = str(at(status, "state", "waiting", "reason") or "")
    ended = within(status, "state", "terminated") or within(status, "lastState", "terminated")
    facts[TERMINATION] = str(at(ended, "reason") or "") if ended else ""
    if ended:
        code = ended.get("exitCode")
        if isinstance(code, int):
            facts[EXIT_CODE] = float(code)
        finished, begun = seconds(ended.get("finishedAt")), seconds(ended.get("startedAt"))
        if finished is not None:
            facts[TERMINATED_AGO] = max(0.0, now - finished)
            if begun is not None:
                facts[LIVED_FOR] = max(0.0, finished - begun)
    return facts


def _declared(pod: Object) -> dict[Signal, Value]:
    container = serving_container(pod)
    facts: dict[Signal, Value] = {}
    for signal, resource in ((CPU_LIMIT, "cpu"), (MEMORY_LIMIT, "memory")):
        value = quantity(at(container, "resources", "limits", resource) or "")
        if value is not None:
            facts[signal] = value
    facts[SHM_SIZE] = _shm(pod, container)
    return facts


def _count(value: object) -> float:
    return float(value) if isinstance(value, int) else 0.0


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


def workload_facts(item: Object) -> dict[Signal, Value]:
    """The facts of a Deployment, StatefulSet or similar."""
    facts: dict[Signal, Value] = {}
    wanted = at(item, "spec", "replicas")
    if isinstance(wanted, int):
        facts[REPLICAS_WANTED] = float(wanted)
        facts[REPLICAS_READY] = _count(at(item, "status", "readyReplicas"))
    marks = {**within(item, "metadata", "labels"), **within(item, "metadata", "annotations")}
    facts[STANDBY] = 1.0 if str(marks.get(STANDBY_ANNOTATION, "")).lower() == "true" else 0.0
    return facts


def autoscaler_target(item: Object) -> Subject:
    """What an autoscaler scales."""
    namespace, _ = name_of(item)
    target = within(item, "spec", "scaleTargetRef")
    return Subject(str(target.get("kind") or "deployment").lower(), namespace, str(target.get("name") or ""))


def autoscaler_facts(item: Object) -> dict[Signal, Value]:
    """The facts of a HorizontalPodAutoscaler, kept under its target."""
    facts: dict[Signal, Value] = {HPA_METRICS: ", ".join(_followed(item))}
    for signal, path in (
        (HPA_MIN, ("spec", "minReplicas")),
        (HPA_MAX, ("spec", "maxReplicas")),
        (HPA_DESIRED, ("status", "desiredReplicas")),
    ):
        value = at(item, *path)
        if isinstance(value, int):
            facts[signal] = float(value)
    facts.setdefault(HPA_MIN, 1.0)
    return facts


def _followed(item: Object) -> list[str]:
    names: list[str] = []
    for metric in many(item, "spec", "metrics"):
        kind = str(metric.get("type") or "")
        body = metric.get(kind[:1].lower() + kind[1:]) or {}
        name = at(body, "name") or at(body, "metric", "name")
        if name:
            names.append(str(name))
    return sorted(set(names))


def node_facts(item: Object) -> dict[Signal, Value]:
    """The facts of a node."""
    facts: dict[Signal, Value] = {NODE_GPUS: quantity(at(item, "status", "capacity", "nvidia.com/gpu") or "0") or 0.0}
    ready = next((c for c in many(item, "status", "conditions") if c.get("type") == "Ready"), None)
    if ready is not None:
        facts[NODE_READY] = 1.0 if ready.get("status") == "True" else 0.0
    return facts


def free_gpus(nodes: Iterable[Object], pods: Iterable[Object]) -> dict[str, tuple[float, float]]:
    """Per node: GPUs free, GPUs allocatable. Cordoned and unready nodes have none free."""
    used: dict[str, float] = defaultdict(float)
    for pod in pods:
        if str(at(pod, "status", "phase")) not in {"Succeeded", "Failed"} and at(pod, "spec", "nodeName"):
            used[str(at(pod, "spec", "nodeName"))] += gpus_requested(pod)
    free: dict[str, tuple[float, float]] = {}
    for node in nodes:
        _, name = name_of(node)
        allocatable = quantity(at(node, "status", "allocatable", "nvidia.com/gpu") or "0") or 0.0
        usable = node_facts(node).get(NODE_READY) != 0.0 and not at(node, "spec", "unschedulable")
        free[name] = (max(0.0, allocatable - used[name]) if usable else 0.0, allocatable)
    return free
