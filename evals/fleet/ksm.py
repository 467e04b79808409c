"""kube-state-metrics as it really is: a pure function from Kubernetes objects to series.

Names, labels and quirks of v2.20: resource names are sanitised (`nvidia_com_gpu`) except in quotas, conditions come with a
series for every status, phases with a series for every phase, reasons only for the one that holds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from types import MappingProxyType

from evals.fleet.ksm_pods import pod_samples
from evals.fleet.ksm_samples import (
    Object,
    allowed_labels,
    conditions,
    counts,
    created,
    one,
    owners,
    resources,
    statuses,
    text,
)
from evals.fleet.sample import Sample
from tools.facts import at, many, name_of
from tools.quantity import quantity

NO_LABELS: Mapping[str, Collection[str]] = MappingProxyType({})
DEPLOYMENT_REASONS = {
    "",
    "ReplicaSetUpdated",
    "ReplicaSetCreateError",
    "NewReplicaSetCreated",
    "FoundNewReplicaSet",
    "NewReplicaSetAvailable",
    "ProgressDeadlineExceeded",
    "DeploymentPaused",
    "DeploymentResumed",
    "MinimumReplicasAvailable",
    "MinimumReplicasUnavailable",
}
_TARGETS = {"averageUtilization": "utilization", "averageValue": "average", "value": "value"}


def samples(
    objects: Sequence[Object], at: float, labels: Mapping[str, Collection[str]] = NO_LABELS
) -> Iterable[Sample]:
    """Every series of these objects. `at` is the time of the scrape; kube-state-metrics itself keeps no clock.

    `labels` is its `--metric-labels-allowlist`: label names by plural (`pods`, `nodes`), `*` for all.
    """
    del at
    for item in objects:
        kind = str(item.get("kind"))
        if kind == "Pod":
            yield from pod_samples(item, labels.get("pods", ()))
        elif kind == "Node":
            yield from _node(item, labels.get("nodes", ()))
        elif kind in _WRITERS:
            yield from _WRITERS[kind](item)


def _named(item: Object, label: str) -> dict[str, str]:
    namespace, name = name_of(item)
    return {"namespace": namespace, label: name}


def _node(item: Object, allowed: Collection[str]) -> Iterator[Sample]:
    node = name_of(item)[1]
    info = at(item, "status", "nodeInfo") or {}
    addresses = [text(a, "address") for a in many(item, "status", "addresses") if a.get("type") == "InternalIP"]
    yield one(
        "kube_node_info",
        node=node,
        kernel_version=text(info, "kernelVersion"),
        os_image=text(info, "osImage"),
        container_runtime_version=text(info, "containerRuntimeVersion"),
        kubelet_version=text(info, "kubeletVersion"),
        kubeproxy_version="deprecated",
        provider_id=text(item, "spec", "providerID"),
        pod_cidr=text(item, "spec", "podCIDR"),
        system_uuid=text(info, "systemUUID"),
        internal_ip=addresses[-1] if addresses else "",
    )
    yield from allowed_labels("kube_node_labels", item, allowed, node=node)
    yield from created("kube_node", item, node=node)
    yield one("kube_node_spec_unschedulable", bool(at(item, "spec", "unschedulable")), node=node)
    for taint in many(item, "spec", "taints"):
        told = {key: text(taint, key) for key in ("key", "value", "effect")}
        yield one("kube_node_spec_taint", node=node, **told)
    yield from conditions("kube_node_status_condition", item, node=node)
    for part in ("capacity", "allocatable"):
        yield from resources(f"kube_node_status_{part}", at(item, "status", part), True, node=node)


def _replicas(name: str, item: Object, **who: str) -> Iterator[Sample]:
    wanted = at(item, "spec", "replicas")
    if wanted is not None:
        yield one(name, wanted, **who)


def _generations(name: str, item: Object, **who: str) -> Iterator[Sample]:
    yield from counts(name, item, {"metadata_generation": "generation"}, "metadata", **who)
    yield from counts(name, item, {"status_observed_generation": "observedGeneration"}, **who)


def _deployment(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "deployment"), "kube_deployment"
    fields = {
        "status_replicas": "replicas",
        "status_replicas_available": "availableReplicas",
        "status_replicas_unavailable": "unavailableReplicas",
        "status_replicas_updated": "updatedReplicas",
        "status_replicas_ready": "readyReplicas",
    }
    yield from created(series, item, **who)
    yield from counts(series, item, fields, **who)
    yield from _generations(series, item, **who)
    yield from _replicas(f"{series}_spec_replicas", item, **who)
    yield one(f"{series}_spec_paused", bool(at(item, "spec", "paused")), **who)
    for condition in many(item, "status", "conditions"):
        reason = text(condition, "reason")
        told = {"condition": text(condition, "type"), "reason": reason if reason in DEPLOYMENT_REASONS else "unknown"}
        yield from statuses(f"{series}_status_condition", condition.get("status"), **told, **who)


def _statefulset(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "statefulset"), "kube_statefulset"
    fields = {
        "status_replicas": "replicas",
        "status_replicas_available": "availableReplicas",
        "status_replicas_current": "currentReplicas",
        "status_replicas_ready": "readyReplicas",
        "status_replicas_updated": "updatedReplicas",
    }
    yield from created(series, item, **who)
    yield from counts(series, item, fields, **who)
    yield from _generations(series, item, **who)
    yield from _replicas(f"{series}_replicas", item, **who)


def _daemonset(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "daemonset"), "kube_daemonset"
    fields = {
        "status_desired_number_scheduled": "desiredNumberScheduled",
        "status_current_number_scheduled": "currentNumberScheduled",
        "status_number_available": "numberAvailable",
        "status_number_misscheduled": "numberMisscheduled",
        "status_number_ready": "numberReady",
        "status_number_unavailable": "numberUnavailable",
        "status_updated_number_scheduled": "updatedNumberScheduled",
    }
    yield from created(series, item, **who)
    yield from counts(series, item, fields, **who)


def _replicaset(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "replicaset"), "kube_replicaset"
    for owner in owners(item):
        yield one(f"{series}_owner", **who, **owner)
    yield from _replicas(f"{series}_spec_replicas", item, **who)
    yield from counts(series, item, {"status_replicas": "replicas", "status_ready_replicas": "readyReplicas"}, **who)


def _autoscaler(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "horizontalpodautoscaler"), "kube_horizontalpodautoscaler"
    target = at(item, "spec", "scaleTargetRef") or {}
    told = {f"scaletargetref_{key}": text(target, key) for key in ("kind", "name")}
    if target.get("apiVersion"):
        told["scaletargetref_api_version"] = text(target, "apiVersion")
    yield one(f"{series}_info", **who, **told)
    least = at(item, "spec", "minReplicas")
    yield one(f"{series}_spec_min_replicas", 1 if least is None else least, **who)
    yield one(f"{series}_spec_max_replicas", at(item, "spec", "maxReplicas") or 0, **who)
    yield one(f"{series}_status_current_replicas", at(item, "status", "currentReplicas") or 0, **who)
    yield one(f"{series}_status_desired_replicas", at(item, "status", "desiredReplicas") or 0, **who)
    yield from conditions(f"{series}_status_condition", item, **who)
    yield from created(series, item, **who)
    for metric in many(item, "spec", "metrics"):
        yield from _metric(f"{series}_spec_target_metric", metric, "target", who)
    for metric in many(item, "status", "currentMetrics"):
        yield from _metric(f"{series}_status_target_metric", metric, "current", who)


def _metric(series: str, metric: Object, field: str, who: Mapping[str, str]) -> Iterator[Sample]:
    kind = text(metric, "type")
    body = metric.get(kind[:1].lower() + kind[1:])
    if not isinstance(body, Mapping):
        return
    by_name = kind in {"Resource", "ContainerResource"}
    about = {"metric_name": text(body, "name") if by_name else text(body, "metric", "name")}
    about["container"] = text(body, "container") if kind == "ContainerResource" else ""
    for key, label in _TARGETS.items():
        value = quantity(at(body, field, key))
        if value is not None:
            yield one(series, value, **who, **about, metric_target_type=label)


def _budget(item: Object) -> Iterator[Sample]:
    fields = {
        "pod_disruptions_allowed": "disruptionsAllowed",
        "current_healthy": "currentHealthy",
        "desired_healthy": "desiredHealthy",
        "expected_pods": "expectedPods",
        "observed_generation": "observedGeneration",
    }
    yield from counts("kube_poddisruptionbudget_status", item, fields, **_named(item, "poddisruptionbudget"))


def _quota(item: Object) -> Iterator[Sample]:
    who = _named(item, "resourcequota")
    for kind in ("hard", "used"):
        for resource, amount in (at(item, "status", kind) or {}).items():
            value = quantity(amount)
            if value is not None:
                # Unlike everywhere else the resource keeps its dots and slashes here.
                yield one("kube_resourcequota", value, **who, resource=str(resource), type=kind)


def _claim(item: Object) -> Iterator[Sample]:
    who, series = _named(item, "persistentvolumeclaim"), "kube_persistentvolumeclaim"
    fields = {"storageclass": "storageClassName", "volumename": "volumeName", "volumemode": "volumeMode"}
    yield one(f"{series}_info", **who, **{label: text(item, "spec", field) for label, field in fields.items()})
    size = quantity(at(item, "spec", "resources", "requests", "storage"))
    if size is not None:
        yield one(f"{series}_resource_requests_storage_bytes", size, **who)
    now = text(item, "status", "phase")
    for phase in ("Lost", "Bound", "Pending") if now else ():
        yield one(f"{series}_status_phase", now == phase, phase=phase, **who)


def _namespace(item: Object) -> Iterator[Sample]:
    namespace, now = name_of(item)[1], text(item, "status", "phase")
    yield from created("kube_namespace", item, namespace=namespace)
    for phase in ("Active", "Terminating"):
        yield one("kube_namespace_status_phase", now == phase, phase=phase, namespace=namespace)


_WRITERS: dict[str, Callable[[Object], Iterator[Sample]]] = {
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
