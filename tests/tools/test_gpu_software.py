"""Faults of the software under a GPU: who is looked at, what they explain, and which lines of logs tell of them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import NOW, scene
from tests.tools.worlds import World
from tools.columns import Column, Part
from tools.diagnose import Diagnosis, diagnose
from tools.log_lines import matches
from tools.measure import measure
from tools.reading import Blind, Reason, Subject
from tools.signals import GPU_UTIL, NODE_GPUS, Signal
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.gpu_health import GPU_TEMPERATURE, GPU_VANISHED
from tools.vocabulary.gpu_software import (
    LOG_CUDA_FAULT,
    LOG_DEVICE_GONE,
    LOG_FABRIC,
    LOG_GPU_LOST,
    LOG_VERSIONS,
    NODE_GPUS_PROMISED,
    PATTERNS,
)

N1, N2 = Subject("node", "", "n1"), Subject("node", "", "n2")
GPU = Subject("gpu", "", "n1/0")
MISMATCH = {**scene("driver_library_mismatch")["fires"]}
NO_PLUGIN = {**scene("device_plugin_missing")["fires"]}
NO_FABRIC = {**scene("fabric_manager_not_ready")["fires"]}
GONE_GPU = {**scene("gpu_fell_off_bus")["fires"]}
LOST = {**scene("container_lost_gpu")["fires"]}
FAULT = {**scene("xid_application")["fires"]}
CRASH = {"pod.waiting_reason now": "CrashLoopBackOff", "pod.restarts now": 5}
COUNT = "Unexpected error from cudaGetDeviceCount(). Did you run some cuda functions before calling NumCudaDevices()?"
SILENT = {"node.gpus_reporting now": 0, "node.gpus now": 2, "node.ready now": 1}
PENDING = {
    "pod.pending_for now": 900,
    "pod.unschedulable now": "0/2 nodes are available: 2 Insufficient nvidia.com/gpu.",
    "pod.gpu_request now": 1,
}


def roots(told: Diagnosis) -> set[str]:
    return {finding.key for finding in told.findings if finding.root}


def without_gpus(taken: Snapshot, promised: float) -> Snapshot:
    """The same snapshot on a node that no exporter and no kubelet says to have GPUs."""
    bare = replace(taken.topology, gpus={})
    ask = NODE_GPUS_PROMISED.now
    labels = Column(ask, (Part("scene", "labels", NOW, {"n1": promised, "n2": 0.0}),), taken.columns[ask].absent)
    has = replace(taken.columns[NODE_GPUS.now], parts=(Part("scene", "nodes", NOW, {"n1": 0.0, "n2": 0.0}),))
    return replace(taken, topology=bare, columns={**taken.columns, ask: labels, NODE_GPUS.now: has})


def test_a_node_that_only_its_labels_say_to_have_gpus_is_looked_at() -> None:
    taken = two((N1, NO_PLUGIN))
    assert roots(diagnose(without_gpus(taken, 8.0))) == {f"device_plugin_missing@{N1}"}
    assert roots(diagnose(without_gpus(taken, 0.0))) == set()


def test_a_mismatch_is_the_one_headline_of_what_it_does_to_the_node() -> None:
    broken = {**MISMATCH, **NO_PLUGIN, **SILENT, "node.gpus_allocatable now": 0, "node.plugin now": "plugin: not ready"}
    told = diagnose(two((N1, broken), (OTHER, PENDING)))
    assert roots(told) == {f"driver_library_mismatch@{N1}"}
    assert {finding.id for finding in told.findings} >= {
        "device_plugin_missing", "exporter_down", "gpu_unhealthy_not_allocatable", "pending_insufficient_gpu",
    }  # fmt: skip


def test_a_mismatch_explains_the_exporter_and_what_waits_without_the_plugins_help() -> None:
    told = diagnose(two((N1, {**MISMATCH, **SILENT}), (OTHER, PENDING)))
    assert roots(told) == {f"driver_library_mismatch@{N1}"}
    assert {finding.id for finding in told.findings} == {
        "driver_library_mismatch", "exporter_down", "pending_insufficient_gpu",
    }  # fmt: skip


def test_a_missing_plugin_explains_the_pods_that_wait_and_no_other_nodes_exporter() -> None:
    told = diagnose(two((N1, NO_PLUGIN), (N2, {**SILENT, "node.gpus_reporting now": 0}), (OTHER, PENDING)))
    assert roots(told) == {f"device_plugin_missing@{N1}", f"exporter_down@{N2}"}


def test_a_mismatch_does_not_swallow_the_crash_on_another_node() -> None:
    told = diagnose(two((N1, MISMATCH), (OTHER, CRASH)))
    assert roots(told) == {f"driver_library_mismatch@{N1}", f"crash_loop@{OTHER}"}
    shared = diagnose(two((N1, {**MISMATCH, "pod.failing now": "CrashLoopBackOff"}), (APP, CRASH)))
    assert roots(shared) == {f"driver_library_mismatch@{N1}"}


def test_a_fabric_that_is_not_up_explains_the_crashes_on_its_node_alone() -> None:
    whole = {**NO_FABRIC, "pod.failing now": "CrashLoopBackOff"}
    told = diagnose(two((N1, whole), (APP, CRASH), (OTHER, CRASH)))
    assert roots(told) == {f"fabric_manager_not_ready@{N1}", f"crash_loop@{OTHER}"}


def test_an_xid_is_the_headline_of_the_gpu_that_vanished_with_it() -> None:
    xid = {"gpu.xid_last max 1h": [79, 0], "gpu.xid_last changes 1h": [1, 0]}
    alone = diagnose(two((N1, GONE_GPU), (APP, CRASH)))
    assert roots(alone) == {f"gpu_fell_off_bus@{N1}"}
    with_it = diagnose(two((N1, {**GONE_GPU, **xid}), (APP, CRASH)))
    assert roots(with_it) == {f"xid_critical@{GPU}"}
    assert f"gpu_fell_off_bus@{N1}" in {finding.key for finding in with_it.findings}


def test_a_container_without_its_gpu_is_the_cause_of_its_failure_and_the_gpus_fault_is_its() -> None:
    looping = {
        **LOST,
        **CRASH,
        "pod.terminated_ago now": 300,
        "pod.termination_reason now": "Error",
        "pod.exit_code now": 1,
    }
    assert roots(diagnose(two((APP, looping)))) == {f"container_lost_gpu@{APP}"}
    xid = {"gpu.xid_last max 1h": 79, "gpu.xid_last changes 1h": 1}
    assert roots(diagnose(two((APP, looping), (GPU, xid)))) == {f"xid_critical@{GPU}"}


def test_an_applications_xid_is_no_headline_beside_the_crash_that_it_belongs_to() -> None:
    ended = {"pod.termination_reason now": "Error", "pod.terminated_ago now": 600, "pod.exit_code now": 1}
    dead = {**ended, "pod.ready now": 1, "log.engine_dead now": "EngineDeadError: EngineCore encountered an issue."}
    codes = {name: told for name, told in FAULT.items() if name.startswith("gpu")}
    for crash in (dead, {**ended, **CRASH}):
        told = diagnose(two((GPU, codes), (APP, crash)))
        assert f"xid_application@{GPU}" not in roots(told)
        assert f"xid_application@{GPU}" in {finding.key for finding in told.findings}
    alone = diagnose(two((GPU, codes), (APP, ended)))
    assert roots(alone) == {f"xid_application@{GPU}"}
    assert alone.findings[0].severity == "low"


def test_a_gpu_that_vanished_is_told_from_those_that_report_and_those_that_are_new(
    prom: PromSource, worlds_by_name: Mapping[str, World]
) -> None:
    ask = GPU_VANISHED.now
    nobody = Blind(Reason.NOT_SET, "no cluster is set")
    taken = survey(prom, nobody, {ask}, worlds_by_name["vanished"].at)
    assert taken.read(ask, "GPU-gone").value == 1.0
    assert taken.read(ask, "GPU-here").value == 0.0
    steady = survey(prom, nobody, {ask}, worlds_by_name["sick"].at)
    assert steady.read(ask, "GPU-a").value == 0.0
    late = survey(prom, nobody, {ask}, worlds_by_name["true_labels"].at)
    assert {late.read(ask, key).value for key in late.topology.gpus} == {0.0}


def test_the_preferred_exporter_answers_whatever_was_asked_before(
    prom: PromSource, worlds_by_name: Mapping[str, World]
) -> None:
    asks = [GPU_TEMPERATURE.now, GPU_UTIL.now]
    answered = measure(prom, asks, worlds_by_name["side_by_side"].at).parts[GPU_UTIL.now]
    assert answered[0].source == "dcgm-exporter via Prometheus"
    assert len(answered) > 1


@pytest.mark.parametrize(
    ("signal", "text", "found"),
    [
        (LOG_VERSIONS, "Failed to initialize NVML: Driver/library version mismatch", True),
        (LOG_VERSIONS, "nvml init failed: Driver/library version mismatch", True),
        (LOG_VERSIONS, "pynvml.NVMLError_LibRmVersionMismatch: Driver/library version mismatch", True),
        (LOG_VERSIONS, "NVRM: API mismatch: the client has the version 535.247.01, but", True),
        (LOG_VERSIONS, "NVRM: API mismatch: the client has version 550.90.07, but", True),
        (LOG_VERSIONS, "Failed to initialize NVML: Unknown Error", False),
        (LOG_VERSIONS, "CUDA driver version is insufficient for CUDA runtime version", False),
        (LOG_GPU_LOST, "NVRM: Xid (PCI:0000:3b:00): 79, GPU has fallen off the bus.", True),
        (LOG_GPU_LOST, "pynvml.NVMLError_GpuIsLost: GPU is lost", True),
        (LOG_GPU_LOST, "Unable to determine the device handle for GPU0000:4F:00.0: Unknown Error", True),
        (LOG_GPU_LOST, "Unable to determine the device handle for GPU 0000:02:00.0: GPU is lost.  Reboot", True),
        (LOG_GPU_LOST, "NVRM: RmInitAdapter failed! (0x24:0x65:1423)", True),
        (LOG_GPU_LOST, "vGPU is lostless", False),
        (LOG_DEVICE_GONE, "Failed to initialize NVML: Unknown Error", True),
        (LOG_DEVICE_GONE, "pynvml.NVMLError_Unknown: Unknown Error", True),
        (LOG_DEVICE_GONE, "RuntimeError: CUDA error: no CUDA-capable device is detected", True),
        (LOG_DEVICE_GONE, "RuntimeError: No CUDA GPUs are available", True),
        (LOG_DEVICE_GONE, "Unable to determine the device handle for GPU0000:4F:00.0: Unknown Error", False),
        (LOG_DEVICE_GONE, "Failed to initialize NVML: Driver/library version mismatch", False),
        (LOG_FABRIC, f"RuntimeError: {COUNT} Error 802: system not yet initialized", True),
        (LOG_FABRIC, "RuntimeError: cuda runtime error (802) : system not yet initialized at THCGeneral.cpp:50", True),
        (LOG_FABRIC, "RuntimeError: CUDA error: system not yet initialized", True),
        (LOG_FABRIC, "code=802(cudaErrorSystemNotReady)", True),
        (LOG_FABRIC, f"{COUNT} Error 803: system has unsupported display driver / cuda driver combination", False),
        (LOG_FABRIC, f"{COUNT} Error 804: forward compatibility was attempted on non supported HW", False),
        (LOG_FABRIC, "the billing system not yet initialized", False),
        (LOG_CUDA_FAULT, "RuntimeError: CUDA error: an illegal memory access was encountered", True),
        (LOG_CUDA_FAULT, "torch.AcceleratorError: CUDA error: device-side assert triggered", True),
        (LOG_CUDA_FAULT, "CUDA error: unspecified launch failure", True),
        (LOG_CUDA_FAULT, "CUDA error: out of memory", False),
    ],
)
def test_lines_of_real_logs(signal: Signal, text: str, found: bool) -> None:
    assert bool(matches(f"before\n{text}\nafter")[signal]) is found


@pytest.mark.parametrize("signal", list(PATTERNS), ids=lambda signal: signal.name)
@pytest.mark.parametrize(
    "text", ["NVRM: API mismatch: the client has version 5" + "5" * 300_000, "GPU " * 200_000, "\x00☃" * 200_000]
)
def test_a_giant_line_costs_no_time(signal: Signal, text: str) -> None:
    started = time.process_time()
    PATTERNS[signal].search(text)
    assert time.process_time() - started < 2
