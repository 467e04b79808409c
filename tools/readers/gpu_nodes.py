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
    NODE_GPUS_PROMISED,
    NODE_PLUGIN,
    NODE_SETTLED_FOR,
    POD_FAILING,
    RUNS_FOR_NOTHING,
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
_GPU = "nvidia.com/gpu"
_COUNTS = ("nvidia.com/gpu.count", "karpenter.k8s.aws/instance-gpu-count")
_MARKS = ("cloud.google.com/gke-accelerator", "k8s.amazonaws.com/accelerator")
# What discovers features saw on the bus: a device of the vendor, of a display's class where that is told.
_SEEN = re.compile(r"(?:nvidia\.com/gpu|feature\.node\.kubernetes\.io/pci-(?:03[0-9a-f]{2}_)?10de)\.present$")
_DOWN = frozenset({"CrashLoopBackOff", "RunContainerError", "CreateContainerError"})
LATELY_S = 3600.0


def read(listed: Listed) -> Iterator[Told]:
    """Facts of nodes and, where pods could be listed, of what runs on them."""
    nodes, everyone = listed.of("nodes"), listed.of("pods")
    pods = _by_node(everyone)
    silent = silent_plugins(nodes, everyone)
    for pod in everyone:
        key = "/".join(name_of(pod))
        if all(name_of(pod)):
            fails = RUNS_FOR_NOTHING if key in silent else _failing(pod, listed.now)
            yield Told(key, {GPU_START_SAID: _start_said(pod), POD_FAILING: fails}, "pods")
    for item in nodes:
        name = name_of(item)[1]
        if not name:
            continue
        here = pods.get(name, ())
        yield Told(name, _node(item, here, listed.now), "nodes")
        if "pods" in listed.items:
            yield Told(name, {NODE_PLUGIN: _plugin(here)}, "pods")


def silent_plugins(nodes: Sequence[Object], pods: Sequence[Object]) -> frozenset[str]:
    """The ready device plugins (`namespace/pod`) of nodes that should give GPUs and give none: their logs say why."""
    here = _by_node(pods)
    return frozenset(
        "/".join(name_of(pod))
        for item in nodes
        if _given(item) == 0.0 and max(_promised(item), _number(at(item, "status", "capacity", _GPU)) or 0.0) > 0
        for pod in here.get(name_of(item)[1], ())
        if _PLUGIN.search(name_of(pod)[1]) and _ready(pod).get("status") == "True"
    )


def _by_node(pods: Sequence[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = defaultdict(list)
    for pod in pods:
        found[str(at(pod, "spec", "nodeName") or "")].append(pod)
    return found


def _node(item: Object, pods: Sequence[Object], now: float) -> dict[Signal, Value]:
    facts: dict[Signal, Value] = {
        NODE_GPUS_PROMISED: 0.0 if any(_DRA.search(name_of(pod)[1]) for pod in pods) else _promised(item),
        NODE_CORDONED: 1.0 if at(item, "spec", "unschedulable") is True else 0.0,
    }
    number, given = _number(at(item, "status", "allocatable", _GPU)), _given(item)
    if number is not None:
        facts[NODE_GPUS_ALLOCATABLE] = number
    if given is not None:
        facts[NODE_DEVICES_GIVEN] = given
    changed = _changed(item, pods)
    if changed is not None:
        facts[NODE_SETTLED_FOR] = max(0.0, now - changed)
    return facts


def _given(item: Object) -> float | None:
    gives = at(item, "status", "allocatable")
    if not isinstance(gives, Mapping):
        return None
    return sum((_number(value) or 0.0 for key, value in gives.items() if _DEVICE.match(str(key))), 0.0)


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
    counted = [_number(labels.get(key)) for key in _COUNTS]
    most = max((number for number in counted if number is not None), default=0.0)
    if most > 0:
        return most
    marked = any(str(labels.get(key, "")).startswith("nvidia") for key in _MARKS)
    # Who discovers GPUs and counted none says nothing against the platform, which knows what it sold.
    present = counted[0] is None and any(str(value) == "true" for key, value in labels.items() if _SEEN.match(str(key)))
    return 1.0 if marked or present else 0.0


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


def _failing(pod: Object, now: float) -> str:
    """How a pod fails: what its container waits for, or its bad end within the hour; empty where it stands."""
    for field in ("initContainerStatuses", "containerStatuses"):
        for status in many(pod, "status", field):
            reason = str(at(status, "state", "waiting", "reason") or "")
            if reason in _DOWN:
                return reason
            ended = within(status, "state", "terminated") or within(status, "lastState", "terminated")
            when = seconds(ended.get("finishedAt"))
            if (
                status.get("ready") is not True
                and ended.get("exitCode")
                and when is not None
                and now - when <= LATELY_S
            ):
                return f"it ended with exit code {ended['exitCode']}"[:60]
    return ""


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
