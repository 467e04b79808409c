"""What money follows: which GPUs a node has and how it is bought, and which team and tenant a workload is labelled with."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tools.facts import Object, name_of, within
from tools.readers import Listed, Told, Value
from tools.readers.services import around
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary import costs as told

KINDS = ("nodes", "pods", "namespaces", "deployments", "statefulsets")
FACTS = (told.NODE_PRODUCT, told.NODE_MACHINE, told.NODE_CAPACITY, told.TENANT, told.TEAM)
_PRODUCTS = (
    "nvidia.com/gpu.product",
    "cloud.google.com/gke-accelerator",
    "k8s.amazonaws.com/accelerator",
    "karpenter.k8s.aws/instance-gpu-name",
)
_MACHINES = ("node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type")
_SPOT = {
    "karpenter.sh/capacity-type": "spot",
    "eks.amazonaws.com/capacityType": "spot",
    "cloud.google.com/gke-spot": "true",
    "cloud.google.com/gke-preemptible": "true",
    "kubernetes.azure.com/scalesetpriority": "spot",
}
_TENANT = re.compile(r"(^|[/._-])(tenant|tenant-?(id|name)|customer)$", re.IGNORECASE)
_TEAM = re.compile(r"(^|[/._-])(owner|team|squad|owned-by|part-of-team)$", re.IGNORECASE)
_LONGEST = 120


def read(listed: Listed) -> Iterator[Told]:
    """Facts of nodes and workloads."""
    for item in listed.of("nodes"):
        if name_of(item)[1]:
            yield Told(name_of(item)[1], _node(item), "nodes")
    listed_spaces = "namespaces" in listed.items
    spaces = {name_of(item)[1]: _labels(item) for item in listed.of("namespaces")} if listed_spaces else {}
    for whose in around(listed):
        own = {**_labels(whose.item), **_labels(whose.form)}
        space = spaces.get(whose.subject.namespace, {})
        facts: dict[Signal, Value] = {}
        for signal, names in ((told.TENANT, _TENANT), (told.TEAM, _TEAM)):
            # Without a label of its own it may have its namespace's: where those were not listed, nobody can say that it has none.
            value = _of(own, names) or _of(space, names) or (NONE if listed_spaces else "")
            if value:
                facts[signal] = value
        yield Told(str(whose.subject), facts, "namespaces")


def _node(item: Object) -> dict[Signal, Value]:
    labels = within(item, "metadata", "labels")
    facts: dict[Signal, Value] = {}
    for signal, keys in ((told.NODE_PRODUCT, _PRODUCTS), (told.NODE_MACHINE, _MACHINES)):
        value = next((str(labels[key])[:_LONGEST] for key in keys if labels.get(key)), "")
        if value:
            facts[signal] = value
    spot = any(str(labels.get(key, "")).lower() == value for key, value in _SPOT.items())
    facts[told.NODE_CAPACITY] = "spot" if spot else NONE
    return facts


def _labels(item: Object) -> Mapping[str, str]:
    found = {**within(item, "metadata", "annotations"), **within(item, "metadata", "labels")}
    return {str(key): str(value) for key, value in found.items() if value}


def _of(labels: Mapping[str, str], wanted: re.Pattern[str]) -> str:
    return next((value[:_LONGEST] for key, value in sorted(labels.items()) if wanted.search(key)), "")
