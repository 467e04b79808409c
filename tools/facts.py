"""Facts read off Kubernetes objects: what the manifests declare and what the kubelet and scheduler report.

Pure functions over raw API objects. A fact that an object does not hold is absent, never zero.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from tools.quantity import quantity, seconds
from tools.reading import Subject
from tools.signals import (
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    KEPT_WARM,
    NODE_GPUS,
    NODE_READY,
    REPLICAS_READY,
    REPLICAS_WANTED,
    STANDBY,
    Signal,
)

Value = float | str
Object = Mapping[str, Any]
STANDBY_ANNOTATION = "rackside.dev/standby"
STANDBY_NAME = re.compile(r"(^|[-_.])((warm|hot)-?)?standby($|[-_.\d])", re.IGNORECASE)
_STANDBY_VALUE = re.compile(r"((warm|hot|cold)[-_ ]?)?stand-?by|(hot|warm)[-_ ]spare", re.IGNORECASE)
_STANDBY_KEY = re.compile(r"(^|[-_./])((warm|hot)-?)?standby$", re.IGNORECASE)


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


def last_seen(event: Object) -> float | None:
    """When an event was seen last: one of the newer API that comes again tells it of its series alone, and its own time is the first."""
    told = (event.get("lastTimestamp"), at(event, "series", "lastObservedTime"), event.get("eventTime"))
    known = [time for text in told if text and (time := seconds(text)) is not None]
    return max(known) if known else seconds(at(event, "metadata", "creationTimestamp"))


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


def count_of(value: object) -> float:
    """A whole number of a status, 0 where it is none."""
    return float(value) if isinstance(value, int) else 0.0


def workload_facts(item: Object) -> dict[Signal, Value]:
    """The facts of a Deployment, StatefulSet or similar."""
    facts: dict[Signal, Value] = {}
    wanted = at(item, "spec", "replicas")
    if isinstance(wanted, int):
        facts[REPLICAS_WANTED] = float(wanted)
        facts[REPLICAS_READY] = count_of(at(item, "status", "readyReplicas"))
    marks = {**within(item, "metadata", "labels"), **within(item, "metadata", "annotations")}
    own = str(marks.get(STANDBY_ANNOTATION, "")).lower()
    facts[STANDBY] = 1.0 if own == "true" else 0.0
    # What others call so may rest: that it is not ready is forgiven only where it is declared to us.
    facts[KEPT_WARM] = 1.0 if own != "false" and _kept_warm(name_of(item)[1], marks) else 0.0
    return facts


def _kept_warm(name: str, marks: Mapping[str, object]) -> bool:
    """Whether somebody says of a workload that it waits for another to fail: in the words of a label, or in its name."""
    if STANDBY_NAME.search(name):
        return True
    return any(
        _STANDBY_VALUE.fullmatch(str(value)) or (_STANDBY_KEY.search(key) and str(value).lower() in {"true", "yes"})
        for key, value in marks.items()
    )


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
    return {
        name: (unused if usable and not cordoned else 0.0, total)
        for name, unused, total, usable, cordoned in _unused_gpus(nodes, pods)
    }


def cordoned_by_node(nodes: Iterable[Object], pods: Iterable[Object]) -> dict[str, float]:
    """Per node that is ready and cordoned: GPUs that no pod holds."""
    return {name: unused for name, unused, _, usable, cordoned in _unused_gpus(nodes, pods) if usable and cordoned}


def cordoned_gpus(nodes: Iterable[Object], pods: Iterable[Object]) -> float:
    """The most GPUs that no pod holds on one node that is ready and cordoned."""
    return max(cordoned_by_node(nodes, pods).values(), default=0.0)


def _unused_gpus(nodes: Iterable[Object], pods: Iterable[Object]) -> Iterator[tuple[str, float, float, bool, bool]]:
    """Per node: GPUs that no pod holds, GPUs allocatable, whether it is ready, whether it is cordoned."""
    used: dict[str, float] = defaultdict(float)
    for pod in pods:
        if str(at(pod, "status", "phase")) not in {"Succeeded", "Failed"} and at(pod, "spec", "nodeName"):
            used[str(at(pod, "spec", "nodeName"))] += gpus_requested(pod)
    for node in nodes:
        _, name = name_of(node)
        total = quantity(at(node, "status", "allocatable", "nvidia.com/gpu") or "0") or 0.0
        ready = node_facts(node).get(NODE_READY) != 0.0
        yield name, max(0.0, total - used[name]), total, ready, bool(at(node, "spec", "unschedulable"))
