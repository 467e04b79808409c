"""Since when a pod is not ready, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.turned import read
from tools.vocabulary.turned import SERVES_NOTHING, UNREADY_FOR

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"


def unready(*conditions: Any, meta: Any = None) -> list[float | str]:
    pod = {"metadata": meta or {"namespace": "team", "name": "app-0"}, "status": {"conditions": list(conditions)}}
    found = read(Listed(NOW, {"pods": [pod]}))
    return [told.facts[UNREADY_FOR] for told in found if UNREADY_FOR in told.facts]


def test_since_the_condition_turned() -> None:
    assert unready({"type": "Ready", "status": "False", "lastTransitionTime": AGO_10}) == [600.0]
    assert unready({"type": "Ready", "status": "Unknown", "lastTransitionTime": AGO_10}) == [600.0]
    assert unready({"type": "Ready", "status": "True", "lastTransitionTime": AGO_10}) == [0.0]


def test_a_clock_that_runs_ahead_makes_no_negative_time() -> None:
    assert unready({"type": "Ready", "status": "False", "lastTransitionTime": "2026-09-21T15:00:00Z"}) == [0.0]


@pytest.mark.parametrize(
    "condition",
    [
        {"type": "ContainersReady", "status": "False", "lastTransitionTime": AGO_10},
        {"type": "Ready", "status": "False"},
        {"type": "Ready", "status": "False", "lastTransitionTime": "soon"},
        "Ready",
        None,
    ],
)
def test_what_is_not_told_is_not_zero(condition: Any) -> None:
    assert unready(condition) == []


def test_a_pod_without_a_name_is_left_out() -> None:
    assert unready({"type": "Ready", "status": "True"}, meta={"namespace": "team"}) == []


@pytest.mark.parametrize(
    ("labels", "gpus", "idle"),
    [
        ({"ray.io/node-type": "worker", "ray.io/serve": "false"}, 0, 1.0),
        ({"ray.io/node-type": "worker", "ray.io/serve": "false"}, 1, 0.0),
        ({"ray.io/node-type": "worker", "ray.io/serve": "true"}, 0, 0.0),
        ({"ray.io/node-type": "head", "ray.io/serve": "false"}, 0, 0.0),
        ({"ray.io/node-type": "worker"}, 0, 0.0),
        (None, 0, 0.0),
        ("false", 0, 0.0),
    ],
)
def test_a_worker_of_ray_without_a_replica_serves_nothing_by_design(labels: Any, gpus: int, idle: float) -> None:
    container = {"name": "ray-worker", "resources": {"limits": {"nvidia.com/gpu": str(gpus)} if gpus else {}}}
    pod = {"metadata": {"namespace": "team", "name": "app-0", "labels": labels}, "spec": {"containers": [container]}}
    (told,) = read(Listed(NOW, {"pods": [pod]}))
    assert told.facts == {SERVES_NOTHING: idle}
