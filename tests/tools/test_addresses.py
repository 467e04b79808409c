"""Which node goes by an address: those that are told, and none that two nodes bear."""

from __future__ import annotations

from typing import Any

import pytest

from tools.addresses import host_of, node_names, node_names_from_series


def node(name: str, **addresses: str) -> dict[str, Any]:
    told = [{"type": kind, "address": address} for kind, address in addresses.items()]
    labels = {"kubernetes.io/hostname": f"{name}-host"}
    return {"kind": "Node", "metadata": {"name": name, "labels": labels}, "status": {"addresses": told}}


def pod(node_name: str | None, host: str, own: str) -> dict[str, Any]:
    spec = {"nodeName": node_name} if node_name else {}
    return {"metadata": {"name": "p", "namespace": "m"}, "spec": spec, "status": {"hostIP": host, "podIP": own}}


def test_a_node_goes_by_its_addresses_and_those_of_its_pods() -> None:
    nodes = [node("n1", InternalIP="10.0.0.1", InternalDNS="n1.internal"), node("n2", InternalIP="10.0.0.2")]
    told = node_names(nodes, [pod("n2", "10.0.0.2", "10.1.0.7"), pod(None, "10.0.0.9", "10.1.0.8")])
    assert told == {
        "n1": "n1", "n1-host": "n1", "n1.internal": "n1", "10.0.0.1": "n1",
        "n2": "n2", "n2-host": "n2", "10.0.0.2": "n2", "10.1.0.7": "n2",
    }  # fmt: skip


def test_what_two_nodes_bear_names_neither() -> None:
    nodes = [node("n1", Hostname="localhost"), node("n2", Hostname="localhost"), {"kind": "Node"}, {"status": 3}]
    assert "localhost" not in node_names(nodes, [{"status": {"hostIP": 7}}, {"spec": None}])
    assert node_names(nodes, []) == {"n1": "n1", "n1-host": "n1", "n2": "n2", "n2-host": "n2"}


def test_kube_state_metrics_tells_the_address_alone() -> None:
    rows = [{"node": "n1", "internal_ip": "10.0.0.1"}, {"node": "n2"}, {"internal_ip": "10.0.0.3"}]
    assert node_names_from_series(rows) == {"10.0.0.1": "n1", "n1": "n1", "n2": "n2"}


@pytest.mark.parametrize(
    ("instance", "host"),
    [
        ("10.0.0.1:9835", "10.0.0.1"),
        ("gpu-1", "gpu-1"),
        ("[fd00::1]:9835", "fd00::1"),
        ("fd00::1", "fd00::1"),
        ("", ""),
        ("[", ""),
    ],
)
def test_the_host_of_what_was_scraped(instance: str, host: str) -> None:
    assert host_of(instance) == host
