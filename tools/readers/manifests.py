"""What pods declare: requests, image, probes, grace, placement, labels, and how weights reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from math import ceil, inf

from tools.engines import Configuration, Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, gpus_requested, many, name_of, serving_container, within
from tools.pod_facts import SHM_PATH
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.readers.services import around
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary import manifests as told

KINDS = ("pods", "nodes", "namespaces", "deployments", "statefulsets", "persistentvolumeclaims")
_MOVING = re.compile(r"^(latest|main|master|nightly|stable|edge|dev|develop|head)$|-(latest|nightly)$", re.IGNORECASE)
# What engines answer only once the model is loaded, or at least alive for good: see the page on health endpoints.
_READY_PATHS = re.compile(r"/(health|ready|healthz|readyz|ping|models|health_generate|predictions|info|status)(/|$|\?)")
# Triton, NIM and Dynamo answer these as soon as the process runs.
_ALIVE_ONLY = re.compile(r"/live(?:ness|z)?(?:/|$|\?)")
_DEBUG = {"debug", "trace"}
_LEVELS = ("VLLM_LOGGING_LEVEL", "LOG_LEVEL", "RUST_LOG", "NCCL_DEBUG")
_OWNERS = re.compile(r"(^|[/._-])(owner|team|squad|owned-by|part-of-team)$", re.IGNORECASE)
_COSTS = re.compile(
    r"(^|[/._-])(cost-?cent(er|re)|cost-?code|billing|budget|project|tenant|business-?unit)", re.IGNORECASE
)
_CAPACITY = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "spot",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
_NETWORK_DRIVE = re.compile(
    r"efs|nfs|azurefile|azure-file|filestore|smb|cifs|s3|gcsfuse|blobfuse|goofys|hdd", re.IGNORECASE
)
_PASSING = {"emptyDir", "secret", "configMap", "projected", "downwardAPI"}
_MODEL_FLAGS = ("model", "model-path", "model-id", "model-name")
_HUB_ID = re.compile(r"^[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*$")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods and workloads."""
    spot = _spot_nodes(listed)
    slow = _network_claims(listed)
    for item in listed.of("pods"):
        key = "/".join(name_of(item))
        if not all(name_of(item)):
            continue
        yield Told(key, {**_container(item), **_pod(item)}, "pods")
        if "nodes" in listed.items:
            yield Told(key, {told.SPOT_UNDECLARED: _undeclared(item, spot)}, "nodes")
        if "persistentvolumeclaims" in listed.items:
            yield Told(key, {told.WEIGHTS_SHARED: _shared(item, slow)}, "persistentvolumeclaims")
    for kind in ("deployments", "statefulsets"):
        for item in listed.of(kind):
            subject = "/".join((kind.removesuffix("s"), *name_of(item)))
            yield Told(subject, _rollout(item, kind), kind)
    if "namespaces" in listed.items:
        marks = {name_of(item)[1]: _marks(item) for item in listed.of("namespaces")}
        for whose in around(listed):
            labels = {**marks.get(whose.subject.namespace, {}), **_marks(whose.item), **_marks(whose.form)}
            facts: dict[Signal, Value] = {told.OWNER: _named(labels, _OWNERS), told.COST_LABEL: _named(labels, _COSTS)}
            yield Told(str(whose.subject), facts, "namespaces")


def _container(pod: Object) -> dict[Signal, Value]:
    one = serving_container(pod)
    limits, requests = within(one, "resources", "limits"), within(one, "resources", "requests")
    asked = {**limits, **requests}
    configuration = resolve(container_of(one))
    env = {str(each.get("name")): str(each.get("value") or "") for each in many(one, "env")}
    image = str(one.get("image") or "")
    facts: dict[Signal, Value] = {
        told.REQUESTS_MISSING: ", ".join(name for name in ("cpu", "memory") if not quantity(asked.get(name) or "")),
        told.LIMITS_MISSING: "" if quantity(limits.get("memory") or "") else "memory",
        told.CPU_REQUEST: quantity(asked.get("cpu") or "") or 0.0,
        told.GPUS_UNCLAIMED: _unclaimed(pod, env),
        told.PRESTOP: "set" if within(one, "lifecycle", "preStop") else NONE,
        told.TRACING: _tracing(configuration, env),
        told.LOG_LEVEL: ", ".join(
            f"{name}={env[name][:20]}" for name in _LEVELS if env.get(name, "").lower() in _DEBUG
        ),
        told.WEIGHTS_FETCHED: _fetched(pod, one, configuration),
        **_probes(one),
    }
    if image:
        name, _, digest = image.partition("@")
        tag = name.rpartition("/")[2].partition(":")[2]
        facts[told.IMAGE_MOVES] = "" if digest or (tag and not _MOVING.search(tag)) else image[:200]
        facts[told.IMAGE_UNPINNED] = "" if digest else image[:200]
    status = next(
        (each for each in many(pod, "status", "containerStatuses") if each.get("name") == one.get("name")), {}
    )
    running = str(status.get("imageID") or "") or image
    if running:
        facts[told.IMAGE_RUNNING] = running.removeprefix("docker-pullable://")[:200]
    return facts


def _probes(container: Object) -> dict[Signal, Value]:
    ready, alive, start = (within(container, f"{name}Probe") for name in ("readiness", "liveness", "startup"))
    missing = [name for name, probe in (("readiness", ready), ("liveness", alive)) if not probe]
    budget = patience = inf
    if alive:
        patience = _number(alive, "periodSeconds", 10) * _number(alive, "failureThreshold", 3)
        budget = _number(alive, "initialDelaySeconds", 0) + patience
    if start:
        budget = _number(start, "periodSeconds", 10) * _number(start, "failureThreshold", 3)
        budget += _number(start, "initialDelaySeconds", 0)
    odd = ""
    path = str(at(ready, "httpGet", "path") or "/") if within(ready, "httpGet") else ""
    if path and (not _READY_PATHS.search(path) or _ALIVE_ONLY.search(path)):
        odd = f"GET {path[:100]}"
    elif within(ready, "tcpSocket"):
        odd = "whether a TCP port is open"
    return {
        told.PROBES_MISSING: ", ".join(missing),
        told.READINESS_ODD: odd,
        told.LIVENESS_PATIENCE: patience,
        told.STARTUP_BUDGET: budget,
    }


def _pod(pod: Object) -> dict[Signal, Value]:
    affinity = within(pod, "spec", "affinity")
    spread = ["anti-affinity"] if within(affinity, "podAntiAffinity") else []
    spread += ["topology spread"] if many(pod, "spec", "topologySpreadConstraints") else []
    chosen = [str(key)[:80] for key in within(pod, "spec", "nodeSelector")]
    chosen += ["node affinity"] if within(affinity, "nodeAffinity") else []
    grace = at(pod, "spec", "terminationGracePeriodSeconds")
    return {
        told.GRACE: float(grace) if isinstance(grace, int) else 30.0,
        told.SPREAD: ", ".join(spread) or NONE,
        told.PLACEMENT: ", ".join(chosen)[:200] or NONE,
        told.PRIORITY: str(at(pod, "spec", "priorityClassName") or NONE),
    }


def _unclaimed(pod: Object, env: Mapping[str, str]) -> str:
    if gpus_requested(pod):
        return ""
    seen = env.get("NVIDIA_VISIBLE_DEVICES", "").lower()
    return f"NVIDIA_VISIBLE_DEVICES={seen[:40]}" if seen not in {"", "none", "void"} else ""


def _tracing(configuration: Configuration, env: Mapping[str, str]) -> str:
    said = configuration.flags
    by_flag = next((name for name in ("otlp-traces-endpoint", "otlp-endpoint", "enable-trace") if name in said), "")
    by_name = next((name for name in env if name.startswith("OTEL_EXPORTER_OTLP") or name == "OTLP_ENDPOINT"), "")
    return f"--{by_flag}" if by_flag else by_name or NONE


def _fetched(pod: Object, container: Object, configuration: Configuration) -> str:
    """The id on a hub of a model that nothing in the pod keeps between starts."""
    # A server of one's own may name its model in the usual way.
    words = [configuration.text(Key.MODEL), *(configuration.flags.get(name, "") for name in _MODEL_FLAGS)]
    model = next((word for word in words if _HUB_ID.match(word)), "")
    if not model or any(within(volume, "image") for volume in many(pod, "spec", "volumes")):
        return ""
    mounted = {
        str(mount.get("name")) for mount in many(container, "volumeMounts") if mount.get("mountPath") != SHM_PATH
    }
    for volume in many(pod, "spec", "volumes"):
        if str(volume.get("name")) in mounted and not _PASSING & set(volume):
            return ""
    return model[:150]


def _shared(pod: Object, slow: Mapping[str, str]) -> str:
    namespace = name_of(pod)[0]
    mounted = {str(mount.get("name")) for mount in many(serving_container(pod), "volumeMounts")}
    for volume in many(pod, "spec", "volumes"):
        if str(volume.get("name")) not in mounted:
            continue
        claim = str(at(volume, "persistentVolumeClaim", "claimName") or "")
        driver = str(at(volume, "csi", "driver") or "")
        if slow.get(f"{namespace}/{claim}"):
            return f"claim {claim} of class {slow[f'{namespace}/{claim}']}"[:200]
        if within(volume, "nfs") or _NETWORK_DRIVE.search(driver):
            return f"volume {volume.get('name')} by {driver or 'nfs'}"[:200]
    return ""


def _network_claims(listed: Listed) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in listed.of("persistentvolumeclaims"):
        name = str(at(item, "spec", "storageClassName") or "")
        if _NETWORK_DRIVE.search(name):
            found["/".join(name_of(item))] = name
    return found


def _spot_nodes(listed: Listed) -> dict[str, str]:
    found: dict[str, str] = {}
    for item in listed.of("nodes"):
        labels = within(item, "metadata", "labels")
        marks = [
            f"{key}={labels[key]}" for key, value in _CAPACITY.items() if str(labels.get(key, "")).lower() == value
        ]
        if marks:
            found[name_of(item)[1]] = marks[0]
    return found


def _undeclared(pod: Object, spot: Mapping[str, str]) -> str:
    mark = spot.get(str(at(pod, "spec", "nodeName") or ""), "")
    spec = within(pod, "spec")
    said = str([spec.get("nodeSelector"), spec.get("affinity"), spec.get("tolerations")]).lower()
    return mark if mark and not re.search(r"spot|preemptible|capacity-?type", said) else ""


def _rollout(item: Object, kind: str) -> dict[Signal, Value]:
    field = "strategy" if kind == "deployments" else "updateStrategy"
    strategy = str(at(item, "spec", field, "type") or "RollingUpdate")
    wanted = at(item, "spec", "replicas")
    count = wanted if isinstance(wanted, int) else 1
    surge = _share(at(item, "spec", field, "rollingUpdate", "maxSurge"), count, up=True)
    down = _share(at(item, "spec", field, "rollingUpdate", "maxUnavailable"), count, up=False)
    if strategy == "Recreate":
        surge, down = 0, count
    elif kind == "statefulsets":
        surge, down = 0, min(1, count)
    elif surge == 0 and down == 0:
        down = 1  # as the API server resolves what would never move
    return {told.ROLLOUT: strategy[:40], told.ROLLOUT_SURGE: float(surge), told.ROLLOUT_DOWN: float(min(down, count))}


def _share(value: object, count: int, up: bool) -> int:
    if isinstance(value, int):
        return max(0, value)
    text = value if isinstance(value, str) and re.fullmatch(r"\d{1,3}%", value) else "25%"
    part = count * int(text[:-1]) / 100
    return ceil(part) if up else int(part)


def _marks(item: Object) -> dict[str, str]:
    found = {**within(item, "metadata", "annotations"), **within(item, "metadata", "labels")}
    return {str(key): str(value) for key, value in found.items() if value}


def _named(marks: Mapping[str, str], wanted: re.Pattern[str]) -> str:
    return next((f"{key}={value}"[:150] for key, value in sorted(marks.items()) if wanted.search(key)), NONE)


def _number(probe: Object, field: str, default: float) -> float:
    value = probe.get(field)
    return float(value) if isinstance(value, int) else default
