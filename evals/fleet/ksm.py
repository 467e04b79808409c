"""kube-state-metrics as it really is: a pure function from Kubernetes objects to series.

Names, labels and quirks of v2.20: resource names are sanitised (`nvidia_com_gpu`), conditions come with a series for every status,
phases with a series for every phase, reasons only for the one that holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from evals.fleet.sample import Sample, SampleType, labels_of
from tools.facts import at, many, name_of
from tools.quantity import quantity, seconds

Object = Mapping[str, Any]
PHASES = ("Pending", "Succeeded", "Failed", "Unknown", "Running")
STATUSES = ("true", "false", "unknown")
_UNITS = {"cpu": "core", "memory": "byte", "ephemeral_storage": "byte", "pods": "integer"}


def samples(objects: Sequence[Object], at: float) -> Iterable[Sample]:
    """Every series of these objects. `at` is the time of the scrape; kube-state-metrics itself keeps no clock."""
    del at
    for item in objects:
        write = _WRITERS.get(str(item.get("kind")))
        if write is not None:
            yield from write(item)


def _one(name: str, value: float = 1.0, kind: SampleType = "gauge", /, **labels: str) -> Sample:
    return Sample(name, labels_of(**labels), float(value), kind)


def _time(name: str, text: object, **labels: str) -> Iterator[Sample]:
    moment = seconds(text)
    if moment is not None:
        yield _one(name, moment, **labels)


def _resource(name: str) -> str:
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def _resources(name: str, found: object, **labels: str) -> Iterator[Sample]:
    for key, text in (found or {}).items() if isinstance(found, Mapping) else ():
        value = quantity(text)
        if value is not None:
            resource = _resource(str(key))
            yield _one(name, value, resource=resource, unit=_UNITS.get(resource, "integer"), **labels)


def _conditions(name: str, item: Object, **labels: str) -> Iterator[Sample]:
    for condition in many(item, "status", "conditions"):
        now = str(condition.get("status", "Unknown")).lower()
        for status in STATUSES:
            yield _one(name, now == status, condition=str(condition.get("type")), status=status, **labels)


def _controller(item: Object) -> Object:
    owners = many(item, "metadata", "ownerReferences")
    return next((owner for owner in owners if owner.get("controller")), owners[0] if owners else {})


def _pod(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "pod": name, "uid": str(at(item, "metadata", "uid") or "")}
    node = str(at(item, "spec", "nodeName") or "")
    owner = _controller(item)
    yield _one(
        "kube_pod_info",
        **who,
        node=node,
        host_ip=str(at(item, "status", "hostIP") or ""),
        pod_ip=str(at(item, "status", "podIP") or ""),
        created_by_kind=str(owner.get("kind") or ""),
        created_by_name=str(owner.get("name") or ""),
        host_network="true" if at(item, "spec", "hostNetwork") else "false",
        priority_class=str(at(item, "spec", "priorityClassName") or ""),
    )
    yield _one(
        "kube_pod_owner",
        **who,
        owner_kind=str(owner.get("kind") or ""),
        owner_name=str(owner.get("name") or ""),
        owner_is_controller="true" if owner.get("controller") else "false",
    )
    yield from _time("kube_pod_created", at(item, "metadata", "creationTimestamp"), **who)
    yield from _time("kube_pod_start_time", at(item, "status", "startTime"), **who)
    for phase in PHASES:
        yield _one("kube_pod_status_phase", at(item, "status", "phase") == phase, phase=phase, **who)
    reason = at(item, "status", "reason")
    if reason:
        yield _one("kube_pod_status_reason", reason=str(reason), **who)
    yield from _pod_conditions(item, who)
    statuses = {str(s.get("name")): s for s in many(item, "status", "containerStatuses")}
    for container in many(item, "spec", "containers"):
        yield from _container(container, statuses.get(str(container.get("name")), {}), who, node)


def _pod_conditions(item: Object, who: Mapping[str, str]) -> Iterator[Sample]:
    for condition in many(item, "status", "conditions"):
        kind, now = condition.get("type"), str(condition.get("status", "Unknown")).lower()
        series = {"Ready": "ready", "PodScheduled": "scheduled"}.get(str(kind))
        if series:
            for status in STATUSES:
                yield _one(f"kube_pod_status_{series}", now == status, condition=status, **who)
        if kind == "PodScheduled" and now == "false" and condition.get("reason") == "Unschedulable":
            yield _one("kube_pod_status_unschedulable", **who)
        timed = {"Ready": "ready_time", "PodScheduled": "scheduled_time", "Initialized": "initialized_time"}
        timed["ContainersReady"] = "container_ready_time"
        if now == "true" and kind in timed:
            yield from _time(f"kube_pod_status_{timed[str(kind)]}", condition.get("lastTransitionTime"), **who)


def _container(container: Object, status: Object, who: Mapping[str, str], node: str) -> Iterator[Sample]:
    here = {**who, "container": str(container.get("name") or "")}
    resources = at(container, "resources") or {}
    requests = {**(resources.get("limits") or {}), **(resources.get("requests") or {})}
    yield from _resources("kube_pod_container_resource_requests", requests, node=node, **here)
    yield from _resources("kube_pod_container_resource_limits", resources.get("limits"), node=node, **here)
    if not status:
        return
    yield _one(
        "kube_pod_container_info",
        **here,
        image=str(status.get("image") or ""),
        image_id=str(status.get("imageID") or ""),
        image_spec=str(container.get("image") or ""),
        container_id=str(status.get("containerID") or ""),
    )
    yield _one("kube_pod_container_status_restarts_total", status.get("restartCount") or 0, "counter", **here)
    yield _one("kube_pod_container_status_ready", bool(status.get("ready")), **here)
    state, last = status.get("state") or {}, at(status, "lastState", "terminated")
    for name in ("running", "waiting", "terminated"):
        yield _one(f"kube_pod_container_status_{name}", name in state, **here)
    yield from _time("kube_pod_container_state_started", at(state, "running", "startedAt"), **here)
    if at(state, "waiting", "reason"):
        yield _one("kube_pod_container_status_waiting_reason", reason=str(at(state, "waiting", "reason")), **here)
    if at(state, "terminated", "reason"):
        yield _one("kube_pod_container_status_terminated_reason", reason=str(at(state, "terminated", "reason")), **here)
    if isinstance(last, Mapping):
        yield _one("kube_pod_container_status_last_terminated_reason", reason=str(last.get("reason")), **here)
        yield _one("kube_pod_container_status_last_terminated_exitcode", last.get("exitCode") or 0, **here)
        yield from _time("kube_pod_container_status_last_terminated_timestamp", last.get("finishedAt"), **here)


def _node(item: Object) -> Iterator[Sample]:
    _, node = name_of(item)
    info = at(item, "status", "nodeInfo") or {}
    yield _one(
        "kube_node_info",
        node=node,
        kernel_version=str(info.get("kernelVersion") or ""),
        os_image=str(info.get("osImage") or ""),
        container_runtime_version=str(info.get("containerRuntimeVersion") or ""),
        kubelet_version=str(info.get("kubeletVersion") or ""),
        provider_id=str(at(item, "spec", "providerID") or ""),
        internal_ip=next((str(a.get("address")) for a in many(item, "status", "addresses")), ""),
    )
    yield from _time("kube_node_created", at(item, "metadata", "creationTimestamp"), node=node)
    yield _one("kube_node_spec_unschedulable", bool(at(item, "spec", "unschedulable")), node=node)
    for taint in many(item, "spec", "taints"):
        told = {key: str(taint.get(key) or "") for key in ("key", "value", "effect")}
        yield _one("kube_node_spec_taint", node=node, **told)
    yield from _conditions("kube_node_status_condition", item, node=node)
    for part in ("capacity", "allocatable"):
        yield from _resources(f"kube_node_status_{part}", at(item, "status", part), node=node)


def _deployment(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "deployment": name}
    yield from _time("kube_deployment_created", at(item, "metadata", "creationTimestamp"), **who)
    yield _one("kube_deployment_spec_replicas", at(item, "spec", "replicas") or 0, **who)
    for series, field in (
        ("status_replicas", "replicas"),
        ("status_replicas_available", "availableReplicas"),
        ("status_replicas_unavailable", "unavailableReplicas"),
        ("status_replicas_updated", "updatedReplicas"),
        ("status_replicas_ready", "readyReplicas"),
    ):
        yield _one(f"kube_deployment_{series}", at(item, "status", field) or 0, **who)
    yield from _conditions("kube_deployment_status_condition", item, **who)


def _statefulset(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "statefulset": name}
    yield _one("kube_statefulset_replicas", at(item, "spec", "replicas") or 0, **who)
    yield _one("kube_statefulset_status_replicas_ready", at(item, "status", "readyReplicas") or 0, **who)


def _daemonset(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "daemonset": name}
    for series, field in (
        ("desired_number_scheduled", "desiredNumberScheduled"),
        ("current_number_scheduled", "currentNumberScheduled"),
        ("number_ready", "numberReady"),
        ("number_unavailable", "numberUnavailable"),
    ):
        yield _one(f"kube_daemonset_status_{series}", at(item, "status", field) or 0, **who)


def _replicaset(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    owner = _controller(item)
    yield _one(
        "kube_replicaset_owner",
        namespace=namespace,
        replicaset=name,
        owner_kind=str(owner.get("kind") or ""),
        owner_name=str(owner.get("name") or ""),
        owner_is_controller="true",
    )
    yield _one("kube_replicaset_spec_replicas", at(item, "spec", "replicas") or 0, namespace=namespace, replicaset=name)


def _autoscaler(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "horizontalpodautoscaler": name}
    series = "kube_horizontalpodautoscaler"
    target = at(item, "spec", "scaleTargetRef") or {}
    yield _one(
        f"{series}_info",
        **who,
        scaletargetref_kind=str(target.get("kind") or ""),
        scaletargetref_name=str(target.get("name") or ""),
        scaletargetref_api_version=str(target.get("apiVersion") or ""),
    )
    yield _one(f"{series}_spec_min_replicas", at(item, "spec", "minReplicas") or 1, **who)
    yield _one(f"{series}_spec_max_replicas", at(item, "spec", "maxReplicas") or 0, **who)
    yield _one(f"{series}_status_current_replicas", at(item, "status", "currentReplicas") or 0, **who)
    yield _one(f"{series}_status_desired_replicas", at(item, "status", "desiredReplicas") or 0, **who)
    yield from _conditions(f"{series}_status_condition", item, **who)
    for part, path, field in (("spec", "metrics", "target"), ("status", "currentMetrics", "current")):
        for metric in many(item, part, path):
            kind = str(metric.get("type") or "")
            body = metric.get(kind[:1].lower() + kind[1:]) or {}
            told = str(at(body, "name") or at(body, "metric", "name") or "")
            for key, label in (("averageUtilization", "utilization"), ("averageValue", "average"), ("value", "value")):
                value = quantity(at(body, field, key) if at(body, field, key) is not None else "")
                if value is not None:
                    yield _one(
                        f"{series}_{part}_target_metric", value, **who, metric_name=told, metric_target_type=label
                    )


def _budget(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    who = {"namespace": namespace, "poddisruptionbudget": name}
    for series, field in (
        ("pod_disruptions_allowed", "disruptionsAllowed"),
        ("current_healthy", "currentHealthy"),
        ("desired_healthy", "desiredHealthy"),
        ("expected_pods", "expectedPods"),
    ):
        yield _one(f"kube_poddisruptionbudget_status_{series}", at(item, "status", field) or 0, **who)


def _quota(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    for kind, path in (("hard", ("status", "hard")), ("used", ("status", "used"))):
        for resource, text in (at(item, *path) or {}).items():
            value = quantity(text)
            if value is not None:
                # Unlike everywhere else the resource keeps its dots and slashes here.
                told = {"namespace": namespace, "resourcequota": name, "resource": str(resource), "type": kind}
                yield _one("kube_resourcequota", value, **told)


def _claim(item: Object) -> Iterator[Sample]:
    namespace, name = name_of(item)
    for phase in ("Lost", "Bound", "Pending"):
        now = at(item, "status", "phase") == phase
        told = {"namespace": namespace, "persistentvolumeclaim": name, "phase": phase}
        yield _one("kube_persistentvolumeclaim_status_phase", now, **told)


def _namespace(item: Object) -> Iterator[Sample]:
    yield from _time("kube_namespace_created", at(item, "metadata", "creationTimestamp"), namespace=name_of(item)[1])


_WRITERS: dict[str, Callable[[Object], Iterator[Sample]]] = {
    "Pod": _pod,
    "Node": _node,
    "Deployment": _deployment,
    "StatefulSet": _statefulset,
    "DaemonSet": _daemonset,
    "ReplicaSet": _replicaset,
    "HorizontalPodAutoscaler": _autoscaler,
    "PodDisruptionBudget": _budget,
    "ResourceQuota": _quota,
    "PersistentVolumeClaim": _claim,
    "Namespace": _namespace,
}
