"""Whether the GPU software of nodes is there, ready and the same on its neighbours, read from raw objects."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.worlds import stamp
from tools.readers import Listed
from tools.readers.gpu_stack import read
from tools.signals import Signal
from tools.vocabulary import readiness as told

H100 = {"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3"}


def node(name: str, driver: str = "", info: Any = None, **labels: str) -> dict[str, Any]:
    marks = {**H100, **({"nvidia.com/cuda.driver-version.full": driver} if driver else {})}
    marks |= {key.replace("__", "/").replace("_", "."): value for key, value in labels.items()}
    return {"metadata": {"name": name, "labels": marks}, "status": {"nodeInfo": info} if info else {}}


def stack(owner: str, host: str = "n1", ready: str = "True", kind: str = "DaemonSet") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "gpu", "name": f"{owner}-x", "ownerReferences": [{"kind": kind, "name": owner}]},
        "spec": {"nodeName": host},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def told_of(key: str, nodes: Any = (), pods: Any = None) -> dict[Signal, float | str]:
    items = {"nodes": list(nodes), **({} if pods is None else {"pods": list(pods)})}
    found: dict[Signal, float | str] = {}
    for one in read(Listed(0.0, items)):
        if one.key == key:
            found.update(one.facts)
    return found


def test_the_driver_that_differs_from_most() -> None:
    pool = [node("a", "550.54.15"), node("b", "580.95.05"), node("c", "580.95.05")]
    assert told_of("a", pool)[told.DRIVER_ODD] == "550.54.15 where 2 of 3 like it have 580.95.05"
    assert told_of("b", pool)[told.DRIVER_ODD] == ""
    assert told_of("a", pool)[told.DRIVER_BRANCH] == 550.0


def test_of_equally_many_the_newer_is_the_norm() -> None:
    pool = [node("a", "580.95.05"), node("b", "580.105.08")]
    assert told_of("a", pool)[told.DRIVER_ODD] == "580.95.05 where 1 of 2 like it have 580.105.08"
    assert told_of("b", pool)[told.DRIVER_ODD] == ""


def test_nodes_of_another_kind_are_not_compared() -> None:
    other = node("b", "580.95.05")
    other["metadata"]["labels"]["nvidia.com/gpu.product"] = "NVIDIA-L4"
    assert told_of("a", [node("a", "550.54.15"), other])[told.DRIVER_ODD] == ""
    unknown = [node("a", "1.2"), node("b", "3.4")]
    for one in unknown:
        del one["metadata"]["labels"]["nvidia.com/gpu.product"]
    assert told_of("a", unknown)[told.DRIVER_ODD] == ""


def test_a_node_without_a_driver_label_tells_none() -> None:
    found = told_of("a", [node("a"), node("b", "580.95.05")])
    assert told.DRIVER_ODD not in found
    assert told.DRIVER_BRANCH not in found
    parts = node("a")
    parts["metadata"]["labels"] |= {"nvidia.com/cuda.driver.major": "535", "nvidia.com/cuda.driver.minor": "104"}
    assert told_of("a", [parts])[told.DRIVER_BRANCH] == 535.0


@pytest.mark.parametrize("driver", ["newest", "9" * 5000, "💥", ".5"])
def test_a_driver_that_is_no_version_has_no_branch(driver: str) -> None:
    assert told.DRIVER_BRANCH not in told_of("a", [node("a", driver), node("b", "580.1")])


def test_systems_that_differ() -> None:
    new, old = (
        {"kubeletVersion": "v1.32.1", "kernelVersion": "6.8"},
        {"kubeletVersion": "v1.31.2", "kernelVersion": "6.8"},
    )
    pool = [node("a", info=old), node("b", info=new), node("c", info=new)]
    assert told_of("a", pool)[told.SYSTEM_ODD] == "kubelet v1.31.2 where 2 of 3 like it have v1.32.1"
    assert told_of("c", pool)[told.SYSTEM_ODD] == ""
    assert told.SYSTEM_ODD not in told_of("a", [node("a"), node("b", info=new)])


def test_mig_states() -> None:
    applied = node("a", nvidia_com__mig_config_state="success")
    failed = node("a", nvidia_com__mig_config_state="failed", nvidia_com__mig_config="all-1g.10gb")
    assert told_of("a", [applied])[told.MIG_STATE] == ""
    assert told_of("a", [failed])[told.MIG_STATE] == "all-1g.10gb: failed"
    assert told_of("a", [node("a")])[told.MIG_STATE] == ""


def test_pods_of_the_stack() -> None:
    nodes = [node("n1"), node("n2")]
    pods = [stack("nvidia-device-plugin-daemonset"), stack("nvidia-dcgm-exporter", ready="False")]
    assert told_of("n1", nodes, pods)[told.STACK_UNREADY] == "nvidia-dcgm-exporter"
    assert told_of("n2", nodes, pods)[told.STACK_UNREADY] == ""
    by_hand = [stack("nvidia-device-plugin", ready="False", kind="ReplicaSet")]
    assert told_of("n1", nodes, by_hand)[told.STACK_UNREADY] == ""
    assert told.STACK_UNREADY not in told_of("n1", nodes)


def holding(daemonset: str, *init: dict[str, Any], own: dict[str, Any] | None = None) -> dict[str, Any]:
    pod = stack(daemonset, ready="False")
    pod["status"]["initContainerStatuses"] = [
        {"name": f"{number}-validation", **one} for number, one in enumerate(init)
    ]
    pod["status"]["containerStatuses"] = [{"name": "main", "state": own or {"waiting": {"reason": "PodInitializing"}}}]
    return pod


DONE = {"state": {"terminated": {"exitCode": 0, "reason": "Completed"}}}
LATER = {"state": {"waiting": {"reason": "PodInitializing"}}}
BACK = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
ENDED = {"state": {"terminated": {"exitCode": 1, "reason": "Error"}}}
RUNS = {"state": {"running": {"startedAt": stamp(0)}}, "started": False}
SIDE = {"state": {"running": {}}, "started": True}


@pytest.mark.parametrize(
    ("pod", "said"),
    [
        (holding("nvidia-operator-validator", DONE, BACK, LATER), "nvidia-operator-validator (1-validation: CrashLoopBackOff)"),
        (holding("nvidia-operator-validator", ENDED, LATER), "nvidia-operator-validator (0-validation: Error)"),
        (holding("nvidia-sandbox-validator", DONE, RUNS, LATER), "nvidia-sandbox-validator (waits at 1-validation)"),
        (holding("nvidia-dra-driver-kubelet-plugin", SIDE), "nvidia-dra-driver-kubelet-plugin"),
        (holding("nvidia-cc-manager", own={"waiting": {"reason": "ImagePullBackOff"}}), "nvidia-cc-manager (main: ImagePullBackOff)"),
        (holding("nvidia-dra-driver-gpu-kubelet-plugin", own={"running": {}}), "nvidia-dra-driver-gpu-kubelet-plugin"),
        (holding("sriov-cni"), ""),
    ],
)  # fmt: skip
def test_where_a_pod_of_the_stack_does_not_get_on(pod: dict[str, Any], said: str) -> None:
    assert told_of("n1", [node("n1")], [pod])[told.STACK_UNREADY] == said


def test_the_part_that_the_others_wait_for_comes_first() -> None:
    parts = (
        "gpu-feature-discovery",
        "nvidia-dra-driver-kubelet-plugin",
        "nvidia-container-toolkit-daemonset",
        "nvidia-driver-daemonset",
    )
    pods = [stack(name, ready="False") for name in parts]
    assert told_of("n1", [node("n1")], pods)[told.STACK_UNREADY] == (
        "nvidia-driver-daemonset, nvidia-container-toolkit-daemonset, nvidia-dra-driver-kubelet-plugin, gpu-feature-discovery"
    )


def test_a_node_that_is_cordoned_or_new_is_given_time() -> None:
    pods = [stack("nvidia-driver-daemonset", ready="False")]
    cordoned = {**node("n1"), "spec": {"unschedulable": True}}
    assert told_of("n1", [cordoned], pods)[told.STACK_UNREADY] == ""
    for age, said in ((60.0, ""), (3600.0, "nvidia-driver-daemonset")):
        joined = node("n1")
        joined["metadata"]["creationTimestamp"] = stamp(-age)
        assert told_of("n1", [joined], pods)[told.STACK_UNREADY] == said


def engine(host: str = "n1", gpus: str = "1") -> dict[str, Any]:
    container = {"name": "engine", "resources": {"limits": {"nvidia.com/gpu": gpus}}}
    return {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"nodeName": host, "containers": [container]}}


def test_a_shared_gpu() -> None:
    sliced = node("n1", nvidia_com__gpu_replicas="4")
    sliced["metadata"]["labels"]["nvidia.com/gpu.sharing-strategy"] = "time-slicing"
    assert told_of("team/app-0", [sliced], [engine()])[told.SHARED_GPU] == "time-slicing, 4 shares a GPU"
    assert told_of("team/app-0", [sliced], [engine("n2")])[told.SHARED_GPU] == ""
    assert told_of("team/app-0", [sliced], [engine(gpus="0")])[told.SHARED_GPU] == ""
    whole = node("n1")
    whole["metadata"]["labels"]["nvidia.com/gpu.sharing-strategy"] = "none"
    assert told_of("team/app-0", [whole], [engine()])[told.SHARED_GPU] == ""
