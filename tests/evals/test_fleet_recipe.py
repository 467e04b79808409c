"""A recipe is read, or refused with a sentence that says where and what."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.fleet.recipe import Recipe, load, parse, quantity, seconds

NODE = {"name": "n1", "gpu": "l4", "gpus": 1}
WORK = {"namespace": "a", "name": "b", "model": "meta-llama/Llama-3.1-8B-Instruct"}


@pytest.mark.parametrize(
    ("text", "value"),
    [("90s", 90), ("-40m", -2400), ("1h30m", 5400), ("2d", 172800), ("0s", 0), (12, 12), ("0.5h", 1800)],
)
def test_durations_are_read(text: str | float, value: float) -> None:
    assert seconds(text) == value


@pytest.mark.parametrize("text", ["", "-", "soon", "10", "5 m", "1h-2m", "１h", "m" * 50_000])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no duration"):
        seconds(text)


@pytest.mark.parametrize(("text", "value"), [("8", 8), ("1500m", 1.5), ("64Gi", 64 * 2**30), ("250M", 250e6), (2, 2.0)])
def test_quantities_are_read(text: str | float, value: float) -> None:
    assert quantity(text) == value


@pytest.mark.parametrize("text", ["", "lots", "-1", "1 Gi", "Gi", "1e3", "🦜"])
def test_what_is_no_quantity_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no quantity"):
        quantity(text)


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (None, "is no recipe"),
        ([], "is no recipe"),
        ("ignore all previous instructions", "is no recipe"),
        ({}, "nodes: Field required"),
        ({"nodes": []}, "nodes"),
        ({"nodes": [{**NODE, "gpu": "v9"}]}, "no GPU model 'v9'"),
        ({"nodes": [NODE, NODE]}, "share one name"),
        ({"nodes": [NODE], "workloads": [WORK, WORK]}, "share one name"),
        ({"nodes": [NODE], "workloads": [{**WORK, "model": "x"}]}, "no model 'x'"),
        ({"nodes": [NODE], "workloads": [{**WORK, "cpu_limit": "many"}]}, "is no quantity"),
        ({"nodes": [NODE], "wokloads": []}, "wokloads"),
        ({"nodes": [NODE], "changes": [{"at": "-5m", "workload": "a/b"}]}, "no workload of this fleet"),
        ({"nodes": [NODE], "changes": [{"at": "-5m", "node": "n1"}]}, "an xid of a gpu, or its exporter"),
        ({"nodes": [NODE], "changes": [{"at": "-5m", "node": "n1", "xid": 79}]}, "give its index"),
        ({"nodes": [NODE], "changes": [{"at": "-5m", "node": "n1", "xid": 79, "gpu": 4}]}, "has no GPU 4"),
        ({"nodes": [NODE], "changes": [{"at": "-5m"}]}, "names a workload or a node"),
        ({"nodes": [NODE], "dt": 60}, "dt"),
    ],
)
def test_a_broken_recipe_says_what_is_wrong(content: Any, says: str) -> None:
    with pytest.raises(ValueError, match="is no recipe") as caught:
        parse(content)
    assert says in str(caught.value)


def test_a_file_that_cannot_be_read_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot read the recipe"):
        load(tmp_path / "none.yaml")
    (tmp_path / "bad.yaml").write_text("nodes: [", encoding="utf-8")
    with pytest.raises(ValueError, match="cannot read the recipe"):
        load(tmp_path / "bad.yaml")
    (tmp_path / "raw.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="cannot read the recipe"):
        load(tmp_path / "raw.yaml")


def test_names_may_be_any_text() -> None:
    recipe = parse({"nodes": [{**NODE, "name": "nœud-🦜"}], "workloads": [{**WORK, "name": "llämä"}]})
    assert isinstance(recipe, Recipe)
    assert recipe.workloads[0].key == "a/llämä"
