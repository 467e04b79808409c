"""What nodes say of their GPUs beside how many they have: what they can give, what their labels promise, how their plugin is."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tools.facts import Object, at, many, name_of, within
from tools.quantity import quantity, seconds
from tools.readers import Listed, Told, Value
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary.gpu_health import NODE_GPUS_ALLOCATABLE
from tools.vocabulary.gpu_software import (
    GPU_START_SAID,
    NODE_CORDONED,
    NODE_DEVICES_GIVEN,
    NODE_FAILING,
    NODE_GPUS_PROMISED,
    NODE_PLUGIN,
    NODE_SETTLED_FOR,
)

KINDS = ("nodes", "pods")
LONGEST = 300
# Whole, shared and cut GPUs; the same vendor's network devices are none.
_DEVICE = re.compile(r"nvidia\.com/(?:gpu(?:\.shared)?$|mig-)")
_PLUGIN = re.compile(r"nvidia[\w-]{0,40}-device-plugin|nvidia-gpu-device-plugin|^nvdp-")
_DRA = re.compile(r"nvidia[\w-]{0,40}dra-driver")
# The tail of a runtime's long message: the part that the NVIDIA toolkit wrote.
_TOOLKIT = re.compile(
    r"nvidia-container-(?:cli|runtime)(?:\.real)?: [^\n]{1,250}|unresolvable CDI devices [^\n]{1,150}"
)
_COUNTS = ("nvidia.com/gpu.count", "karpenter.k8s.aws/instance-gpu-count")
_MARKS = ("cloud.google.com/gke-accelerator", "k8s.amazonaws.com/accelerator")
_DOWN = frozenset({"CrashLoopBackOff", "RunContainerError", "CreateContainerError", "Error"})


def read(listed: Listed) -> Iterator[Told]:
    """Facts of nodes and, where pods could be listed, of what runs on them."""
    pods: dict[str, list[Object]] = defaultdict(list)
    for pod in listed.of("pods"):
        pods[str(at(pod, "spec", "nodeName") or "")].append(pod)
        if all(name_of(pod)):
            yield Told("/".join(name_of(pod)), {GPU_START_SAID: _start_said(pod)}, "pods")
    for item in listed.of("nodes"):
        name = name_of(item)[1]
        if not name:
            continue
        here = pods.get(name, ())
        yield Told(name, _node(item, here, listed.now), "nodes")
        if "pods" in listed.items:
            failing = sum(1 for pod in here if _fails(pod))
            yield Told(name, {NODE_FAILING: float(failing), NODE_PLUGIN: _plugin(here)}, "pods")


def _node(item: Object, pods: Sequence[Object], now: float) -> dict[Signal, Value]:
    facts: dict[Signal, Value] = {
        NODE_GPUS_PROMISED: 0.0 if any(_DRA.search(name_of(pod)[1]) for pod in pods) else _promised(item),
        NODE_CORDONED: 1.0 if at(item, "spec", "unschedulable") is True else 0.0,
    }
    gives = at(item, "status", "allocatable")
    if isinstance(gives, Mapping):
        number = _number(gives.get("nvidia.com/gpu"))
        if number is not None:
            facts[NODE_GPUS_ALLOCATABLE] = number
        devices = (value for key, value in gives.items() if _DEVICE.match(str(key)))
        facts[NODE_DEVICES_GIVEN] = sum((_number(value) or 0.0 for value in devices), 0.0)
    changed = _changed(item, pods)
    if changed is not None:
        facts[NODE_SETTLED_FOR] = max(0.0, now - changed)
    return facts


def _number(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    return quantity(value)


def _promised(item: Object) -> float:
    """GPUs that the labels speak of, none where they are passed through or the plugin is kept off on purpose."""
    labels = within(item, "metadata", "labels")
    kept_off = "false" in {str(labels.get(f"nvidia.com/gpu.deploy.{what}")) for what in ("operands", "device-plugin")}
    if kept_off or str(labels.get("nvidia.com/gpu.workload.config", "container")) != "container":
        return 0.0
    if str(labels.get("karpenter.k8s.aws/instance-gpu-manufacturer", "nvidia")) != "nvidia":
        return 0.0
    for key in _COUNTS:
        number = _number(labels.get(key))
        if number is not None and number > 0:
            return number
    marked = any(str(labels.get(key, "")).startswith("nvidia") for key in _MARKS)
    return 1.0 if marked or str(labels.get("nvidia.com/gpu.present")) == "true" else 0.0


def _ready(item: Object) -> Object:
    return next((one for one in many(item, "status", "conditions") if one.get("type") == "Ready"), {})


def _changed(item: Object, pods: Sequence[Object]) -> float | None:
    """When the node turned ready, or its device plugin's pod last turned: the later of them."""
    times = [seconds(_ready(item).get("lastTransitionTime")), seconds(at(item, "metadata", "creationTimestamp"))]
    times += [
        seconds(_ready(pod).get("lastTransitionTime")) or seconds(at(pod, "metadata", "creationTimestamp"))
        for pod in pods
        if _PLUGIN.search(name_of(pod)[1])
    ]
    known = [time for time in times if time is not None]
    return max(known) if known else None


def _plugin(pods: Sequence[Object]) -> str:
    """Empty where a device plugin is ready; else how its pod is, or that there is none."""
    found = [pod for pod in pods if _PLUGIN.search(name_of(pod)[1])]
    if any(_ready(pod).get("status") == "True" for pod in found):
        return ""
    if not found:
        return NONE
    waits = Counter(
        str(at(status, "state", "waiting", "reason") or "not ready")
        for pod in found
        for field in ("initContainerStatuses", "containerStatuses")
        for status in many(pod, "status", field)
        if status.get("ready") is not True
    )
    why = next((reason for reason, _ in waits.most_common() if reason != "PodInitializing"), "not ready")
    return f"{name_of(found[0])[1]}: {why}"[:LONGEST]


def _fails(pod: Object) -> bool:
    return any(
        str(at(status, "state", "waiting", "reason")) in _DOWN or within(status, "state", "terminated").get("exitCode")
        for field in ("initContainerStatuses", "containerStatuses")
        for status in many(pod, "status", field)
    )


def _start_said(pod: Object) -> str:
    """What the NVIDIA toolkit wrote into the status of a container that could not be started."""
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in many(pod, "status", field):
            if status.get("ready") is True:
                continue
            for path in (("state", "waiting"), ("state", "terminated"), ("lastState", "terminated")):
                match = _TOOLKIT.search(str(at(status, *path, "message") or "")[:8000])
                if match:
                    return match[0].strip()[:LONGEST]
    return ""
