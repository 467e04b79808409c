"""How each pod's engine is configured, and where pods are not what their workload says, from raw objects."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.engine_config import read
from tools.reading import Subject
from tools.signals import GPU_MEM_UTILIZATION, KV_DTYPE, MAX_NUM_SEQS, TENSOR_PARALLEL, Signal
from tools.topology import Pod
from tools.vocabulary import configuration as told

IMAGE = "vllm/vllm-openai:v0.11.0"


def container(*args: str, image: str = IMAGE, gpus: int = 1, **more: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": gpus} if gpus else {}
    return {"name": "engine", "image": image, "args": list(args), "resources": {"limits": limits}, **more}


def pod(*containers: dict[str, Any], name: str = "app-0", phase: str = "Running") -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": name},
        "spec": {"nodeName": "n1", "containers": list(containers)},
        "status": {"phase": phase},
    }


def workload(form: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return {
        "metadata": {"namespace": "team", "name": "app"},
        "spec": {"template": {"spec": {"containers": [form]}}, **spec},
    }


def facts(item: dict[str, Any], **items: list[dict[str, Any]]) -> dict[Signal, float | str]:
    kind = "statefulset" if "statefulsets" in items else "deployment"
    pods = {"team/app-0": Pod("team", "app-0", "n1", Subject(kind, "team", "app"))}
    found: dict[Signal, float | str] = {}
    for one in read(Listed(0.0, {"pods": [item], **items}, pods)):
        assert one.key == "team/app-0"
        found.update(one.facts)
    return found


def test_what_is_stated_and_what_the_version_does() -> None:
    found = facts(pod(container("org/m", "-tp", "2", "--max-model-len=8k", "--no-enable-prefix-caching", gpus=2)))
    assert found[told.ENGINE_NAME] == "vllm"
    assert found[told.ENGINE_VERSION] == "0.11.0"
    assert found[told.MODEL] == "org/m"
    assert found[TENSOR_PARALLEL] == 2
    assert found[told.MAX_MODEL_LEN] == 8000
    assert found[told.PREFIX_CACHING] == 0
    assert found[GPU_MEM_UTILIZATION] == 0.9
    assert found[KV_DTYPE] == "auto"
    assert found[told.GPUS_USED] == 2
    assert found[told.STATED] == "prefix_caching=off"
    origins = str(found[told.CONFIGURED_BY])
    assert "tensor_parallel 2 (argument -tp)" in origins
    assert "gpu_memory_utilization 0.9 (default of vLLM 0.11.0)" in origins
    assert "kv_cache_dtype auto (default" in origins
    assert "load_format" not in origins
    assert told.REVISION not in found
    assert MAX_NUM_SEQS not in found


@pytest.mark.parametrize(
    ("labels", "limit"),
    [
        ({"nvidia.com/gpu.product": "NVIDIA-H100-80GB-HBM3", "nvidia.com/gpu.memory": "81559"}, 1024),
        ({"nvidia.com/gpu.product": "NVIDIA-L4", "nvidia.com/gpu.memory": "23034"}, 256),
        ({"nvidia.com/gpu.memory": "many"}, None),
        ({"nvidia.com/gpu.memory": "-1"}, None),
        ({}, None),
    ],
)
def test_the_nodes_gpu_decides_the_limit_of_sequences(labels: dict[str, str], limit: float | None) -> None:
    node = {"metadata": {"name": "n1", "labels": labels}}
    assert facts(pod(container("m")), nodes=[node]).get(MAX_NUM_SEQS) == limit


def test_a_share_of_what_is_left_is_no_share_of_the_gpu() -> None:
    trt = container(
        "org/m", "--kv_cache_free_gpu_memory_fraction", "0.8", image="x/release:1.0.0", command=["trtllm-serve"]
    )
    assert GPU_MEM_UTILIZATION not in facts(pod(trt))
    sglang = container(
        "--mem-fraction-static=0.8", image="lmsysorg/sglang:v0.5.3", command=["python3", "-m", "sglang.launch_server"]
    )
    found = facts(pod(sglang))
    assert found[GPU_MEM_UTILIZATION] == 0.8
    assert found[told.STATED] == ""  # its server does not tell what it runs with


def test_gpus_in_use_are_told_only_where_the_pod_is_all_of_one_engine() -> None:
    engine = container("m", "-tp", "2", gpus=2)
    assert facts(pod(engine, container(image="sidecar", gpus=0)))[told.GPUS_USED] == 2
    assert told.GPUS_USED not in facts(pod(engine, container("m2")))
    grouped = {**engine, "env": [{"name": "LWS_GROUP_SIZE", "value": "2"}]}
    assert told.GPUS_USED not in facts(pod(grouped))
    assert told.GPUS_USED not in facts(pod(container("m", command=["/start.sh"])))


def test_a_server_of_ones_own_tells_what_it_states_and_no_engine() -> None:
    found = facts(
        pod(container("--tensor-parallel-size=2", image="registry.local/serve:7", command=["python", "serve.py"]))
    )
    assert found == {TENSOR_PARALLEL: 2.0}


@pytest.mark.parametrize(
    ("kind", "spec", "apart"),
    [
        ("deployments", {"paused": True}, "max_model_len 8192 here, 16384 in the workload"),
        ("deployments", {}, ""),
        ("deployments", {"paused": "yes"}, ""),
        ("statefulsets", {"updateStrategy": {"type": "OnDelete"}}, "max_model_len 8192 here, 16384 in the workload"),
        ("statefulsets", {"updateStrategy": {"type": "RollingUpdate"}}, ""),
        ("deployments", {"updateStrategy": {"type": "OnDelete"}}, ""),
    ],
)
def test_pods_that_their_workload_keeps_as_they_were(kind: str, spec: dict[str, Any], apart: str) -> None:
    item = workload(container("m", "--max-model-len=16384"), **spec)
    assert facts(pod(container("m", "--max-model-len=8192")), **{kind: [item]})[told.OUTDATED] == apart
    assert facts(pod(container("m", "--max-model-len=16384")), **{kind: [item]})[told.OUTDATED] == ""
    assert facts(pod(container("m", "--max-model-len=8192"), phase="Pending"), **{kind: [item]})[told.OUTDATED] == ""


def test_a_setting_that_one_side_cannot_tell_is_not_apart() -> None:
    item = workload(container("m", "--max-model-len=$(LENGTH)"), paused=True)
    assert facts(pod(container("m", "--max-model-len=8192")), deployments=[item])[told.OUTDATED] == ""


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"metadata": None, "spec": 3},
        {"metadata": {"namespace": "team"}},
        {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [None, 7, {"args": {"a": 1}, "env": "x", "resources": []}]}},
        pod(container("m", env=[{"name": []}, {"name": {}, "value": []}, 7])),
        pod(container("m", *("🔥" * 50,) * 10_000, "--unbalanced '\0")),
        pod(container("--model", "x" * 100_000, "--revision", "\udcff" * 1000)),
    ],
)  # fmt: skip
def test_objects_of_any_shape(item: dict[str, Any]) -> None:
    for one in read(Listed(0.0, {"pods": [item], "nodes": [item], "deployments": [item], "statefulsets": [item]})):
        assert all(isinstance(value, int | float) or len(value) <= 300 for value in one.facts.values())


def ray(*models: str, cluster: str = "svc-raycluster-x") -> dict[str, Any]:
    configs = [
        {"model_loading_config": {"model_id": model}, "engine_kwargs": {"tensor_parallel_size": 2}} for model in models
    ]
    return {
        "metadata": {"namespace": "team", "name": "svc"},
        "spec": {"serveConfigV2": str({"applications": [{"args": {"llm_configs": configs}}]})},
        "status": {"activeServiceStatus": {"rayClusterName": cluster}},
    }


def test_pods_of_a_ray_service_serve_what_it_says() -> None:
    item = pod(container("ray start --address x", image="rayproject/ray-llm:2.52.0", gpus=2))
    item["metadata"]["labels"] = {"ray.io/cluster": "svc-raycluster-x"}
    found = facts(item, **{"rayservices.ray.io": [ray("org/m")]})
    assert (found[told.ENGINE_NAME], found[told.MODEL], found[TENSOR_PARALLEL]) == ("ray_vllm", "org/m", 2)
    assert told.GPUS_USED not in found
    assert told.ENGINE_NAME not in facts(item, **{"rayservices.ray.io": [ray("a", "b")]})
    assert told.ENGINE_NAME not in facts(item, **{"rayservices.ray.io": [ray("a", cluster="other")]})
    assert told.ENGINE_NAME not in facts(
        pod(container("m", image="x")), **{"rayservices.ray.io": [ray("a", cluster="")]}
    )
