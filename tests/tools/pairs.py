"""Two workloads side by side, for what must not spill from one to the other."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tests.tools.scenes import GONE, NOW
from tools.casebook import asks
from tools.columns import Column, Part
from tools.reading import Subject
from tools.signals import Ask, parse_ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import Autoscaler, Gpu, Pod, Topology

APP, OTHER = Subject("deployment", "team", "app"), Subject("deployment", "lab", "other")


def two(
    *worlds: tuple[Subject, Mapping[str, Any]], same_node: bool = False, sources: tuple[SourceState, ...] = ()
) -> Snapshot:
    """Two workloads of two replicas with a GPU each, on a node each or on the same; values by subject."""
    pods, gpus = {}, {}
    for one, node in ((APP, "n1"), (OTHER, "n1" if same_node else "n2")):
        for i in range(2):
            key = f"{one.namespace}/{one.name}-{i}"
            pods[key] = Pod(one.namespace, f"{one.name}-{i}", node, one, "Running", True, 1.0)
            gpus[f"G-{one.name}-{i}"] = Gpu(f"G-{one.name}-{i}", node, f"{i + 4 * (one is OTHER)}", "H100", key)
    nodes = ("n1",) if same_node else ("n1", "n2")
    scalers = tuple(Autoscaler(one.namespace, one.name, one) for one in (APP, OTHER))
    topology = Topology(pods, gpus, nodes, scalers, (), {APP: "vllm", OTHER: "vllm"})
    values: dict[Ask, dict[str, Any]] = {}
    for subject, world in worlds:
        for name, told in world.items():
            ask = parse_ask(name)
            keys = topology.parts(subject, ask.signal.per)
            each = told if isinstance(told, list) else [told] * len(keys)
            found = {
                key: one if isinstance(one, str) else float(one)
                for key, one in zip(keys, each, strict=True)
                if one is not None
            }
            values.setdefault(ask, {}).update(found)
    columns = {ask: Column(ask, (Part("scene", f"query of {ask}", NOW, found),), GONE) for ask, found in values.items()}
    whole = {ask: columns.get(ask, Column(ask, (), GONE)) for ask in {*asks(), *columns}}
    return Snapshot(NOW, topology, whole, sources or (SourceState("Prometheus", None, 1),))
