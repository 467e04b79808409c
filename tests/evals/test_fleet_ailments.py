"""GPUs that are throttled or ail, images that never arrive, flags that are gone, probes that kill: cause first, symptoms follow."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from evals.fleet import dcgm_series
from evals.fleet.engine import Engine
from evals.fleet.objects import Objects
from evals.fleet.recipe import parse
from evals.fleet.simulation import Simulation
from evals.fleet.startup import resolve

END = 1_770_000_000.0
Q7 = "Qwen/Qwen2.5-7B-Instruct"
BUSY = {"rate": 5, "prompt": {"mean": 600}, "answer": {"mean": 180}}


def lived(workload: dict[str, Any], *changes: dict[str, Any]) -> Simulation:
    content = {
        "history": "30m",
        "dt": 5,
        "nodes": [{"name": "c1", "cpu": "8", "memory": "64Gi"}, {"name": "g1", "gpu": "a100", "gpus": 4}],
        "workloads": [{"namespace": "a", "name": "x", "model": Q7, "cpu": "4", "memory": "40Gi", **workload}],
        "changes": changes,
    }
    simulation = Simulation(parse(content), END)
    simulation.advance(END)
    return simulation


def exposed(simulation: Simulation, gpu: int) -> dict[str, float]:
    found = dcgm_series.samples(simulation.machines["g1"].devices, "550", full=True)
    return {one.name: one.value for one in found if dict(one.labels)["gpu"] == str(gpu)}


def events(simulation: Simulation, reason: str) -> list[str]:
    return [h.message for h in simulation.events.at(simulation.now) if h.reason == reason]


def waiting(simulation: Simulation) -> dict[str, Any]:
    pod = simulation.workloads["a/x"].pods[0].name
    (item,) = [o for o in Objects(simulation).all() if o["kind"] == "Pod" and o["metadata"]["name"] == pod]
    state: dict[str, Any] = item["status"]["containerStatuses"][0]["state"]["waiting"]
    return state


@pytest.mark.parametrize(
    ("ailment", "reasons", "clock"),
    [("hot", 0x68, 510), ("power_brake", 0x88, 420), ("power_cap", 0x4, 870), ("locked", 0x2, 705)],
)
def test_a_slowed_gpu_says_why_and_its_engine_is_slower(ailment: str, reasons: int, clock: int) -> None:
    change = {"at": "-20m", "node": "g1", "gpu": 0, "ailment": ailment}
    slow = lived({"replicas": 2, "traffic": BUSY}, change)
    bad, good = exposed(slow, 0), exposed(slow, 1)
    assert (bad["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"], bad["DCGM_FI_DEV_SM_CLOCK"]) == (reasons, clock)
    assert (good["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"], good["DCGM_FI_DEV_SM_CLOCK"]) == (0, 1410)
    counter = "DCGM_FI_DEV_THERMAL_VIOLATION" if ailment == "hot" else "DCGM_FI_DEV_POWER_VIOLATION"
    assert (bad[counter] > 1e9) == (ailment != "locked")
    assert good[counter] == 0
    limits = (bad["DCGM_FI_DEV_ENFORCED_POWER_LIMIT"], bad["DCGM_FI_DEV_POWER_MGMT_LIMIT_DEF"])
    assert limits == (220 if ailment == "power_cap" else 400, 400)
    assert good["DCGM_FI_DEV_ENFORCED_POWER_LIMIT"] == 400
    assert (bad["DCGM_FI_DEV_GPU_TEMP"] >= 84) == (ailment == "hot")
    by_gpu = {pod.devices[0]: pod.engine for pod in slow.workloads["a/x"].pods}
    assert by_gpu[0] is not None
    assert by_gpu[1] is not None
    assert len(by_gpu[0].running) > 1.2 * len(by_gpu[1].running)


def test_lower_clocks_make_the_same_prompt_take_longer() -> None:
    (spec,) = parse({"nodes": [{"name": "g1"}], "workloads": [{"namespace": "a", "name": "x", "model": Q7}]}).workloads
    took = []
    for clocks in (1.0, 0.5):
        engine = Engine(resolve(spec, "a100"), None, 0.0)
        engine.clocks = clocks
        engine.step(1000.0, 4.0, np.array([[1000.0, 6000.0, 40.0, 0.0]]), 60.0)
        for step in range(1, 10):
            engine.step(1000.0 + 4.0 * step, 4.0, np.empty((0, 4)), 60.0)
        took.append(engine.stats.ttft.total)
    assert took[0] > 0.1
    assert took[1] == pytest.approx(2 * took[0], rel=0.15)


def test_a_cooler_that_is_mended_lets_the_gpu_run_again() -> None:
    fleet = lived(
        {"traffic": BUSY},
        {"at": "-25m", "node": "g1", "gpu": 0, "ailment": "hot"},
        {"at": "-10m", "node": "g1", "gpu": 0, "ailment": "well"},
    )
    now = exposed(fleet, 0)
    assert (now["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"], now["DCGM_FI_DEV_SM_CLOCK"]) == (0, 1410)
    assert now["DCGM_FI_DEV_THERMAL_VIOLATION"] > 1e9  # a counter stays where it is


@pytest.mark.parametrize(
    ("ailment", "shown"),
    [
        ("remap_pending", {"DCGM_FI_DEV_ROW_REMAP_PENDING": 1, "DCGM_FI_DEV_ROW_REMAP_FAILURE": 0}),
        ("remap_failed", {"DCGM_FI_DEV_ROW_REMAP_PENDING": 0, "DCGM_FI_DEV_ROW_REMAP_FAILURE": 1}),
        ("double_bit", {"DCGM_FI_DEV_ECC_DBE_VOL_TOTAL": 3, "DCGM_FI_DEV_ROW_REMAP_FAILURE": 0}),
    ],
)
def test_an_ailing_memory_is_exposed_on_its_gpu_only(ailment: str, shown: dict[str, float]) -> None:
    fleet = lived({"replicas": 2, "traffic": BUSY}, {"at": "-10m", "node": "g1", "gpu": 1, "ailment": ailment})
    bad, good = exposed(fleet, 1), exposed(fleet, 0)
    assert {name: bad[name] for name in shown} == shown
    assert all(good[name] == 0 for name in shown)
    assert bad["DCGM_FI_DEV_SM_CLOCK"] == 1410


def test_a_link_that_repeats_itself_is_counted() -> None:
    fleet = lived({"traffic": BUSY}, {"at": "-10m", "node": "g1", "gpu": 0, "ailment": "pcie"})
    assert exposed(fleet, 0)["DCGM_FI_DEV_PCIE_REPLAY_COUNTER"] > 500
    assert exposed(fleet, 1)["DCGM_FI_DEV_PCIE_REPLAY_COUNTER"] == 0


def test_a_link_keeps_its_lanes_unless_it_lost_some_and_rests_at_the_first_generation() -> None:
    fleet = lived({"traffic": BUSY}, {"at": "-10m", "node": "g1", "gpu": 0, "ailment": "narrow"})
    (pod,) = fleet.workloads["a/x"].pods
    working, idle = exposed(fleet, pod.devices[0]), exposed(fleet, 3)
    names = [f"DCGM_FI_DEV_PCIE_{name}" for name in ("LINK_WIDTH", "MAX_LINK_WIDTH", "LINK_GEN", "MAX_LINK_GEN")]
    assert [working[name] for name in names] == [4, 16, 4, 4]
    assert [idle[name] for name in names] == [16, 16, 1, 4]
    assert idle["DCGM_FI_DEV_CLOCK_THROTTLE_REASONS"] == 1, "at rest, which is no throttle"


def test_an_exporter_that_hears_nothing_of_a_gpu_repeats_itself() -> None:
    history = {"at": "-5m", "node": "g1", "gpu": 0, "ailment": "frozen"}
    fleet = lived({"replicas": 2, "traffic": BUSY}, history)
    frozen, alive = fleet.machines["g1"].devices[:2]
    assert frozen.energy - frozen.reading.energy > 4 * 60 * 60, "watts for minutes that nobody told"
    assert alive.energy - alive.reading.energy < 31 * 400


@pytest.mark.parametrize(("env", "over_nvlink"), [({}, True), ({"NCCL_P2P_DISABLE": "1"}, False)])
def test_ranks_exchange_over_pcie_where_peers_are_off(env: dict[str, str], over_nvlink: bool) -> None:
    parallel = {"gpus": 2, "args": {"tensor-parallel-size": 2, "max-model-len": 8192}, "env": env, "traffic": BUSY}
    fleet = lived(parallel)
    told = exposed(fleet, fleet.workloads["a/x"].pods[0].devices[0])
    assert (told["DCGM_FI_DEV_NVLINK_BANDWIDTH_TOTAL"] > 100) == over_nvlink
    assert (told["DCGM_FI_PROF_PCIE_TX_BYTES"] > 1e8) == (not over_nvlink)


def test_offloaded_weights_are_read_from_the_host_at_each_step() -> None:
    told = []
    for args in ({"max-model-len": 8192}, {"max-model-len": 8192, "cpu-offload-gb": 8}):
        fleet = lived({"args": args, "traffic": {**BUSY, "rate": 1}})
        (pod,) = fleet.workloads["a/x"].pods
        assert pod.engine is not None
        told.append((exposed(fleet, pod.devices[0]), pod.engine.config.kv_tokens, len(pod.engine.running)))
    (own, room, few), (hosted, more, many) = told
    assert own["DCGM_FI_PROF_PCIE_RX_BYTES"] < 1e9
    assert 15e9 < hosted["DCGM_FI_PROF_PCIE_RX_BYTES"] < 24.1e9
    assert hosted["DCGM_FI_PROF_PCIE_TX_BYTES"] < 1e9
    assert more > room, "what lies on the host leaves room for the cache"
    assert many > 3 * few


def test_a_board_at_full_load_touches_its_power_limit_at_its_full_clock() -> None:
    prompts = {"rate": 40, "prompt": {"mean": 3000}, "answer": {"mean": 20}}
    fleet = lived({"args": {"max-model-len": 8192}, "traffic": prompts})
    told = exposed(fleet, fleet.workloads["a/x"].pods[0].devices[0])
    assert told["DCGM_FI_DEV_POWER_VIOLATION"] > 1e9
    assert told["DCGM_FI_DEV_SM_CLOCK"] == told["DCGM_FI_DEV_MAX_SM_CLOCK"] == 1410


def test_what_is_not_in_the_exporters_default_list_is_exposed_on_request_only() -> None:
    names = {one.name for one in dcgm_series.samples(lived({}).machines["g1"].devices, "550")}
    assert "DCGM_FI_DEV_ROW_REMAP_FAILURE" in names
    assert not names & {"DCGM_FI_DEV_CLOCK_THROTTLE_REASONS", "DCGM_FI_DEV_ROW_REMAP_PENDING"}


@pytest.mark.parametrize(
    ("why", "words"), [("not_found", "x.example/a/b:1: not found"), ("denied", "pull access denied")]
)
def test_an_image_that_never_arrives_keeps_the_pod_pending(why: str, words: str) -> None:
    fleet = lived({"created": "-20m", "image": "x.example/a/b:1", "pull": why})
    (pod,) = fleet.workloads["a/x"].pods
    assert (pod.phase, pod.container.runs, pod.engine) == ("Pending", 0, None)
    state = waiting(fleet)
    assert state["reason"] == "ImagePullBackOff"
    assert words in state["message"]
    assert any(words in text for text in events(fleet, "Failed"))
    assert not any("x.example" in text for text in events(fleet, "Pulled"))


def test_a_flag_that_is_gone_ends_the_process_with_two() -> None:
    fleet = lived({"created": "-20m", "args": {"num-scheduler-steps": 8}})
    (pod,) = fleet.workloads["a/x"].pods
    assert pod.container.last is not None
    assert (pod.container.last.exit_code, pod.container.last.reason) == (2, "Error")
    text = "\n".join(line for _, line in [*(pod.previous or ()), *pod.log])
    assert "error: unrecognized arguments: --num-scheduler-steps=8" in text
    assert "Traceback" not in text


def test_a_liveness_probe_without_a_startup_probe_kills_a_slow_load_only() -> None:
    large = {
        "model": "Qwen/Qwen2.5-72B-Instruct",
        "gpus": 4,
        "args": {"tensor-parallel-size": 4, "max-model-len": 8192},
    }
    fleet = lived({**large, "created": "-25m", "startup_probe": False, "memory": "128Gi"})
    (pod,) = fleet.workloads["a/x"].pods
    assert pod.container.last is not None
    assert pod.container.last.exit_code == 137
    assert pod.container.restarts > 3
    assert any("failed liveness probe, will be restarted" in text for text in events(fleet, "Killing"))
    patient = lived({**large, "created": "-25m", "memory": "128Gi"})
    (other,) = patient.workloads["a/x"].pods
    assert other.container.restarts == 0
    assert other.container.ready
