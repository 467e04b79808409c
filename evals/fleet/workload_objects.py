"""Deployments, StatefulSets and what belongs to them: ReplicaSet, Service, autoscaler, disruption budget."""

from __future__ import annotations

from evals.fleet.identity import hexes, stamp, uid
from evals.fleet.pod_objects import Manifest, metadata, pod_spec
from evals.fleet.recipe import Hpa
from evals.fleet.workloads import Deployed, template


def workload_objects(workload: Deployed, now: float) -> list[Manifest]:
    """Everything that a workload's chart would have made, with status as of now."""
    spec = workload.spec
    found = [_controller(workload, now)]
    if spec.kind == "Deployment":
        found.append(_replica_set(workload))
    if spec.runtime != "none":
        found.append(_service(workload))
    if spec.hpa:
        found.append(_autoscaler(workload, spec.hpa, now))
    if spec.pdb_min_available is not None:
        found.append(_budget(workload, spec.pdb_min_available))
    return found


def _meta(workload: Deployed, kind: str, **more: object) -> Manifest:
    spec = workload.spec
    key = uid(kind, spec.key)
    return metadata(
        spec.namespace, spec.name, key, workload.created, workload.version, labels=_selector(workload), **more
    )


def _selector(workload: Deployed) -> dict[str, str]:
    return {"app.kubernetes.io/name": workload.spec.name}


def _controller(workload: Deployed, now: float) -> Manifest:
    spec = workload.spec
    form = template(spec)
    body = {
        "metadata": {"labels": dict(form.labels), "annotations": dict(form.annotations)},
        "spec": pod_spec(form),
    }
    total, ready = len(workload.pods), len(workload.ready)
    status: Manifest = {
        "observedGeneration": workload.generation,
        "replicas": total,
        "updatedReplicas": total,
    }
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    annotations = (
        {"deployment.kubernetes.io/revision": str(1 + workload.generation // 2)} if spec.kind == "Deployment" else {}
    )
    meta = _meta(workload, spec.kind, generation=workload.generation, annotations={**annotations, **spec.annotations})
    shared = {
        "replicas": workload.desired,
        "selector": {"matchLabels": _selector(workload)},
        "template": body,
        "revisionHistoryLimit": 10,
    }
    if spec.kind == "StatefulSet":
        more = {
            "serviceName": spec.name,
            "podManagementPolicy": "OrderedReady",
            "updateStrategy": {"type": "RollingUpdate"},
        }
        status |= {
            "currentReplicas": total,
            "currentRevision": f"{spec.name}-{workload.revision}",
            "updateRevision": f"{spec.name}-{workload.revision}",
            "availableReplicas": ready,
        }
        return {
            "apiVersion": "apps/v1",
            "kind": "StatefulSet",
            "metadata": meta,
            "spec": {**shared, **more},
            "status": status,
        }
    if total - ready:
        status["unavailableReplicas"] = total - ready
    status["conditions"] = _conditions(workload, now, ready)
    strategy = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": spec.max_surge, "maxUnavailable": spec.max_unavailable},
    }
    full = {**shared, "strategy": strategy, "progressDeadlineSeconds": 600}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta, "spec": full, "status": status}


def _conditions(workload: Deployed, now: float, ready: int) -> list[Manifest]:
    enough = ready >= workload.desired - int(workload.desired * 0.25)
    moved = max([workload.created, *(pod.ready_changed for pod in workload.pods)])
    late = not enough and now - max(workload.changed, workload.created) > 600 and len(workload.ready) < workload.desired
    never = (
        late and all(not pod.container.last or pod.container.restarts for pod in workload.pods) and not workload.ready
    )
    name = f"{workload.spec.name}-{workload.revision}"
    available: Manifest = {
        "type": "Available",
        "status": "True" if enough else "False",
        "reason": "MinimumReplicasAvailable" if enough else "MinimumReplicasUnavailable",
        "message": f"Deployment {'has' if enough else 'does not have'} minimum availability.",
        "lastTransitionTime": stamp(moved),
        "lastUpdateTime": stamp(moved),
    }
    progressing: Manifest = {
        "type": "Progressing",
        "status": "False" if never else "True",
        "reason": "ProgressDeadlineExceeded" if never else "NewReplicaSetAvailable",
        "message": (f'ReplicaSet "{name}" has {"timed out progressing" if never else "successfully progressed"}.'),
        "lastTransitionTime": stamp(workload.created),
        "lastUpdateTime": stamp(moved),
    }
    return [available, progressing]


def _replica_set(workload: Deployed) -> Manifest:
    spec = workload.spec
    form = template(spec)
    name = f"{spec.name}-{workload.revision}"
    labels = {**dict(form.labels), "pod-template-hash": workload.revision}
    owner = [
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "name": spec.name,
            "uid": uid("Deployment", spec.key),
            "controller": True,
            "blockOwnerDeletion": True,
        }
    ]
    meta = metadata(
        spec.namespace,
        name,
        uid("rs", spec.namespace, name),
        max(workload.created, workload.changed),
        workload.version,
        labels=labels,
        ownerReferences=owner,
        generation=1,
        annotations={"deployment.kubernetes.io/desired-replicas": str(workload.desired)},
    )
    body = {"metadata": {"labels": labels}, "spec": pod_spec(form)}
    selector = {**_selector(workload), "pod-template-hash": workload.revision}
    ready = len(workload.ready)
    status: Manifest = {
        "replicas": len(workload.pods),
        "fullyLabeledReplicas": len(workload.pods),
        "observedGeneration": 1,
    }
    if ready:
        status |= {"readyReplicas": ready, "availableReplicas": ready}
    full = {"replicas": workload.desired, "selector": {"matchLabels": selector}, "template": body}
    return {"apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": meta, "spec": full, "status": status}


def _service(workload: Deployed) -> Manifest:
    spec = workload.spec
    port = template(spec).port or ("http", 80)
    digits = int(hexes(8, "ip", spec.key), 16)
    address = f"10.97.{digits % 254 + 1}.{digits // 254 % 254 + 1}"
    body = {
        "selector": _selector(workload),
        "type": "ClusterIP",
        "clusterIP": address,
        "clusterIPs": [address],
        "sessionAffinity": "None",
        "ports": [{"name": port[0], "port": port[1], "targetPort": port[1], "protocol": "TCP"}],
        "internalTrafficPolicy": "Cluster",
    }
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": _meta(workload, "service"),
        "spec": body,
        "status": {"loadBalancer": {}},
    }


def _autoscaler(workload: Deployed, hpa: Hpa, now: float) -> Manifest:
    spec, scaling = workload.spec, workload.scaling
    value = scaling.value
    current: list[Manifest] = []
    if hpa.metric == "cpu":
        metric: Manifest = {
            "type": "Resource",
            "resource": {
                "name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": int(hpa.target)},
            },
        }
        if value is not None:
            cores = sum(pod.cores for pod in workload.ready) / max(1, len(workload.ready))
            now_at = {"averageUtilization": int(value), "averageValue": f"{round(cores * 1000)}m"}
            current = [{"type": "Resource", "resource": {"name": "cpu", "current": now_at}}]
    else:
        target = {"type": "AverageValue", "averageValue": f"{hpa.target:g}"}
        metric = {"type": "Pods", "pods": {"metric": {"name": hpa.metric}, "target": target}}
        if value is not None:
            current = [
                {
                    "type": "Pods",
                    "pods": {"metric": {"name": hpa.metric}, "current": {"averageValue": f"{value:g}"}},
                }
            ]
    able = stamp(workload.created + 15)
    limited = bool(scaling.limited)
    limits = {
        "TooManyReplicas": "the desired replica count is more than the maximum replica count",
        "TooFewReplicas": "the desired replica count is less than the minimum replica count",
        "": "the desired count is within the acceptable range",
    }
    source = "cpu resource utilization (percentage of request)" if hpa.metric == "cpu" else f"pods metric {hpa.metric}"
    found = f"the HPA was able to successfully calculate a replica count from {source}"
    missing = "the HPA was unable to compute the replica count: no metrics returned from resource metrics API"
    conditions = [
        {
            "type": "AbleToScale",
            "status": "True",
            "reason": "ReadyForNewScale",
            "message": "recommended size matches current size",
            "lastTransitionTime": able,
        },
        {
            "type": "ScalingActive",
            "status": "True" if value is not None else "False",
            "reason": "ValidMetricFound" if value is not None else "FailedGetResourceMetric",
            "message": found if value is not None else missing,
            "lastTransitionTime": able,
        },
        {
            "type": "ScalingLimited",
            "status": "True" if limited else "False",
            "reason": scaling.limited or "DesiredWithinRange",
            "message": limits[scaling.limited],
            "lastTransitionTime": able,
        },
    ]
    del now
    status: Manifest = {
        "currentReplicas": len(workload.pods),
        "desiredReplicas": scaling.desired,
        "currentMetrics": current or None,
        "conditions": conditions,
    }
    if scaling.last_scale:
        status["lastScaleTime"] = stamp(scaling.last_scale)
    reference = {"apiVersion": "apps/v1", "kind": spec.kind, "name": spec.name}
    body = {
        "scaleTargetRef": reference,
        "minReplicas": hpa.min_replicas,
        "maxReplicas": hpa.max_replicas,
        "metrics": [metric],
    }
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": _meta(workload, "hpa"),
        "spec": body,
        "status": status,
    }


def _budget(workload: Deployed, least: int) -> Manifest:
    ready = len(workload.ready)
    status = {
        "currentHealthy": ready,
        "desiredHealthy": least,
        "disruptionsAllowed": max(0, ready - least),
        "expectedPods": len(workload.pods),
        "observedGeneration": 1,
    }
    body = {"minAvailable": least, "selector": {"matchLabels": _selector(workload)}}
    meta = _meta(workload, "pdb", generation=1)
    return {
        "apiVersion": "policy/v1",
        "kind": "PodDisruptionBudget",
        "metadata": meta,
        "spec": body,
        "status": status,
    }
