"""Faults of the software under a GPU: who is looked at, what they explain, and which lines of logs tell of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import NOW, scene
from tools.columns import Column, Part
from tools.diagnose import Diagnosis, diagnose
from tools.log_lines import matches
from tools.reading import Subject
from tools.signals import NODE_GPUS, Signal
from tools.snapshot import Snapshot
from tools.vocabulary.gpu_software import LOG_VERSIONS, NODE_GPUS_PROMISED

N1, N2 = Subject("node", "", "n1"), Subject("node", "", "n2")
MISMATCH = {**scene("driver_library_mismatch")["fires"]}
NO_PLUGIN = {**scene("device_plugin_missing")["fires"]}
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


def test_a_missing_plugin_explains_the_pods_that_wait_and_no_other_nodes_exporter() -> None:
    told = diagnose(two((N1, NO_PLUGIN), (N2, {**SILENT, "node.gpus_reporting now": 0}), (OTHER, PENDING)))
    assert roots(told) == {f"device_plugin_missing@{N1}", f"exporter_down@{N2}"}


def test_a_mismatch_does_not_swallow_the_crash_on_another_node() -> None:
    crash = {"pod.waiting_reason now": "CrashLoopBackOff", "pod.restarts now": 5}
    told = diagnose(two((N1, MISMATCH), (OTHER, crash)))
    assert roots(told) == {f"driver_library_mismatch@{N1}", f"crash_loop@{OTHER}"}
    shared = diagnose(two((N1, {**MISMATCH, "pod.waiting_reason now": "CrashLoopBackOff"}), (APP, crash)))
    assert roots(shared) == {f"driver_library_mismatch@{N1}"}


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
    ],
)
def test_lines_of_real_logs(signal: Signal, text: str, found: bool) -> None:
    assert bool(matches(f"before\n{text}\nafter")[signal]) is found
