"""Since when a pod is not ready, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.turned import read
from tools.vocabulary.turned import UNREADY_FOR

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"


def unready(*conditions: Any, meta: Any = None) -> list[float | str]:
    pod = {"metadata": meta or {"namespace": "team", "name": "app-0"}, "status": {"conditions": list(conditions)}}
    return [told.facts[UNREADY_FOR] for told in read(Listed(NOW, {"pods": [pod]}))]


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
