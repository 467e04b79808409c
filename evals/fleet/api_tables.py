"""Tables as the API server prints them for kubectl: it asks for rows, and shows only names to a server that has none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from evals.fleet.api_kinds import Object, Resource
from tools.facts import at, many, name_of
from tools.quantity import seconds

# Columns that end in + are shown only by `-o wide`.
_COLUMNS = {
    "Pod": "Name Ready Status Restarts Age IP+ Node+ Nominated_Node+ Readiness_Gates+",
    "Node": "Name Status Roles Age Version Internal-IP+ External-IP+ OS-Image+ Kernel-Version+ Container-Runtime+",
    "Deployment": "Name Ready Up-to-date Available Age Containers+ Images+ Selector+",
    "ReplicaSet": "Name Desired Current Ready Age Containers+ Images+ Selector+",
    "StatefulSet": "Name Ready Age Containers+ Images+",
    "DaemonSet": "Name Desired Current Ready Up-to-date Available Node_Selector Age Containers+ Images+ Selector+",
    "Event": "Last_Seen Type Reason Object Subobject+ Source+ Message First_Seen+ Count+ Name+",
    "HorizontalPodAutoscaler": "Name Reference Targets MinPods MaxPods Replicas Age",
    "Service": "Name Type Cluster-IP External-IP Port(s) Age Selector+",
    "Namespace": "Name Status Age",
    "PersistentVolumeClaim": "Name Status Volume Capacity Access_Modes StorageClass Age",
    "PodDisruptionBudget": "Name Min_Available Max_Unavailable Allowed_Disruptions Age",
}
_NONE = "<none>"


def table(resource: Resource, items: Sequence[Object], now: float, metadata: Object, whole: bool) -> Object:
    """A `meta.k8s.io/v1` Table. `now` in seconds since the epoch; `whole` puts the objects themselves beside their rows."""
    names = _COLUMNS.get(resource.kind, "Name Age").split()
    cells = _CELLS.get(resource.kind, _plain)
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata,
        "columnDefinitions": [
            {
                "name": name.rstrip("+").replace("_", " "),
                "type": "string",
                "format": "name" if name == "Name" else "",
                "description": "",
                "priority": int(name.endswith("+")),
            }
            for name in names
        ],
        "rows": [{"cells": cells(item, now), "object": item if whole else partial(item)} for item in items],
    }


def partial(item: Object) -> Object:
    """The metadata of an object, for a row."""
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": item.get("metadata") or {}}


def human(span: float) -> str:
    """A duration in seconds as kubectl shows it: 45s, 3m12s, 47m, 5h3m, 26h, 3d4h, 12d."""
    whole = int(span)
    if whole < 120:
        return f"{max(whole, 0)}s" if whole > -2 else "<invalid>"
    minutes, hours = whole // 60, whole // 3600
    if minutes < 180:
        return _two(minutes, "m", whole % 60, "s", minutes < 10)
    if hours < 48:
        return _two(hours, "h", minutes % 60, "m", hours < 8)
    return _two(hours // 24, "d", hours % 24, "h", hours < 192)


def _two(large: int, unit: str, small: int, less: str, both: bool) -> str:
    return f"{large}{unit}{small}{less}" if both and small else f"{large}{unit}"


def _ago(text: object, now: float) -> str:
    moment = seconds(text)
    return "<unknown>" if moment is None else human(now - moment)


def _age(item: Object, now: float) -> str:
    return _ago(at(item, "metadata", "creationTimestamp"), now)


def _number(item: Object, *path: str) -> int:
    return int(at(item, *path) or 0)


def _pairs(labels: object) -> str:
    return ",".join(f"{k}={v}" for k, v in labels.items()) if isinstance(labels, Mapping) and labels else _NONE


def _wide(item: Object, selector: bool = True) -> list[Any]:
    containers = many(item, "spec", "template", "spec", "containers")
    found = [",".join(str(c.get(key)) for c in containers) or _NONE for key in ("name", "image")]
    return [*found, _pairs(at(item, "spec", "selector", "matchLabels"))] if selector else found


def _status(item: Object) -> str:
    found = str(at(item, "status", "reason") or at(item, "status", "phase") or "Unknown")
    for status in many(item, "status", "containerStatuses"):
        ended = at(status, "state", "terminated")
        told = at(status, "state", "waiting", "reason") or (at(ended or {}, "reason"))
        if told:
            found = str(told)
        elif isinstance(ended, Mapping):
            found = f"ExitCode:{ended.get('exitCode', 0)}"
    return "Terminating" if at(item, "metadata", "deletionTimestamp") else found


def _plain(item: Object, now: float) -> list[Any]:
    return [name_of(item)[1], _age(item, now)]


def _pod(item: Object, now: float) -> list[Any]:
    statuses = many(item, "status", "containerStatuses")
    restarts = sum(int(s.get("restartCount") or 0) for s in statuses)
    ends = [seconds(at(s, "lastState", "terminated", "finishedAt")) for s in statuses]
    last = max((end for end in ends if end is not None), default=None)
    shown = f"{restarts} ({human(now - last)} ago)" if restarts and last is not None else str(restarts)
    ready = f"{sum(bool(s.get('ready')) for s in statuses)}/{len(many(item, 'spec', 'containers'))}"
    place = [at(item, "status", "podIP"), at(item, "spec", "nodeName"), at(item, "status", "nominatedNodeName"), None]
    return [name_of(item)[1], ready, _status(item), shown, _age(item, now), *(str(p or _NONE) for p in place)]


def _node(item: Object, now: float) -> list[Any]:
    conditions = {str(c.get("type")): str(c.get("status")) for c in many(item, "status", "conditions")}
    status = {"True": "Ready", "False": "NotReady"}.get(
        conditions.get("Ready", ""), "Unknown" if not conditions else "NotReady"
    )
    status += ",SchedulingDisabled" if at(item, "spec", "unschedulable") else ""
    prefix = "node-role.kubernetes.io/"
    labels = at(item, "metadata", "labels") or {}
    roles = ",".join(sorted(key.removeprefix(prefix) for key in labels if key.startswith(prefix))) or _NONE
    info = at(item, "status", "nodeInfo") or {}
    addresses = {str(a.get("type")): str(a.get("address")) for a in many(item, "status", "addresses")}
    unknown = "<unknown>"
    told = [str(info.get(key) or unknown) for key in ("osImage", "kernelVersion", "containerRuntimeVersion")]
    where = [addresses.get("InternalIP", _NONE), addresses.get("ExternalIP", _NONE)]
    return [name_of(item)[1], status, roles, _age(item, now), str(info.get("kubeletVersion") or ""), *where, *told]


def _deployment(item: Object, now: float) -> list[Any]:
    ready = f"{_number(item, 'status', 'readyReplicas')}/{_number(item, 'spec', 'replicas')}"
    counts = [_number(item, "status", "updatedReplicas"), _number(item, "status", "availableReplicas")]
    return [name_of(item)[1], ready, *counts, _age(item, now), *_wide(item)]


def _replicaset(item: Object, now: float) -> list[Any]:
    counts = [
        _number(item, "spec", "replicas"),
        _number(item, "status", "replicas"),
        _number(item, "status", "readyReplicas"),
    ]
    return [name_of(item)[1], *counts, _age(item, now), *_wide(item)]


def _statefulset(item: Object, now: float) -> list[Any]:
    ready = f"{_number(item, 'status', 'readyReplicas')}/{_number(item, 'spec', 'replicas')}"
    return [name_of(item)[1], ready, _age(item, now), *_wide(item, selector=False)]


def _daemonset(item: Object, now: float) -> list[Any]:
    fields = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    counts = [_number(item, "status", field) for field in fields]
    selector = _pairs(at(item, "spec", "template", "spec", "nodeSelector"))
    return [name_of(item)[1], *counts, selector, _age(item, now), *_wide(item)]


def _event(item: Object, now: float) -> list[Any]:
    first = item.get("firstTimestamp") or item.get("eventTime")
    last = at(item, "series", "lastObservedTime") or item.get("lastTimestamp") or first
    about = item.get("involvedObject") or {}
    source = ", ".join(str(part) for part in (at(item, "source", "component"), at(item, "source", "host")) if part)
    return [
        _ago(last, now),
        str(item.get("type") or ""),
        str(item.get("reason") or ""),
        f"{str(about.get('kind') or '').lower()}/{about.get('name') or ''}",
        str(about.get("fieldPath") or ""),
        source,
        str(item.get("message") or "").strip(),
        _ago(first, now),
        str(item.get("count") or 1),
        name_of(item)[1],
    ]


def _autoscaler(item: Object, now: float) -> list[Any]:
    target = at(item, "spec", "scaleTargetRef") or {}
    current = [_metric(metric, "current") for metric in many(item, "status", "currentMetrics")]
    targets = []
    for number, metric in enumerate(many(item, "spec", "metrics")):
        name, wanted = _metric(metric, "target")
        now_at = current[number][1] if number < len(current) else "<unknown>"
        targets.append(f"{name}{now_at}/{wanted}")
    bounds = [str(at(item, "spec", "minReplicas") or 1), str(_number(item, "spec", "maxReplicas"))]
    replicas = str(_number(item, "status", "currentReplicas"))
    reference = f"{target.get('kind')}/{target.get('name')}"
    return [name_of(item)[1], reference, ", ".join(targets) or "<unset>", *bounds, replicas, _age(item, now)]


def _metric(metric: Mapping[str, Any], field: str) -> tuple[str, str]:
    kind = str(metric.get("type") or "")
    body = metric.get(kind[:1].lower() + kind[1:]) or {}
    told = at(body, field) or {}
    name = f"{body.get('name')}: " if kind in {"Resource", "ContainerResource"} else ""
    if told.get("averageUtilization") is not None:
        return name, f"{told['averageUtilization']}%"
    if told.get("averageValue") is not None:
        return name, f"{told['averageValue']}" + (" (avg)" if field == "target" and kind == "External" else "")
    return name, str(told["value"]) if told.get("value") is not None else "<unknown>"


def _service(item: Object, now: float) -> list[Any]:
    ports = [f"{p.get('port')}/{p.get('protocol') or 'TCP'}" for p in many(item, "spec", "ports")]
    spec = item.get("spec") or {}
    told = [str(spec.get("type") or "ClusterIP"), str(spec.get("clusterIP") or _NONE), _NONE, ",".join(ports) or _NONE]
    return [name_of(item)[1], *told, _age(item, now), _pairs(spec.get("selector"))]


def _namespace(item: Object, now: float) -> list[Any]:
    return [name_of(item)[1], str(at(item, "status", "phase") or ""), _age(item, now)]


def _claim(item: Object, now: float) -> list[Any]:
    modes = at(item, "spec", "accessModes") or []
    short = ",".join("".join(c for c in str(mode) if c.isupper()) for mode in modes)
    told = [
        at(item, "status", "phase"),
        at(item, "spec", "volumeName"),
        at(item, "status", "capacity", "storage"),
        short,
    ]
    return [
        name_of(item)[1],
        *(str(t or "") for t in told),
        str(at(item, "spec", "storageClassName") or ""),
        _age(item, now),
    ]


def _budget(item: Object, now: float) -> list[Any]:
    spec = item.get("spec") or {}
    bounds = [str(spec.get(key, "N/A")) for key in ("minAvailable", "maxUnavailable")]
    return [name_of(item)[1], *bounds, _number(item, "status", "disruptionsAllowed"), _age(item, now)]


_CELLS: dict[str, Callable[[Object, float], list[Any]]] = {
    "Pod": _pod,
    "Node": _node,
    "Deployment": _deployment,
    "ReplicaSet": _replicaset,
    "StatefulSet": _statefulset,
    "DaemonSet": _daemonset,
    "Event": _event,
    "HorizontalPodAutoscaler": _autoscaler,
    "Service": _service,
    "Namespace": _namespace,
    "PersistentVolumeClaim": _claim,
    "PodDisruptionBudget": _budget,
}
