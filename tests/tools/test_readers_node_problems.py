"""Bad conditions of nodes, on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import stamp
from tools.readers import Listed
from tools.readers.node_problems import LONGEST, read
from tools.signals import Signal
from tools.vocabulary.node_problems import DISK_NOT_CLEARED, NODE_DISK_PRESSURE, NODE_PROBLEM, NODE_PROBLEM_FOR

NOW = 1_790_000_000.0
AGO_10 = "2026-09-21T14:03:20Z"


def facts(*conditions: Any) -> dict[Signal, float | str]:
    found: dict[Signal, float | str] = {}
    node = {"metadata": {"name": "n1"}, "status": {"conditions": list(conditions)}}
    for told in read(Listed(NOW, {"nodes": [node]})):
        assert told.key == "n1"
        found.update(told.facts)
    return found


def condition(kind: str, status: str, reason: str = "", message: str = "") -> dict[str, str]:
    return {"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": AGO_10}


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("KernelDeadlock", "True", "DockerHung"),
        ("ReadonlyFilesystem", "True", "FilesystemIsReadOnly"),
        ("FrequentContainerdRestart", "True", "FrequentContainerdRestart"),
        ("AcceleratedHardwareReady", "False", "NvidiaXID79Error"),
        ("XIDErrors", "True", "XIDErrorsDetected"),
        ("GPUMissing", "True", "GPUMissing"),
        ("XfsShutdown", "True", "XfsHasShutDown"),
        ("GpuThermalWatch", "True", "GpuThermalWatchIsNotHealthy"),
    ],
)
def test_what_is_bad(kind: str, status: str, reason: str) -> None:
    found = facts(condition(kind, status, reason, "see there"))
    assert found[NODE_PROBLEM] == f"{kind}={status} ({reason}): see there"
    assert found[NODE_PROBLEM_FOR] == 600.0


@pytest.mark.parametrize(
    ("kind", "status", "reason"),
    [
        ("KernelDeadlock", "False", "KernelHasNoDeadlock"),
        ("ReadonlyFilesystem", "Unknown", ""),
        ("AcceleratedHardwareReady", "True", "NvidiaAcceleratedHardwareIsReady"),
        ("EtcdIsVoter", "True", "MemberNotLearner"),
        ("VMEventScheduled", "True", "FreezeScheduled"),
        ("GpuThermalWatch", "False", "GpuThermalWatchIsHealthy"),
        ("Ready", "False", "KubeletNotReady"),
        ("DiskPressure", "True", "KubeletHasDiskPressure"),
        ("NetworkUnavailable", "False", "CalicoIsUp"),
    ],
)
def test_what_is_not(kind: str, status: str, reason: str) -> None:
    found = facts(condition(kind, status, reason))
    assert found[NODE_PROBLEM] == ""
    assert NODE_PROBLEM_FOR not in found


@pytest.mark.parametrize(
    ("kind", "there", "told"),
    [
        ("FabricOdd", ["False", "False"], True),
        # As many as not, everybody, a node that is alone, and others that say nothing.
        ("FabricOdd", ["False"], False),
        ("FabricOdd", ["True", "True"], False),
        ("FabricOdd", [], False),
        ("FabricOdd", ["Unknown", "Unknown"], False),
        ("BurnInDone", ["False", "False"], False),
        ("VMEventScheduled", ["False", "False"], False),
        ("DiskPressure", ["False", "False"], False),
    ],
)
def test_a_condition_of_an_unknown_name_is_told_where_few_have_it(kind: str, there: list[str], told: bool) -> None:
    nodes = [
        {"metadata": {"name": f"n{number}"}, "status": {"conditions": [condition(kind, status, "Odd")]}}
        for number, status in enumerate(["True", *there])
    ]
    found = {one.key: one.facts[NODE_PROBLEM] for one in read(Listed(NOW, {"nodes": nodes}))}
    assert found.pop("n0") == (f"{kind}=True (Odd)" if told else "")
    assert not any(found.values())


@pytest.mark.parametrize(
    ("status", "told"), [("True", "KubeletHasDiskPressure: it is full"), ("False", ""), ("Unknown", "")]
)
def test_the_kubelet_tells_of_its_disk(status: str, told: str) -> None:
    found = facts(condition("DiskPressure", status, "KubeletHasDiskPressure", "it is  full"))
    assert found[NODE_DISK_PRESSURE] == told
    assert found[NODE_PROBLEM] == ""


def test_a_node_that_says_nothing_of_its_disk_leaves_that_open() -> None:
    assert NODE_DISK_PRESSURE not in facts(condition("Ready", "True"))
    assert facts(condition("DiskPressure", "True"))[NODE_DISK_PRESSURE] == "no reason given"


@pytest.mark.parametrize(
    ("reason", "of", "ago", "told"),
    [
        ("ImageGCFailed", {"kind": "Node", "name": "n1"}, 600, True),
        ("FreeDiskSpaceFailed", {"kind": "Node", "name": "n1"}, 600, True),
        ("FreeDiskSpaceFailed", {"kind": "Node", "name": "n2"}, 600, False),
        ("FreeDiskSpaceFailed", {"kind": "Pod", "name": "n1"}, 600, False),
        ("FreeDiskSpaceFailed", {"kind": "Node", "name": "n1"}, 3600, False),
        ("FreeDiskSpaceFailed", {"kind": "Node", "name": "n1"}, -600, False),
        ("ImageGCSucceeded", {"kind": "Node", "name": "n1"}, 600, False),
        ("FreeDiskSpaceFailed", None, 600, False),
    ],
)
def test_the_kubelet_tells_of_images_that_it_could_not_delete(
    reason: str, of: dict[str, str] | None, ago: float, told: bool
) -> None:
    said = "Failed to garbage collect required amount of images."
    event = {"reason": reason, "message": said, "involvedObject": of, "lastTimestamp": stamp(NOW - ago)}
    node = {"metadata": {"name": "n1"}}
    found = {
        signal: value
        for one in read(Listed(NOW, {"nodes": [node], "events": [event, {}]}))
        for signal, value in one.facts.items()
    }
    assert found[DISK_NOT_CLEARED] == (said if told else "")
    unlisted = [one.facts for one in read(Listed(NOW, {"nodes": [node]}))]
    assert not any(DISK_NOT_CLEARED in one for one in unlisted)


def test_several_are_told_together_since_the_first() -> None:
    late = {**condition("XIDErrors", "True", "x"), "lastTransitionTime": "2026-09-21T14:08:20Z"}
    found = facts(late, condition("KernelDeadlock", "True", "y"))
    assert found[NODE_PROBLEM] == "KernelDeadlock=True (y); XIDErrors=True (x)"
    assert found[NODE_PROBLEM_FOR] == 600.0


def test_hostile_conditions() -> None:
    assert facts(None, 3, {}, {"type": ["x"], "status": None}) == {NODE_PROBLEM: ""}
    assert NODE_PROBLEM_FOR not in facts({"type": "KernelDeadlock", "status": "True", "lastTransitionTime": "soon"})
    assert len(str(facts(condition("KernelDeadlock", "True", "x", "y" * 5000))[NODE_PROBLEM])) == LONGEST


def test_a_node_without_a_name_is_left_out() -> None:
    assert list(read(Listed(NOW, {"nodes": [{"status": {}}]}))) == []
