"""What nodes say of their GPUs, from raw objects of nodes and pods, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import START, stamp
from tools.readers import Listed
from tools.readers.gpu_nodes import read, silent_plugins
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary.gpu_health import NODE_GPUS_ALLOCATABLE
from tools.vocabulary.gpu_software import (
    FABRIC,
    GPU_START_SAID,
    NODE_CORDONED,
    NODE_DEVICES_GIVEN,
    NODE_GPUS_PROMISED,
    NODE_PLUGIN,
    NODE_SETTLED_FOR,
    POD_FAILING,
    VERSIONS,
)

HOOK = (
    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start"
    " container process: error during container init: error running prestart hook #0: exit status 1, stdout: , stderr: Auto-detected"
    " mode as 'legacy'\nnvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown"
)


def node(name: Any = "n1", allocatable: Any = None, labels: Any = None, **more: Any) -> dict[str, Any]:
    ready = {"type": "Ready", "status": "True", "lastTransitionTime": stamp(START - 7200)}
    return {
        "metadata": {"name": name, "labels": labels},
        "status": {"allocatable": {} if allocatable is None else allocatable, "conditions": [ready]},
        **more,
    }


def plugin(
    name: str = "nvidia-device-plugin-daemonset-7k2xq", on: str = "n1", ready: str = "True", **status: Any
) -> dict[str, Any]:
    condition = {"type": "Ready", "status": ready, "lastTransitionTime": stamp(START - 600)}
    return {
        "metadata": {"namespace": "gpu", "name": name},
        "spec": {"nodeName": on},
        "status": {"conditions": [condition], **status},
    }


def waiting(reason: str, *, ended: str = "", said: str = "") -> dict[str, Any]:
    last = {"terminated": {"exitCode": 128, "reason": "StartError", "message": ended}} if ended else {}
    return {"name": "c", "ready": False, "state": {"waiting": {"reason": reason, "message": said}}, "lastState": last}


def facts(key: str, *, nodes: list[Any] | None = None, pods: list[Any] | None = None) -> dict[Signal, float | str]:
    items = {"nodes": [node()] if nodes is None else nodes, **({} if pods is None else {"pods": pods})}
    found: dict[Signal, float | str] = {}
    for told in read(Listed(START, items)):
        assert told.kind in items
        if told.key == key:
            found |= told.facts
    return found


def test_what_a_node_can_give_is_read_and_nothing_is_invented() -> None:
    assert facts("n1", nodes=[node(allocatable={"nvidia.com/gpu": "7"})])[NODE_GPUS_ALLOCATABLE] == 7.0
    assert NODE_GPUS_ALLOCATABLE not in facts("n1", nodes=[node(allocatable={"cpu": "4"})])


@pytest.mark.parametrize(
    ("allocatable", "given"),
    [
        ({"nvidia.com/gpu": "0", "cpu": "8"}, 0.0),
        ({"nvidia.com/gpu": "0", "nvidia.com/mig-1g.10gb": "7"}, 7.0),
        ({"nvidia.com/gpu.shared": "20"}, 20.0),
        ({"nvidia.com/hostdev": "8", "nvidia.com/gpu": "2"}, 2.0),
        ({"amd.com/gpu": "8"}, 0.0),
    ],
)
def test_instances_and_shares_of_gpus_are_given_too(allocatable: dict[str, str], given: float) -> None:
    assert facts("n1", nodes=[node(allocatable=allocatable)])[NODE_DEVICES_GIVEN] == given


@pytest.mark.parametrize("value", [None, True, [], {}, "many", "", "NaN"])
def test_what_is_no_number_is_absent(value: object) -> None:
    assert NODE_GPUS_ALLOCATABLE not in facts("n1", nodes=[node(allocatable={"nvidia.com/gpu": value})])


@pytest.mark.parametrize(
    ("labels", "promised"),
    [
        ({"nvidia.com/gpu.count": "8", "nvidia.com/gpu.present": "true"}, 8.0),
        ({"nvidia.com/gpu.present": "true"}, 1.0),
        ({"feature.node.kubernetes.io/pci-10de.present": "true"}, 1.0),
        ({"feature.node.kubernetes.io/pci-0302_10de.present": "true"}, 1.0),
        ({"feature.node.kubernetes.io/pci-0200_10de.present": "true"}, 0.0),
        ({"feature.node.kubernetes.io/pci-10de.present": "false"}, 0.0),
        ({"feature.node.kubernetes.io/pci-10de.present": "true", "nvidia.com/gpu.count": "0"}, 0.0),
        ({"cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, 1.0),
        ({"k8s.amazonaws.com/accelerator": "nvidia-tesla-v100"}, 1.0),
        ({"karpenter.k8s.aws/instance-gpu-count": "4", "karpenter.k8s.aws/instance-gpu-manufacturer": "nvidia"}, 4.0),
        ({"karpenter.k8s.aws/instance-gpu-count": "4", "karpenter.k8s.aws/instance-gpu-manufacturer": "amd"}, 0.0),
        ({"nvidia.com/gpu.present": "true", "nvidia.com/gpu.deploy.device-plugin": "false"}, 0.0),
        ({"nvidia.com/gpu.present": "true", "nvidia.com/gpu.deploy.operands": "false"}, 0.0),
        ({"nvidia.com/gpu.count": "8", "nvidia.com/gpu.workload.config": "vm-passthrough"}, 0.0),
        ({"nvidia.com/gpu.count": "8", "nvidia.com/gpu.workload.config": "container"}, 8.0),
        ({"nvidia.com/gpu.present": "false"}, 0.0),
        ({"nvidia.com/gpu.count": "-3"}, 0.0),
        ({"nvidia.com/gpu.count": "0", "nvidia.com/gpu.present": "true", "nvidia.com/gpu.product": "NVIDIA-L4"}, 0.0),
        ({"nvidia.com/gpu.count": "0", "karpenter.k8s.aws/instance-gpu-count": "4"}, 4.0),
        ({"nvidia.com/gpu.count": "0", "cloud.google.com/gke-accelerator": "nvidia-h100-80gb"}, 1.0),
        ({"kubernetes.io/os": "linux"}, 0.0),
        (None, 0.0),
        ("a text", 0.0),
    ],
)
def test_what_labels_promise(labels: Any, promised: float) -> None:
    assert facts("n1", nodes=[node(labels=labels)])[NODE_GPUS_PROMISED] == promised


def test_nothing_is_promised_where_dynamic_allocation_hands_out_the_gpus() -> None:
    labelled = node(labels={"nvidia.com/gpu.count": "8"})
    driver = plugin("nvidia-dra-driver-gpu-kubelet-plugin-x1x1x")
    assert facts("n1", nodes=[labelled], pods=[driver])[NODE_GPUS_PROMISED] == 0.0
    elsewhere = plugin("nvidia-dra-driver-gpu-kubelet-plugin-x1x1x", on="n2")
    assert facts("n1", nodes=[labelled], pods=[elsewhere])[NODE_GPUS_PROMISED] == 8.0


def test_a_cordon_is_told() -> None:
    assert facts("n1", nodes=[node(spec={"unschedulable": True})])[NODE_CORDONED] == 1.0
    assert facts("n1")[NODE_CORDONED] == 0.0


@pytest.mark.parametrize(
    ("pods", "said"),
    [
        ([], NONE),
        ([plugin("rdma-shared-dp-ds-abcde"), plugin("amdgpu-device-plugin-daemonset-abcde")], NONE),
        ([plugin(on="n2")], NONE),
        ([plugin()], ""),
        ([plugin("nvidia-gpu-device-plugin-small-cos-x2x2x")], ""),
        ([plugin("nvdp-nvidia-device-plugin-x2x2x")], ""),
        ([plugin(ready="False"), plugin("nvidia-device-plugin-daemonset-new00")], ""),
        (
            [plugin(ready="False", containerStatuses=[waiting("CrashLoopBackOff")])],
            "nvidia-device-plugin-daemonset-7k2xq: CrashLoopBackOff",
        ),
        (
            [
                plugin(
                    ready="False",
                    initContainerStatuses=[waiting("RunContainerError")],
                    containerStatuses=[waiting("PodInitializing")],
                )
            ],
            "nvidia-device-plugin-daemonset-7k2xq: RunContainerError",
        ),
        ([plugin(ready="False")], "nvidia-device-plugin-daemonset-7k2xq: not ready"),
    ],
)
def test_how_the_device_plugin_of_a_node_is(pods: list[Any], said: str) -> None:
    assert facts("n1", pods=pods)[NODE_PLUGIN] == said


def test_without_pods_nothing_is_said_of_plugins() -> None:
    assert NODE_PLUGIN not in facts("n1")


def test_a_node_has_settled_since_it_or_its_plugin_changed() -> None:
    assert facts("n1", pods=[])[NODE_SETTLED_FOR] == 7200.0
    assert facts("n1", pods=[plugin()])[NODE_SETTLED_FOR] == 600.0
    assert facts("n1", pods=[plugin(on="n2")])[NODE_SETTLED_FOR] == 7200.0
    young = {"metadata": {"name": "n1", "creationTimestamp": stamp(START - 60)}, "status": {}}
    assert facts("n1", nodes=[young])[NODE_SETTLED_FOR] == 60.0
    assert NODE_SETTLED_FOR not in facts("n1", nodes=[{"metadata": {"name": "n1"}}])


def ended(code: Any, ago: float = 300.0, *, ready: bool = False, state: str = "lastState") -> dict[str, Any]:
    return {"name": "c", "ready": ready, state: {"terminated": {"exitCode": code, "finishedAt": stamp(START - ago)}}}


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ({"containerStatuses": [waiting("CrashLoopBackOff")]}, "CrashLoopBackOff"),
        ({"initContainerStatuses": [waiting("RunContainerError")]}, "RunContainerError"),
        ({"containerStatuses": [waiting("ContainerCreating")]}, ""),
        ({"containerStatuses": [ended(1)]}, "it ended with exit code 1"),
        ({"containerStatuses": [ended(1, state="state")]}, "it ended with exit code 1"),
        ({"containerStatuses": [ended(1, ready=True)]}, ""),
        ({"containerStatuses": [ended(1, ago=7200)]}, ""),
        ({"containerStatuses": [ended(0)]}, ""),
        ({"containerStatuses": [{"name": "c", "lastState": {"terminated": {"exitCode": 1}}}]}, ""),
        ({"containerStatuses": [ended("☃" * 1000)]}, "it ended with exit code " + "☃" * 36),
        ({"containerStatuses": "none"}, ""),
        ({}, ""),
    ],
)
def test_how_a_pod_fails(status: dict[str, Any], said: str) -> None:
    assert facts("gpu/a", pods=[plugin("a", **status)])[POD_FAILING] == said


@pytest.mark.parametrize(
    ("of", "silent"),
    [
        (node(labels={"nvidia.com/gpu.count": "8"}), True),
        (node(allocatable={"nvidia.com/gpu": "0"}, labels={"nvidia.com/gpu.present": "true"}), True),
        (node(allocatable={"nvidia.com/gpu": "7"}, labels={"nvidia.com/gpu.count": "8"}), False),
        (node(allocatable={"nvidia.com/mig-1g.10gb": "7"}, labels={"nvidia.com/gpu.count": "8"}), False),
        (node(), False),
        (node("n2", labels={"nvidia.com/gpu.count": "8"}), False),
        ({"metadata": {"name": "n1"}, "status": {"capacity": {"nvidia.com/gpu": "2"}, "allocatable": {}}}, True),
        ({"metadata": {"name": "n1"}, "status": {"capacity": {"nvidia.com/gpu": "2"}}}, False),
    ],
)
def test_a_plugin_that_runs_on_a_node_without_a_gpu_to_give_is_silent(of: dict[str, Any], silent: bool) -> None:
    pods = [plugin("nvidia-device-plugin-daemonset-a"), plugin("app"), plugin("nvdp-b", ready="False")]
    assert silent_plugins([of], pods) == ({"gpu/nvidia-device-plugin-daemonset-a"} if silent else frozenset())
    told = facts("gpu/nvidia-device-plugin-daemonset-a", nodes=[of], pods=pods)[POD_FAILING]
    assert bool(told) is silent


def test_the_words_of_the_runtime_are_found_at_the_end_of_its_long_message() -> None:
    for status in (waiting("RunContainerError", said=HOOK), waiting("CrashLoopBackOff", ended=HOOK)):
        said = facts("gpu/a", pods=[plugin("a", containerStatuses=[status])])[GPU_START_SAID]
        assert (
            said == "nvidia-container-cli: initialization error: nvml error: driver/library version mismatch: unknown"
        )
        assert VERSIONS.search(str(said))
        assert not FABRIC.search(str(said))


def test_a_container_that_runs_again_says_nothing_of_its_former_start() -> None:
    runs = {"name": "c", "ready": True, "state": {"running": {}}, "lastState": {"terminated": {"message": HOOK}}}
    assert facts("gpu/a", pods=[plugin("a", containerStatuses=[runs])])[GPU_START_SAID] == ""
    other = waiting("CreateContainerError", said="executable file not found in $PATH")
    assert facts("gpu/a", pods=[plugin("a", containerStatuses=[other])])[GPU_START_SAID] == ""


def test_a_huge_or_strange_message_is_cut() -> None:
    huge = waiting("RunContainerError", said="nvidia-container-cli: " + "☃" * 100_000)
    assert len(str(facts("gpu/a", pods=[plugin("a", containerStatuses=[huge])])[GPU_START_SAID])) <= 300
    strange = {"name": "c", "state": {"waiting": {"message": {"nvidia-container-cli": 1}}}}
    assert facts("gpu/a", pods=[plugin("a", containerStatuses=[strange])])[GPU_START_SAID] == ""


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"metadata": None, "status": 3},
        {"status": {"allocatable": {"nvidia.com/gpu": "1"}}},
        {"metadata": {"name": ""}, "status": {"conditions": "Ready"}},
    ],
)
def test_broken_nodes_and_pods_tell_nothing(broken: dict[str, Any]) -> None:
    assert list(read(Listed(START, {"nodes": [broken], "pods": [broken]}))) == []
