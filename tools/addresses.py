"""Which node is meant by an address or a host's name: exporters that know nothing of Kubernetes are known by what was scraped.

A node goes by its addresses, its host's name and the addresses of the pods that tell their host. A name that two nodes bear says nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from tools.facts import Object, at, many, name_of

_HOSTNAME = "kubernetes.io/hostname"


def node_names(nodes: Sequence[Object], pods: Sequence[Object]) -> dict[str, str]:
    """The node by each name and address that objects tell."""
    told: list[tuple[str, str]] = []
    for node in nodes:
        name = name_of(node)[1]
        told += ((str(one.get("address") or ""), name) for one in many(node, "status", "addresses"))
        told += ((str(at(node, "metadata", "labels", _HOSTNAME) or ""), name), (name, name))
    for pod in pods:
        name = str(at(pod, "spec", "nodeName") or "")
        addresses = (at(pod, "status", "hostIP"), at(pod, "status", "podIP"))
        told += ((str(address or ""), name) for address in addresses)
    return _sure(told)


def node_names_from_series(rows: Iterable[Mapping[str, str]]) -> dict[str, str]:
    """The same as `kube_node_info` tells it."""
    told = [(row.get("internal_ip", ""), row.get("node", "")) for row in rows]
    return _sure([*told, *((name, name) for _, name in told)])


def host_of(instance: str) -> str:
    """The host of a scraped address, without its port: `[fd00::1]:9835`, `10.0.0.1:9835`, `gpu-1:9835`."""
    if instance.startswith("["):
        return instance[1:].partition("]")[0]
    return instance if instance.count(":") > 1 else instance.partition(":")[0]


def _sure(told: Iterable[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    torn: set[str] = set()
    for address, name in told:
        if address and name and found.setdefault(address, name) != name:
            torn.add(address)
    return {address: name for address, name in found.items() if address not in torn}
