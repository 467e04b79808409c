"""Where a pod like this one would find room: on nodes that its selector, its required affinity and its tolerations let it on."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed, rooms
from tools.vocabulary.admission import ROOM, ROOM_CORDONED

Object = dict[str, Any]


def node(name: str, gpus: int, taint: str = "", **labels: str) -> Object:
    taints = [{"key": taint, "value": "yes", "effect": "NoSchedule"}] if taint else []
    return {
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "spec": {"taints": taints},
        "status": {"allocatable": {"nvidia.com/gpu": str(gpus)}, "conditions": [{"type": "Ready", "status": "True"}]},
    }


NODES = [node("big", 8, product="H100", rank="7"), node("small", 2, product="L4", rank="3"), node("kept", 16, "team")]


def pod(name: str, on: str = "", **spec: Any) -> Object:
    limits = {"resources": {"limits": {"nvidia.com/gpu": "1"}}}
    return {
        "metadata": {"namespace": "team", "name": name},
        "spec": {"containers": [limits], **({"nodeName": on} if on else {}), **spec},
        "status": {"phase": "Running" if on else "Pending"},
    }


def found(*pods: Object, nodes: list[Object] | None = None) -> dict[str, object]:
    listed = Listed(0.0, {"pods": pods, "nodes": NODES if nodes is None else nodes})
    return {told.key: told.facts[ROOM] for told in rooms.read(listed)}


def required(*rules: Object, kind: str = "matchExpressions") -> Object:
    terms = {"nodeSelectorTerms": [{kind: list(rules)}]}
    return {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": terms}}


@pytest.mark.parametrize(
    ("spec", "room"),
    [
        ({}, 8),
        ({"nodeSelector": {"product": "L4"}}, 2),
        ({"nodeSelector": {"product": "A100"}}, 0),
        ({"tolerations": [{"key": "team", "operator": "Exists"}]}, 16),
        ({"tolerations": [{"key": "team", "value": "no"}]}, 8),
        ({"affinity": required({"key": "product", "operator": "NotIn", "values": ["H100"]})}, 2),
        ({"affinity": required({"key": "rank", "operator": "Lt", "values": ["5"]})}, 2),
        ({"affinity": required({"key": "rank", "operator": "Gt", "values": ["5"]})}, 8),
        ({"affinity": required({"key": "rank", "operator": "Gt", "values": ["soon"]})}, 0),
        (
            {"affinity": required({"key": "metadata.name", "operator": "In", "values": ["small"]}, kind="matchFields")},
            2,
        ),
        ({"affinity": required()}, 0),
    ],
)
def test_room_is_what_is_free_on_one_node_that_takes_the_pod(spec: dict[str, Any], room: float) -> None:
    assert found(pod("a", **spec)) == {"team/a": room}


def test_any_of_several_terms_is_enough() -> None:
    either = required({"key": "product", "operator": "In", "values": ["A100"]})
    terms = either["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    terms.append({"matchExpressions": [{"key": "product", "operator": "In", "values": ["L4"]}]})
    assert found(pod("a", affinity=either)) == {"team/a": 2}


def test_what_pods_hold_is_not_free_and_each_pod_has_its_own_room() -> None:
    taken = [pod(f"b-{one}", on="big") for one in range(7)]
    told = found(*taken, pod("a"), pod("c", nodeSelector={"product": "L4"}))
    assert told["team/a"] == 2
    assert told["team/c"] == 2
    assert found(*taken[:4], pod("a"))["team/a"] == 4


def test_what_is_free_behind_a_cordon_is_told_apart() -> None:
    drained = node("big", 8, "node.kubernetes.io/unschedulable", product="H100")
    drained["spec"]["unschedulable"] = True
    pods = [pod("a", nodeSelector={"product": "H100"}), pod("b", nodeSelector={"product": "L4"}), pod("c", on="big")]
    listed = Listed(0.0, {"pods": pods, "nodes": [drained, node("small", 2, product="L4")]})
    told = {one.key: (one.facts[ROOM], one.facts[ROOM_CORDONED]) for one in rooms.read(listed)}
    assert told == {"team/a": (0, 7), "team/b": (2, 0), "team/c": (2, 7)}


def test_who_asks_for_no_gpu_has_no_room_and_without_nodes_nothing_is_told() -> None:
    plain = {"metadata": {"namespace": "team", "name": "web"}, "spec": {"containers": [{}]}}
    assert found(plain) == {}
    assert list(rooms.read(Listed(0.0, {"pods": [pod("a")]}))) == []


def test_odd_objects_do_no_harm() -> None:
    odd = [{"metadata": 3}, {"spec": []}, {"metadata": {"name": "x"}, "spec": {"taints": "no"}, "status": 7}]
    told = found({"metadata": None}, pod("a", affinity=7, tolerations="all"), nodes=[*NODES, *odd])
    assert told == {"team/a": 8}


@pytest.mark.parametrize(
    ("taint", "room", "kept"),
    [("node.kubernetes.io/disk-pressure", 2, 8), ("node.kubernetes.io/unschedulable", 8, 8), ("team", 2, 0), ("node.kubernetes.iox/y", 2, 0)],
)  # fmt: skip
def test_what_lacks_something_is_told_apart_from_what_is_not_meant_for_it(taint: str, room: float, kept: float) -> None:
    nodes = [node("big", 8, taint), node("small", 2)]
    listed = Listed(0.0, {"pods": [pod("a")], "nodes": nodes})
    (told,) = rooms.read(listed)
    assert told.facts == {ROOM: room, ROOM_CORDONED: kept}
