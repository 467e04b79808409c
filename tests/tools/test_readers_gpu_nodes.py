"""How many GPUs a node can give, from raw node objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.gpu_nodes import read
from tools.vocabulary.gpu_health import NODE_GPUS_ALLOCATABLE


def given(node: Any) -> dict[str, float | str]:
    return {told.key: told.facts[NODE_GPUS_ALLOCATABLE] for told in read(Listed(0.0, {"nodes": [node]}))}


def test_what_a_node_can_give_is_read_and_nothing_is_invented() -> None:
    node = {"metadata": {"name": "n1"}, "status": {"allocatable": {"nvidia.com/gpu": "7"}}}
    assert given(node) == {"n1": 7.0}
    assert given({"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4"}}}) == {}


@pytest.mark.parametrize("value", [None, True, [], {}, "many", "", "NaN"])
def test_what_is_no_number_is_absent(value: object) -> None:
    assert given({"metadata": {"name": "n1"}, "status": {"allocatable": {"nvidia.com/gpu": value}}}) == {}


@pytest.mark.parametrize(
    "node", [{}, {"metadata": None, "status": 3}, {"status": {"allocatable": {"nvidia.com/gpu": "1"}}}]
)
def test_broken_nodes_tell_nothing(node: dict[str, Any]) -> None:
    assert given(node) == {}
