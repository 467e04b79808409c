"""Which GPUs there are, on which node each is, and which pod holds it, as far as exporters' labels and Kubernetes tell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace

from tools.addresses import host_of
from tools.measure import Identity
from tools.signals import Per
from tools.topology import Gpu, Pod

EXPORTER_PODS = ("dcgm-exporter", "gpu-exporter", "gpu_exporter", "nvidia-exporter", "nvitop")


def gpus_from(
    identities: Iterable[Identity], pods: Mapping[str, Pod], addresses: Mapping[str, str] | None = None
) -> dict[str, Gpu]:
    """Every GPU or MIG instance by key, as the first exporter that speaks of it tells it; `addresses` name the node of a host."""
    gpus: dict[str, Gpu] = {}
    parents: set[str] = set()
    silent: set[str] = set()
    for identity in identities:
        if identity.source.per is not Per.GPU:
            continue
        for key, labels in identity.rows.items():
            # A GPU whose MIG instances another exporter tells is not one more of them.
            if key not in gpus and key not in parents:
                gpus[key] = _gpu(key, labels, identity, pods, addresses or {})
                if not identity.source.tells_pod:
                    silent.add(key)
        parents |= {key.partition("/")[0] for key in identity.rows if "/" in key}
    return gpus | _held_by_who_takes_all(gpus, silent, pods)


def _gpu(
    key: str, labels: Mapping[str, str], identity: Identity, pods: Mapping[str, Pod], addresses: Mapping[str, str]
) -> Gpu:
    prefix = "exported_" if identity.exported else ""
    pod = labels.get(f"{prefix}pod", "")
    holder = f"{labels.get(f'{prefix}namespace', '')}/{pod}" if pod and identity.source.tells_pod else None
    if holder and not identity.exported and any(mark in pod for mark in EXPORTER_PODS):
        holder = None  # unallocated: the label is the exporter's own pod
    exporter = pods.get(f"{labels.get('namespace', '')}/{labels.get('pod', '')}")
    node = labels.get("node") or (exporter.node if exporter and (identity.exported or not holder) else "")
    # The exporter's idea of its host's name may be another than the node's.
    node = node or (pods[holder].node if holder and holder in pods else "")
    node = node or labels.get("Hostname") or labels.get("hostname") or host_of(labels.get("instance", ""))
    node = addresses.get(node, node)
    index = labels.get("gpu") or labels.get("index") or key
    instance = labels.get("GPU_I_ID", "")
    model = next((labels[label] for label in ("modelName", "name", "devicename") if labels.get(label)), "")
    return Gpu(key, node, f"{index}:{instance}" if instance else index, model, holder)


def _held_by_who_takes_all(gpus: Mapping[str, Gpu], silent: set[str], pods: Mapping[str, Pod]) -> dict[str, Gpu]:
    """Where exporters do not say who holds a GPU: those of a node are the pod's, or the workload's, that requests all of them."""
    if not silent:
        return {}
    on_node: dict[str, list[str]] = defaultdict(list)
    for key, gpu in gpus.items():
        on_node[gpu.node].append(key)
    holders: dict[str, list[Pod]] = defaultdict(list)
    for pod in pods.values():
        if pod.gpus and pod.phase not in {"Succeeded", "Failed"}:
            holders[pod.node].append(pod)
    held: dict[str, Gpu] = {}
    for node, keys in on_node.items():
        here = holders.get(node, [])
        if not node or not silent.issuperset(keys) or sum(pod.gpus for pod in here) != len(keys):
            continue
        if len(here) == 1:
            held.update({key: replace(gpus[key], pod=here[0].key) for key in keys})
        elif len({pod.workload for pod in here}) == 1:
            # Which pod has which of them is not told; whose they are is.
            held.update({key: replace(gpus[key], workload=here[0].workload) for key in keys})
    return held
