"""Worlds for checks: a snapshot of one workload, its node and its GPUs, made of the values that a scene names."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import yaml

from tools.casebook import asks
from tools.columns import Column, Part
from tools.reading import Blind, Reason, Subject
from tools.signals import Ask, parse_ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import CLUSTER, Autoscaler, Gpu, Pod, Topology

SCENES = Path(__file__).parent.parent / "scenes"
NOW = 1_790_000_000.0
WORKLOAD = Subject("deployment", "team", "app")
SUBJECTS = {
    "workload": WORKLOAD,
    "node": Subject("node", "", "n1"),
    "gpu": Subject("gpu", "", "n1/0"),
    "cluster": CLUSTER,
}
GONE = Blind(Reason.NO_SERIES, "taken away")
REFUSED = Blind(Reason.FORBIDDEN, "not for us")


def scene(check: str) -> dict[str, Any]:
    """The scene of a check."""
    content = yaml.safe_load((SCENES / f"{check}.yaml").read_text(encoding="utf-8"))
    assert isinstance(content, dict)
    return content


def topology(replicas: int = 2, engine: str = "vllm") -> Topology:
    """One workload of some replicas with a GPU each, on one node."""
    pods = {f"team/app-{i}": Pod("team", f"app-{i}", "n1", WORKLOAD, "Running", True, 1.0) for i in range(replicas)}
    gpus = {f"GPU-{i}": Gpu(f"GPU-{i}", "n1", str(i), "H100", f"team/app-{i}") for i in range(replicas)}
    return Topology(pods, gpus, ("n1",), (Autoscaler("team", "app", WORKLOAD),), (WORKLOAD,), {WORKLOAD: engine})


def snapshot(
    world: Mapping[str, Any],
    subject: Subject,
    replicas: int = 0,
    without: Collection[str] = (),
    engine: str = "vllm",
) -> Snapshot:
    """A snapshot in which a subject's parts have the world's values: one for all of them, or a list, part by part.

    A value of None is one that the source refuses to tell.
    """
    whole = topology(replicas or max((len(one) for one in world.values() if isinstance(one, list)), default=2), engine)
    values = {parse_ask(name): value for name, value in world.items() if name not in without}
    columns: dict[Ask, Column] = {}
    for ask in {*asks(rules=True), *values}:
        parts: tuple[Part, ...] = ()
        if ask in values:
            keys = whole.parts(subject, ask.signal.per)
            told = values[ask]
            each = told if isinstance(told, list) else [told] * len(keys)
            found = {key: _value(one) for key, one in zip(keys, each, strict=True) if one is not None}
            refused = {key: REFUSED for key, one in zip(keys, each, strict=True) if one is None}
            parts = (Part("scene", f"query of {ask}", NOW, found, unseen=refused),)
        columns[ask] = Column(ask, parts, GONE)
    return Snapshot(NOW, whole, columns, (SourceState("Prometheus", None, 1),))


def _value(told: Any) -> float | str:
    return told if isinstance(told, str) else float(told)
