"""GPUs over time: shares of a window however they are exported, what is normal is no headline, one true cause is one headline."""

from __future__ import annotations

import pytest

from tests.tools.scenes import scene, snapshot
from tests.tools.worlds import World
from tools.casebook import asks
from tools.diagnose import Diagnosis, diagnose
from tools.reading import Blind, Reason, Subject
from tools.signals import Ask
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.gpu_clocks import BRAKE, CAPPED, HEAT, POWER_LIMIT, SET_LOW, SM_CLOCK_PEERS
from tools.vocabulary.gpu_links import NVLINK, NVLINK_MOST, PCIE_MOST, PCIE_RX
from tools.vocabulary.gpu_reporting import ENERGY, HOLDERS, NAMES_HOLDER, PROFILED

NO_KUBE = Blind(Reason.NOT_SET, "no Kubernetes here")

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


def seen(prom: PromSource, worlds_by_name: dict[str, World], world: str, *wanted: Ask) -> Snapshot:
    return survey(prom, NO_KUBE, {*asks(), *wanted}, worlds_by_name[world].at)


@pytest.mark.parametrize(
    ("gpu", "heat", "brake", "capped"),
    [
        ("GPU-mask", 0.4, 0.0, 1.0),
        ("GPU-old", 0.0, 0.1, 0.0),
        ("GPU-ns", 0.6, 0.3, 0.9),
        ("GPU-violation", 0.25, None, 1.0),
        ("GPU-blank", None, None, None),
    ],
)
def test_how_long_a_clock_was_held_is_told_by_whatever_is_exported(
    prom: PromSource,
    worlds_by_name: dict[str, World],
    gpu: str,
    heat: float | None,
    brake: float | None,
    capped: float | None,
) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    for signal, value in ((HEAT, heat), (BRAKE, brake), (CAPPED, capped)):
        told = taken.read(signal.avg("10m"), gpu).value
        assert told == (None if value is None else pytest.approx(value, abs=0.06)), signal.name


def test_a_setting_is_told_by_its_bit_alone(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    assert taken.read(SET_LOW.avg("10m"), "GPU-old").value == pytest.approx(0.9, abs=0.06)
    assert taken.read(SET_LOW.avg("10m"), "GPU-mask").value == 0
    assert taken.read(SET_LOW.avg("10m"), "GPU-ns").blind is not None


def test_the_limit_in_force_stands_before_the_one_that_was_asked_for(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    assert taken.read(POWER_LIMIT.now, "GPU-violation").value == 500
    assert taken.read(POWER_LIMIT.now, "GPU-ns").value == 400


def test_a_counter_of_two_reasons_that_stands_still_tells_of_neither(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    assert taken.read(BRAKE.avg("10m"), "GPU-still").value == 0.0
    assert taken.read(CAPPED.avg("10m"), "GPU-still").value == 0.0
    assert taken.read(BRAKE.avg("10m"), "GPU-violation").blind is not None, "it may be either of the two"


def test_what_others_of_the_kind_run_at_is_told_of_each_that_tells_its_own(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    assert [taken.read(SM_CLOCK_PEERS.now, f"GPU-{one}").value for one in ("violation", "spared", "old")] == [
        1980,
        1980,
        None,
    ]


def test_links_are_told_in_gigabytes_a_second_with_what_the_model_has(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    taken = seen(prom, worlds_by_name, "clocks")
    assert [taken.read(PCIE_MOST.now, f"GPU-{one}").value for one in ("mask", "old", "ns")] == [52, 26, None]
    assert [taken.read(NVLINK_MOST.now, f"GPU-{one}").value for one in ("mask", "old")] == [900, 600]
    assert [taken.read(NVLINK.avg("10m"), f"GPU-{one}").value for one in ("mask", "old")] == [640, pytest.approx(220)]
    assert taken.read(PCIE_RX.avg("10m"), "GPU-mask").value == pytest.approx(21)
    assert taken.read(NVLINK.avg("10m"), "GPU-ns").blind == Blind(
        Reason.NOTHING_OBSERVED, "what would export it is not in use"
    )


def test_profiling_is_missed_where_others_of_the_kind_have_it_or_it_was_there(
    prom: PromSource, worlds_by_name: dict[str, World]
) -> None:
    taken = seen(prom, worlds_by_name, "reported")
    assert [taken.read(PROFILED.now, f"GPU-{one}").value for one in "abcd"] == [1, 0, None, 0]


def test_energy_that_stands_still_is_zero_and_not_missing(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    taken = seen(prom, worlds_by_name, "reported")
    assert [taken.read(ENERGY.increase("15m"), f"GPU-{one}").value for one in "bc"] == [0, pytest.approx(360_000)]


def test_the_exporters_own_pod_holds_no_gpu(prom: PromSource, worlds_by_name: dict[str, World]) -> None:
    taken = seen(prom, worlds_by_name, "reported")
    assert [taken.read(NAMES_HOLDER.now, f"GPU-{one}").value for one in "abcd"] == [1, 0, 0, 1]
    assert [taken.read(HOLDERS.now, f"GPU-{one}").value for one in "abcd"] == [2, 1, 1, 1]


def test_a_gpu_that_hangs_is_why_its_values_stand_still() -> None:
    xid = {"gpu.xid_last max 1h": 119, "gpu.xid_last changes 1h": 1}
    told = diagnose(snapshot({**scene("stale_metrics")["fires"], **xid}, Subject("node", "", "n1")))
    assert {key.partition("@")[0] for key in roots(told)} == {"xid_critical"}
    assert "stale_metrics" in {one.id for one in told.findings}
