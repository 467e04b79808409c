"""What a GPU node says of itself and what runs on it to watch it: labels, taints, driver, log agent, watch for faults."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator

from tools.facts import Object, at, many, name_of, within
from tools.readers import Listed, Told, Value
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary.manifests import DRIVER, GPU_LABELS_MISSING, GPU_TAINT, LOG_AGENT, WATCHED

KINDS = ("nodes", "pods")
# What GPU feature discovery writes, or the platform in its place.
_PRODUCT = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
    "k8s.amazonaws.com/accelerator",
)
_MEMORY = ("nvidia.com/gpu.memory", "karpenter.k8s.aws/instance-gpu-memory", "cloud.google.com/gke-accelerator")
_KUBELETS_OWN = {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure", "NetworkUnavailable"}
_LOG_AGENTS = re.compile(
    r"fluent-?bit|fluentd|promtail|alloy|vector|filebeat|datadog|otel-|opentelemetry|collector|logging|ama-logs|cloudwatch|splunk"
)
_PASSING_TAINTS = ("node.kubernetes.io/", "node.cloudprovider.kubernetes.io/")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of nodes."""
    agents: dict[str, set[str]] = defaultdict(set)
    for pod in listed.of("pods"):
        name = name_of(pod)[1]
        owners = many(pod, "metadata", "ownerReferences")
        if _LOG_AGENTS.search(name) and any(owner.get("kind") == "DaemonSet" for owner in owners):
            agents[str(at(pod, "spec", "nodeName") or "")].add(str(owners[0].get("name")))
    for item in listed.of("nodes"):
        name = name_of(item)[1]
        yield Told(name, _node(item), "nodes")
        if "pods" in listed.items:
            yield Told(name, {LOG_AGENT: ", ".join(sorted(agents.get(name, ())))[:150] or NONE}, "pods")


def _node(item: Object) -> dict[Signal, Value]:
    labels = within(item, "metadata", "labels")
    missing = [keys[0] for keys in (_PRODUCT, _MEMORY) if not any(labels.get(key) for key in keys)]
    taints = [
        f"{taint.get('key')}:{taint.get('effect')}"
        for taint in many(item, "spec", "taints")
        if not str(taint.get("key") or "").startswith(_PASSING_TAINTS)
        and str(taint.get("effect")) in {"NoSchedule", "NoExecute"}
    ]
    watch = [
        str(one.get("type")) for one in many(item, "status", "conditions") if str(one.get("type")) not in _KUBELETS_OWN
    ]
    return {
        GPU_LABELS_MISSING: ", ".join(missing),
        GPU_TAINT: ", ".join(taints)[:200] or NONE,
        DRIVER: _driver(item),
        WATCHED: ", ".join(sorted(watch))[:200] or NONE,
    }


def _driver(item: Object) -> str:
    labels = within(item, "metadata", "labels")
    whole = str(labels.get("nvidia.com/cuda.driver-version.full") or "")
    parts = [str(labels.get(f"nvidia.com/cuda.driver.{part}") or "") for part in ("major", "minor", "rev")]
    return (whole or ".".join(part for part in parts if part))[:60] or NONE
