"""A pod as the API server returns it, status as a kubelet writes it."""

from __future__ import annotations

from typing import Any

from evals.fleet.identity import hexes, stamp, uid
from evals.fleet.pods import Container, Pod, Template, Termination

Manifest = dict[str, Any]


def metadata(namespace: str, name: str, key: str, created: float, version: int, **more: Any) -> Manifest:
    """The metadata that every object has; an empty namespace is left out."""
    place = {"namespace": namespace} if namespace else {}
    revision = str(1_000_000 + int(created) % 9_000_000 + version)
    extra = {name: value for name, value in more.items() if value}
    return {
        "name": name,
        **place,
        "uid": key,
        "resourceVersion": revision,
        "creationTimestamp": stamp(created),
        **extra,
    }


def template_labels(pod: Pod) -> dict[str, str]:
    """The labels of a pod."""
    hashed = "controller-revision-hash" if pod.owner.kind in {"DaemonSet", "StatefulSet"} else "pod-template-hash"
    value = f"{pod.owner.name}-{pod.revision}" if pod.owner.kind == "StatefulSet" else pod.revision
    return {**dict(pod.template.labels), hashed: value}


def owner_uid(pod: Pod) -> str:
    """The uid of a pod's direct owner."""
    kind = {"ReplicaSet": "rs"}.get(pod.owner.kind, pod.owner.kind)
    name = f"{pod.namespace}/{pod.owner.name}"
    return uid("rs", pod.namespace, pod.owner.name) if kind == "rs" else uid(kind, name)


def pod_spec(form: Template) -> Manifest:
    """The pod spec of a template, without what the scheduler and admission add."""
    requests = {"cpu": form.cpu, "memory": form.memory}
    limits: dict[str, str] = {}
    if form.cpu_limit:
        limits["cpu"] = form.cpu_limit
    if form.memory_limit:
        limits["memory"] = form.memory_limit
    if form.gpus:
        requests["nvidia.com/gpu"] = limits["nvidia.com/gpu"] = str(form.gpus)
    container: Manifest = {"name": form.container, "image": form.image, "imagePullPolicy": "IfNotPresent"}
    if form.command:
        container["command"] = list(form.command)
    if form.args:
        container["args"] = list(form.args)
    if form.env:
        container["env"] = [{"name": name, "value": value} for name, value in form.env]
    if form.port:
        container["ports"] = [{"name": form.port[0], "containerPort": form.port[1], "protocol": "TCP"}]
    container["resources"] = {"requests": requests, **({"limits": limits} if limits else {})}
    container |= _probes(form)
    container |= {"terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}
    spec: Manifest = {
        "containers": [container],
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "serviceAccountName": form.service_account,
        "serviceAccount": form.service_account,
        "schedulerName": "default-scheduler",
        "securityContext": {},
    }
    if form.shm:
        container["volumeMounts"] = [{"name": "dshm", "mountPath": "/dev/shm"}]  # noqa: S108 -- a mount path in a manifest
        spec["volumes"] = [{"name": "dshm", "emptyDir": {"medium": "Memory", "sizeLimit": form.shm}}]
    if form.node_selector:
        spec["nodeSelector"] = dict(form.node_selector)
    if form.tolerations:
        spec["tolerations"] = [dict(item) for item in form.tolerations]
    if form.priority_class:
        spec["priorityClassName"] = form.priority_class
    return spec


def _probes(form: Template) -> Manifest:
    if not (form.probes and form.port):
        return {}
    check = {
        "httpGet": {"path": "/health", "port": form.port[1], "scheme": "HTTP"},
        "timeoutSeconds": 1,
        "successThreshold": 1,
    }
    startup = {**check, "periodSeconds": 10, "failureThreshold": 120}
    readiness = {**check, "periodSeconds": 10, "failureThreshold": 3}
    liveness = {**check, "periodSeconds": 10, "failureThreshold": 3}
    rest = {"readinessProbe": readiness, "livenessProbe": liveness}
    return {"startupProbe": startup, **rest} if form.startup_probe else rest


def pod_object(pod: Pod, host_ip: str) -> Manifest:
    """The whole Pod."""
    form = pod.template
    owner = {
        "apiVersion": "apps/v1",
        "kind": pod.owner.kind,
        "name": pod.owner.name,
        "uid": owner_uid(pod),
        "controller": True,
        "blockOwnerDeletion": True,
    }
    generated = (
        {} if pod.owner.kind == "StatefulSet" else {"generateName": pod.name[: -len(pod.name.rsplit("-", 1)[1])]}
    )
    meta = metadata(
        pod.namespace,
        pod.name,
        pod.uid,
        pod.created,
        pod.version,
        labels=template_labels(pod),
        annotations=dict(form.annotations),
        ownerReferences=[owner],
        **generated,
    )
    spec = pod_spec(form)
    waits = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
    ]
    spec["tolerations"] = [*spec.get("tolerations", []), *waits]
    if pod.node:
        spec["nodeName"] = pod.node
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": meta,
        "spec": spec,
        "status": _status(pod, host_ip),
    }


def _status(pod: Pod, host_ip: str) -> Manifest:
    guaranteed = pod.template.cpu_limit == pod.template.cpu and pod.template.memory_limit == pod.template.memory
    quality = "Guaranteed" if guaranteed else "Burstable"
    if not pod.node:
        waiting: Manifest = {
            "type": "PodScheduled",
            "status": "False",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(pod.created),
        }
        if pod.scheduling:
            waiting |= {"reason": "Unschedulable", "message": pod.scheduling}
        return {"phase": "Pending", "conditions": [waiting], "qosClass": quality}
    ready = pod.container.ready
    short = {
        "reason": "ContainersNotReady",
        "message": f"containers with unready status: [{pod.template.container}]",
    }

    def condition(kind: str, at: float, true: bool = True) -> Manifest:
        more = {} if true else short
        return {
            "type": kind,
            "status": "True" if true else "False",
            "lastProbeTime": None,
            "lastTransitionTime": stamp(at),
            **more,
        }

    conditions = [
        condition("PodReadyToStartContainers", pod.scheduled + 2, bool(pod.container.runs)),
        condition("Initialized", pod.scheduled),
        condition("Ready", pod.ready_changed, ready),
        condition("ContainersReady", pod.ready_changed, ready),
        condition("PodScheduled", pod.scheduled),
    ]
    status: Manifest = {
        "phase": pod.phase,
        "conditions": conditions,
        "hostIP": host_ip,
        "hostIPs": [{"ip": host_ip}],
        "startTime": stamp(pod.scheduled),
        "containerStatuses": [_container(pod)],
        "qosClass": quality,
    }
    if pod.container.runs:
        status |= {"podIP": pod.ip, "podIPs": [{"ip": pod.ip}]}
    return status


def _container(pod: Pod) -> Manifest:
    container, form = pod.container, pod.template
    status: Manifest = {
        "name": form.container,
        "image": form.image,
        "imageID": f"{form.image.rsplit(':', 1)[0]}@sha256:{hexes(64, form.image)}",
        "containerID": f"containerd://{pod.container_id}" if container.runs else "",
        "restartCount": container.restarts,
        "ready": container.ready,
        "started": container.state == "running" and (container.ready or not form.probes),
        "state": _state(container, pod),
        "lastState": {"terminated": _terminated(container.last)}
        if container.last and container.state != "terminated"
        else {},
    }
    if not container.runs:
        del status["containerID"]
        status["imageID"] = ""
    return status


def _state(container: Container, pod: Pod) -> Manifest:
    if container.state == "running":
        return {"running": {"startedAt": stamp(container.started)}}
    if container.state == "terminated" and container.ended:
        return {"terminated": _terminated(container.ended)}
    waiting = {"reason": container.reason}
    if container.message:
        waiting["message"] = container.message
    del pod
    return {"waiting": waiting}


def _terminated(end: Termination) -> Manifest:
    # A container that never started has the zero time as its start.
    started = stamp(end.started) if end.started else "1970-01-01T00:00:00Z"
    found: Manifest = {
        "exitCode": end.exit_code,
        "reason": end.reason,
        "startedAt": started,
        "finishedAt": stamp(end.finished),
        "containerID": f"containerd://{end.container_id}",
    }
    if end.message:
        found["message"] = end.message
    return found
