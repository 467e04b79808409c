"""Whether the GPU software of a node is there, ready, supported and the same as on its neighbours of the same kind."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping

from tools.facts import Object, at, gpus_requested, many, name_of, within
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary import readiness as told

KINDS = ("nodes", "pods")
FACTS = (
    told.STACK_UNREADY,
    told.DRIVER_ODD,
    told.DRIVER_BRANCH,
    told.SYSTEM_ODD,
    told.MIG_STATE,
    told.SHARED_GPU,
)
# Driver, toolkit and plugin come up one after the other, each with its image.
SETTLED_S = 1800.0
_STACK = re.compile(
    r"device-plugin|gpu-feature-discovery|nvidia-driver|gpu-driver|container-toolkit|mig-manager|dcgm"
    r"|nvidia-[\w-]{1,60}-(?:validator|manager)|nvidia-dra-driver|dra-driver-nvidia|gpu-kubelet-plugin"
)
# The later of these wait for the earlier ones, and the rest for all of them.
_ORDER = (re.compile(r"(?:nvidia|gpu)-driver"), re.compile("toolkit"), re.compile("plugin"))
_NOT_YET = frozenset({"PodInitializing", "ContainerCreating"})
_KINDS_OF_NODE = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "node.kubernetes.io/instance-type",
)
_SYSTEM = {
    "kubeletVersion": "kubelet",
    "osImage": "image",
    "kernelVersion": "kernel",
    "containerRuntimeVersion": "container runtime",
}
_SHARING = ("nvidia.com/gpu.sharing-strategy", "cloud.google.com/gke-gpu-sharing-strategy")
_SHARES = ("nvidia.com/gpu.replicas", "cloud.google.com/gke-max-shared-clients-per-gpu")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of nodes and pods."""
    nodes = {name_of(item)[1]: item for item in listed.of("nodes") if name_of(item)[1]}
    pools: dict[str, list[str]] = defaultdict(list)
    for name, item in nodes.items():
        labels = within(item, "metadata", "labels")
        pools[next((str(labels[key]) for key in _KINDS_OF_NODE if labels.get(key)), "")].append(name)
    for pool, names in pools.items():
        odd = _odd({name: _driver(nodes[name]) for name in names}) if pool else {}
        for name in names:
            yield Told(name, _node(nodes[name], odd.get(name, "")), "nodes")
        if pool:
            yield from _systems(names, nodes)
    if "pods" in listed.items:
        yield from _stack(listed, nodes)
    if "nodes" in listed.items:
        for pod in listed.of("pods"):
            if all(name_of(pod)):
                yield Told("/".join(name_of(pod)), {told.SHARED_GPU: _shared(pod, nodes)}, "nodes")


def _node(item: Object, odd: str) -> dict[Signal, Value]:
    labels = within(item, "metadata", "labels")
    state = str(labels.get("nvidia.com/mig.config.state") or "success")
    wanted = str(labels.get("nvidia.com/mig.config") or "a configuration")
    facts: dict[Signal, Value] = {told.MIG_STATE: "" if state == "success" else f"{wanted}: {state}"[:150]}
    driver = _driver(item)
    if driver:
        facts[told.DRIVER_ODD] = odd
        branch = driver.partition(".")[0]
        if branch.isdigit() and len(branch) < 6:
            facts[told.DRIVER_BRANCH] = float(branch)
    return facts


def _driver(item: Object) -> str:
    labels = within(item, "metadata", "labels")
    whole = str(labels.get("nvidia.com/cuda.driver-version.full") or "")
    parts = [str(labels.get(f"nvidia.com/cuda.driver.{part}") or "") for part in ("major", "minor", "rev")]
    return (whole or ".".join(part for part in parts if part))[:60]


def _odd(values: Mapping[str, str]) -> dict[str, str]:
    """Who differs from most of the others, and from whom; of equally many the newer is the norm."""
    counts = Counter(value for value in values.values() if value)
    if len(counts) < 2:
        return {}
    norm = max(counts, key=lambda value: (counts[value], [int(part) for part in re.findall(r"\d{1,9}", value)]))
    return {
        name: f"{value} where {counts[norm]} of {counts.total()} like it have {norm}"[:200]
        for name, value in values.items()
        if value and value != norm
    }


def _systems(names: list[str], nodes: Mapping[str, Object]) -> Iterator[Told]:
    found: dict[str, list[str]] = {name: [] for name in names}
    for key, what in _SYSTEM.items():
        values = {name: str(at(nodes[name], "status", "nodeInfo", key) or "")[:60] for name in names}
        for name, words in _odd(values).items():
            found[name].append(f"{what} {words}")
    for name, said in found.items():
        if within(nodes[name], "status", "nodeInfo"):
            yield Told(name, {told.SYSTEM_ODD: "; ".join(said)[:300]}, "nodes")


def _stack(listed: Listed, nodes: Mapping[str, Object]) -> Iterator[Told]:
    unready: dict[str, list[str]] = defaultdict(list)
    for pod in listed.of("pods"):
        owner = next((one for one in many(pod, "metadata", "ownerReferences") if one.get("kind") == "DaemonSet"), None)
        called = str(owner.get("name") or "") if owner else ""
        if not _STACK.search(called):
            continue
        node = str(at(pod, "spec", "nodeName") or "")
        ready = next((one for one in many(pod, "status", "conditions") if one.get("type") == "Ready"), {})
        if ready.get("status") == "False":
            unready[node].append(f"{called}{_held(pod)}")
    for node, item in nodes.items():
        # On a node that is cordoned or has just joined the stack may be under way.
        waiting = () if _under_way(item, listed.now) else sorted(unready.get(node, ()), key=_turn)
        yield Told(node, {told.STACK_UNREADY: ", ".join(waiting)[:300]}, "pods")


def _turn(called: str) -> tuple[int, str]:
    name = called.partition(" ")[0]
    return next((turn for turn, one in enumerate(_ORDER) if one.search(name)), len(_ORDER)), called


def _held(pod: Object) -> str:
    """The first container at which the pod does not get on, and how: a validator waits at the part that is missing."""
    for kind in ("initContainerStatuses", "containerStatuses"):
        for status in many(pod, "status", kind):
            state = within(status, "state")
            told_by = within(state, "waiting") or within(state, "terminated")
            reason = str(told_by.get("reason") or "")
            if reason and reason not in _NOT_YET and told_by.get("exitCode") != 0:
                return f" ({status.get('name')}: {reason})"[:80]
            if kind.startswith("init") and state.get("running") is not None and not status.get("started"):
                return f" (waits at {status.get('name')})"[:80]
    return ""


def _under_way(node: Object, now: float) -> bool:
    joined = seconds(at(node, "metadata", "creationTimestamp"))
    return at(node, "spec", "unschedulable") is True or (joined is not None and now - joined < SETTLED_S)


def _shared(pod: Object, nodes: Mapping[str, Object]) -> str:
    labels = within(nodes.get(str(at(pod, "spec", "nodeName") or ""), {}), "metadata", "labels")
    how = next((str(labels[key]) for key in _SHARING if labels.get(key)), "none")
    if how == "none" or not gpus_requested(pod):
        return ""
    shares = next((str(labels[key]) for key in _SHARES if labels.get(key)), "several")
    return f"{how}, {shares} shares a GPU"[:100]
