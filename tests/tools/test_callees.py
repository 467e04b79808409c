"""Whom workloads call, from one to the next: by their objects, by their proxies' clusters, and by what the mesh has counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import NOW
from tools.addressing import Addressing
from tools.callees import callees
from tools.reading import Blind, Reason, Subject
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource, Result, Row
from tools.topology import Pod

FRONT, GATE = Subject("deployment", "edge", "front"), Subject("deployment", "edge", "gate")
UNSET = Blind(Reason.NOT_SET, "nothing is set")


def taken() -> Snapshot:
    """Two engines, and a front and a gate of another namespace that hold no GPU."""
    world = two()
    more = {
        f"edge/{one.name}-0": Pod("edge", f"{one.name}-0", "n9", one, "Running", ready=True) for one in (FRONT, GATE)
    }
    return replace(world, topology=replace(world.topology, pods={**world.topology.pods, **more}))


class Told:
    """A Prometheus that answers by what a query asks for, and keeps what it was asked."""

    def __init__(self, **rows: list[dict[str, str]]) -> None:
        self.rows = rows
        self.asked: list[str] = []

    def query(self, query: str, _at: float) -> Result:
        self.asked.append(query)
        found: Callable[[str], bool] = lambda kind: kind in query  # noqa: E731
        return Result(
            query, tuple(Row(row, 1.0) for kind, rows in self.rows.items() if found(kind) for row in rows), None
        )


def asked(told: Any, *callers: Subject, world: Snapshot | None = None) -> frozenset[Subject]:
    return callees(cast(PromSource, told), world or taken(), callers or (GATE,))


def envoy(pod: str, name: str) -> dict[str, str]:
    return {"namespace": "edge", "pod": pod, "envoy_cluster_name": name}


def test_whom_a_proxy_has_sent_requests_to() -> None:
    told = Told(envoy_cluster_upstream=[envoy("gate-0", "app"), envoy("somebody-else", "other")])
    assert asked(told) == {APP}
    assert all('pod=~"gate-0"' in query for query in told.asked if "envoy" in query)


@pytest.mark.parametrize("label", ["api_base", "server"])
def test_whom_a_router_labels_its_counts_with(label: str) -> None:
    row = {"namespace": "edge", "pod": "gate-0", label: "http://app.team:8000/v1"}
    assert asked(Told(litellm_deployment_=[row])) == {APP}


@pytest.mark.parametrize(
    ("row", "whom"),
    [
        ({"destination_workload_namespace": "team", "destination_workload": "app"}, {APP}),
        (
            {
                "destination_workload_namespace": "unknown",
                "destination_workload": "unknown",
                "destination_service_namespace": "lab",
                "destination_service_name": "other",
            },
            {OTHER},
        ),
        ({"destination_workload_namespace": "far", "destination_workload": "app"}, set()),
    ],
    ids=["a workload", "a Service with nobody behind it", "somebody unknown"],
)
def test_whom_the_mesh_counted(row: dict[str, str], whom: set[Subject]) -> None:
    assert asked(Told(istio_requests_total=[row])) == whom


def test_those_whom_they_send_them_on_to() -> None:
    told = Told(envoy_cluster_upstream=[envoy("front-0", "gate"), envoy("gate-0", "app")])
    assert asked(told, FRONT) == {GATE, APP}


def test_a_ring_ends_and_nobody_is_their_own_callee() -> None:
    told = Told(envoy_cluster_upstream=[envoy("front-0", "gate"), envoy("gate-0", "front"), envoy("gate-0", "gate")])
    assert asked(told, FRONT) == {GATE}


def test_engines_are_not_asked_for_their_proxies_and_nothing_is_asked_of_no_prometheus() -> None:
    told = Told()
    assert asked(told, APP) == set()
    assert told.asked == []
    assert asked(UNSET) == set()


def test_whom_nobody_may_see_is_not_named() -> None:
    world = taken()
    seen = {key: pod for key, pod in world.topology.pods.items() if pod.namespace == "edge"}
    # The addresses are those of the whole cluster.
    whole = Addressing.by_names(world.topology)
    narrow = replace(world, topology=replace(world.topology, pods=seen), addressing=whole)
    assert asked(Told(envoy_cluster_upstream=[envoy("gate-0", "app")]), world=narrow) == set()


GATE_0 = 'namespace="edge",pod="gate-0"'
SERIES = {
    "envoy": ('envoy_cluster_upstream_rq_active{%s,envoy_cluster_name="team/app/8000"} 3', {APP}),
    "idle": ('envoy_cluster_upstream_rq_active{%s,envoy_cluster_name="team/app/8000"} 0', set()),
    "no host": ('envoy_cluster_upstream_cx_none_healthy{%s,envoy_cluster_name="team/app/8000"} 3', {APP}),
    "litellm": ('litellm_deployment_state{%s,api_base="http://other.lab:8000/v1"} 0', {OTHER}),
    "router": ('vllm:current_qps{%s,server="http://other.lab:8000"} 0', {OTHER}),
    "istio": (
        ('istio_requests_total{source_workload="gate",source_workload_namespace="edge",destination_workload="other",'
        'destination_workload_namespace="lab"} 7'),
        {OTHER},
    ),
    "of others": ('envoy_cluster_upstream_rq_active{namespace="edge",pod="front-0",envoy_cluster_name="team/app/8000"} 3', set()),
}  # fmt: skip


@pytest.mark.parametrize(("line", "whom"), SERIES.values(), ids=SERIES)
def test_a_prometheus_understands_what_it_is_asked(line: str, whom: set[Subject], tmp_path: Path) -> None:
    text = line.replace("%s", GATE_0)
    name = text.partition("{")[0]
    path = tmp_path / "told.om"
    path.write_text("".join(f"{one}\n" for one in (f"# TYPE {name} gauge", f"{text} {NOW - 15:.0f}", "# EOF")))
    with Prometheus([path]) as running:
        assert asked(PromSource(running.url)) == whom
