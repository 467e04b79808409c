"""Whether pods suit their GPUs and network, and which agents run in the cluster, read from raw objects."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed, cluster_agents, gpu_fit
from tools.topology import CLUSTER
from tools.vocabulary import readiness as told


def engine(*args: str, host: str = "n1", labels: Any = None, spec: Any = None, **container: Any) -> dict[str, Any]:
    one = {"name": "engine", "image": "vllm/vllm-openai:v0.10.0", "args": ["--model", "m", *args], **container}
    return {
        "metadata": {"namespace": "team", "name": "app-0", "labels": labels or {}},
        "spec": {"nodeName": host, "containers": [one], **(spec or {})},
    }


def node(major: Any, minor: Any = "0") -> dict[str, Any]:
    labels = {"nvidia.com/gpu.compute.major": major, "nvidia.com/gpu.compute.minor": minor}
    return {"metadata": {"name": "n1", "labels": labels}}


def told_of(pod: Any, *nodes: Any) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for one in gpu_fit.read(Listed(0.0, {"pods": [pod], "nodes": list(nodes)})):
        assert one.key == "team/app-0"
        found.update({signal.name: value for signal, value in one.facts.items()})
    return found


def beyond(pod: Any, *nodes: Any) -> Any:
    return told_of(pod, *nodes).get(told.PRECISION_BEYOND.name)


@pytest.mark.parametrize(
    ("args", "capability", "fires"),
    [
        (["--dtype", "bfloat16"], ("7", "5"), True),
        (["--dtype", "bfloat16"], ("8", "0"), False),
        (["--dtype", "half"], ("7", "5"), False),
        (["--quantization", "fp8"], ("8", "6"), True),
        (["--quantization", "fp8"], ("8", "9"), False),
        (["--quantization", "compressed-tensors"], ("7", "5"), False),
        (["--quantization", "modelopt_fp4"], ("9", "0"), True),
        (["--quantization", "modelopt_fp4"], ("10", "0"), False),
        ([], ("7", "0"), False),
    ],
)
def test_formats_and_the_gpus_that_compute_in_them(args: list[str], capability: tuple[str, str], fires: bool) -> None:
    said = beyond(engine(*args), node(*capability))
    assert bool(said) is fires
    assert said is not None
    if fires:
        assert f"a GPU of {'.'.join(capability)}" in said


@pytest.mark.parametrize("major", ["", None, "eight", "8" * 9, 8.5, [], {}])
def test_without_a_capability_nothing_is_told(major: Any) -> None:
    assert beyond(engine("--dtype", "bfloat16"), node(major)) is None
    assert beyond(engine("--dtype", "bfloat16")) is None
    assert beyond(engine("--dtype", "bfloat16", host="n2"), node("7")) is None


def test_a_server_of_ones_own_has_no_format() -> None:
    assert beyond(engine("--dtype", "bfloat16", image="corp/server:1"), node("7")) is None


def fabric(pod: Any) -> Any:
    return told_of(pod)[told.FABRIC_MISSING.name]


GROUP = {"leaderworkerset.sigs.k8s.io/name": "app"}


def test_replicas_over_several_pods() -> None:
    assert fabric(engine()) == ""
    assert fabric(engine(labels=GROUP)) == "the pod network"
    assert fabric(engine("--nnodes", "2")) == "the pod network"
    assert fabric(engine("--nnodes", "1")) == ""
    assert fabric(engine("--nnodes", "9" * 5000)) == ""
    assert fabric(engine(labels=GROUP, spec={"hostNetwork": True})) == ""


@pytest.mark.parametrize("device", ["rdma/ib", "rdma/hca_shared_devices_a", "vpc.amazonaws.com/efa"])
def test_a_device_of_the_fabric(device: str) -> None:
    assert fabric(engine(labels=GROUP, resources={"limits": {device: "1"}})) == ""
    assert fabric(engine(labels=GROUP, resources={"requests": {device: "1"}})) == ""
    assert fabric(engine(labels=GROUP, resources={"limits": {"nvidia.com/gpu": "8"}})) == "the pod network"


def agents(*names: str) -> dict[str, Any]:
    pods = [{"metadata": {"namespace": "ops", "name": name}} for name in names]
    (one,) = cluster_agents.read(Listed(0.0, {"pods": pods}))
    assert one.key == str(CLUSTER)
    return {signal.name.partition(".")[2]: value for signal, value in one.facts.items()}


def test_agents_are_told_by_their_names() -> None:
    assert set(agents().values()) == {"none"}
    found = agents("kyverno-1", "Trivy-operator-2", "velero-3", "kube-state-metrics-4", "vllm-0")
    assert found == {
        "policy_engine": "ops/kyverno-1",
        "image_scanner": "ops/Trivy-operator-2",
        "backup_agent": "ops/velero-3",
        "state_metrics": "ops/kube-state-metrics-4",
    }


def test_of_many_agents_a_few_are_shown() -> None:
    assert agents(*(f"velero-{i}" for i in range(500)))["backup_agent"] == "ops/velero-0, ops/velero-1, ops/velero-10"


def test_pods_that_cannot_be_listed_tell_of_no_agent() -> None:
    assert list(cluster_agents.read(Listed(0.0, {}))) == []
