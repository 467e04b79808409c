"""Checks of GPUs over time: what is normal is no headline, and one true cause is one headline."""

from __future__ import annotations

from tests.tools.scenes import scene, snapshot
from tools.diagnose import Diagnosis, diagnose
from tools.reading import Subject

GPU = Subject("gpu", "", "n1/0")
APP = Subject("deployment", "team", "app")


def roots(told: Diagnosis) -> set[str]:
    return {finding.key for finding in told.findings if finding.root}


def test_what_is_normal_though_it_looks_wrong_is_told_and_is_no_headline() -> None:
    told = diagnose(snapshot(scene("decode_bandwidth_bound_normal")["fires"], APP))
    assert [(one.key, one.severity, one.root) for one in told.findings] == [
        (f"decode_bandwidth_bound_normal@{APP}", "info", False)
    ]


def test_a_real_fault_stands_before_what_is_normal() -> None:
    world = {
        **scene("decode_bandwidth_bound_normal")["fires"],
        **scene("thermal_throttle")["fires"],
        "gpu.util avg 10m": 0.99,
    }
    told = diagnose(snapshot(world, APP))
    assert [one.id for one in told.findings][-1] == "decode_bandwidth_bound_normal"
    assert {key.partition("@")[0] for key in roots(told)} == {"thermal_throttle"}


def test_exchange_over_pcie_in_spite_of_nvlink_is_one_headline() -> None:
    world = {
        **scene("nvlink_tp_bound")["fires"],
        "gpu.nvlink avg 10m": 0,
        "gpu.util avg 10m": 0.95,
        "gpu.pcie_rx avg 10m": 21,
        "gpu.pcie_tx avg 10m": 21,
        "gpu.pcie_most now": 26,
    }
    told = diagnose(snapshot(world, APP))
    assert roots(told) == {f"nvlink_tp_bound@{APP}"}
    assert {one.id for one in told.findings} == {"nvlink_tp_bound", "pcie_bound"}
