"""What decides whether a workload survives a node, a restart or a rollout, read from raw objects."""

from __future__ import annotations

from math import inf
from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.resilience import read
from tools.reading import Subject
from tools.signals import Signal
from tools.topology import Pod
from tools.vocabulary import readiness as told

APP = Subject("deployment", "team", "app")


def serving(**container: Any) -> dict[str, Any]:
    limits = {"nvidia.com/gpu": "1"}
    return {"name": "engine", "image": "vllm/vllm-openai:v0.10.0", "resources": {"limits": limits}, **container}


def pod(name: str = "app-0", node: str = "n1", *, volumes: Any = (), status: Any = None, **container: Any) -> Any:
    return {
        "metadata": {"namespace": "team", "name": name, "ownerReferences": [{"kind": "ReplicaSet", "name": "app-1"}]},
        "spec": {"nodeName": node, "containers": [serving(**container)], "volumes": list(volumes)},
        "status": status or {"phase": "Running"},
    }


def told_of(key: str, *pods: Any, **listed: Any) -> dict[Signal, float | str]:
    keys = {f"team/{one['metadata']['name']}": one for one in pods if isinstance(one, dict)}
    known = {name: Pod("team", name.partition("/")[2], "n1", APP, "Running", True, 1.0) for name in keys}
    found: dict[Signal, float | str] = {}
    for one in read(Listed(0.0, {"pods": list(pods), **listed}, known)):
        if one.key == key:
            found.update(one.facts)
    return found


def of_pod(**container: Any) -> dict[Signal, float | str]:
    return told_of("team/app-0", pod(**container))


def test_replicas_that_share_a_node() -> None:
    assert told_of(str(APP), pod("a"), pod("b"))[told.ON_ONE_NODE] == "n1"
    assert told_of(str(APP), pod("a"), pod("b", "n2"))[told.ON_ONE_NODE] == ""
    assert told_of(str(APP), pod("a"))[told.ON_ONE_NODE] == ""
    waiting = pod("b", status={"phase": "Pending"})
    assert told_of(str(APP), pod("a"), waiting)[told.ON_ONE_NODE] == ""


def running(name: str, digest: str, revision: str = "r1", image: str = "v:1") -> Any:
    statuses = [{"name": "engine", "imageID": f"docker.io/v@sha256:{digest}"}]
    one = pod(name, image=image, status={"phase": "Running", "containerStatuses": statuses})
    one["metadata"]["labels"] = {"pod-template-hash": revision}
    return one


def test_digests_of_one_tag_are_compared_within_a_revision() -> None:
    apart = told_of(str(APP), running("a", "aaaa" * 16), running("b", "bbbb" * 16))[told.IMAGES_APART]
    assert apart == "v:1 as sha256:aaaaaaaaaaaa and sha256:bbbbbbbbbbbb"
    same = told_of(str(APP), running("a", "aa"), running("b", "aa"))
    assert same[told.IMAGES_APART] == ""
    rollout = told_of(str(APP), running("a", "aa"), running("b", "bb", "r2"))
    assert rollout[told.IMAGES_APART] == ""
    other = told_of(str(APP), running("a", "aa"), running("b", "bb", image="v:2"))
    assert other[told.IMAGES_APART] == ""


@pytest.mark.parametrize(("kept", "said"), [(0, "0"), (1, ""), (None, ""), (False, ""), ("0", "")])
def test_only_a_limit_of_zero_keeps_no_revision(kept: Any, said: str) -> None:
    item = {"metadata": {"namespace": "team", "name": "app"}, "spec": {"revisionHistoryLimit": kept}}
    assert told_of(str(APP), deployments=[item])[told.NO_ROLLBACK] == said


def claimed(replicas: Any, modes: Any) -> float | str:
    volumes = [{"name": "w", "persistentVolumeClaim": {"claimName": "weights"}}]
    made = {"spec": {"containers": [serving()], "volumes": volumes}}
    item = {"metadata": {"namespace": "team", "name": "app"}, "spec": {"replicas": replicas, "template": made}}
    claim = {"metadata": {"namespace": "team", "name": "weights"}, "spec": {"accessModes": modes}}
    return told_of(str(APP), deployments=[item], persistentvolumeclaims=[claim])[told.CLAIM_SINGLE]


def test_a_claim_of_one_node_and_several_replicas() -> None:
    assert claimed(2, ["ReadWriteOnce"]) == "claim weights is ReadWriteOnce"
    assert claimed(1, ["ReadWriteOnce"]) == ""
    assert claimed(2, ["ReadWriteOnce", "ReadOnlyMany"]) == ""
    assert claimed(2, []) == ""
    assert claimed(2, None) == ""
    assert claimed("2", ["ReadWriteOnce"]) == ""
    assert told.CLAIM_SINGLE not in told_of(str(APP), pod())


def test_a_gpu_pod_without_an_owner() -> None:
    one = pod()
    assert told_of("team/app-0", one)[told.BARE] == ""
    del one["metadata"]["ownerReferences"]
    assert told_of("team/app-0", one)[told.BARE] == "no controller"
    one["metadata"]["annotations"] = {"kubernetes.io/config.mirror": "x"}
    assert told_of("team/app-0", one)[told.BARE] == ""
    cpu = pod(resources={})
    del cpu["metadata"]["ownerReferences"]
    assert told_of("team/app-0", cpu)[told.BARE] == ""


def probe(path: str = "/health", **more: Any) -> dict[str, Any]:
    return {"httpGet": {"path": path, "port": 8000}, **more}


def test_liveness_is_compared_with_readiness_where_both_ask_the_same() -> None:
    same = of_pod(readinessProbe=probe(), livenessProbe=probe())[told.LIVENESS_AS_READINESS]
    assert same == "both ask /health, liveness gives up after 30 s, readiness after 30 s"
    patient = of_pod(readinessProbe=probe(), livenessProbe=probe(failureThreshold=6))
    assert patient[told.LIVENESS_AS_READINESS] == ""
    other = of_pod(readinessProbe=probe("/ready"), livenessProbe=probe())
    assert other[told.LIVENESS_AS_READINESS] == ""
    assert of_pod()[told.LIVENESS_AS_READINESS] == ""


def test_the_timeout_of_liveness() -> None:
    assert of_pod()[told.LIVENESS_TIMEOUT] == inf
    assert of_pod(livenessProbe=probe())[told.LIVENESS_TIMEOUT] == 1.0
    assert of_pod(livenessProbe=probe(timeoutSeconds=7))[told.LIVENESS_TIMEOUT] == 7.0
    assert of_pod(livenessProbe=probe(timeoutSeconds="7"))[told.LIVENESS_TIMEOUT] == 1.0
    assert of_pod(livenessProbe=probe(timeoutSeconds=True))[told.LIVENESS_TIMEOUT] == 1.0


@pytest.mark.parametrize(
    ("asked", "most", "said"),
    [
        ("8Gi", "64Gi", "8 GiB requested, 64 GiB allowed"),
        ("64Gi", "64Gi", ""),
        (None, "64Gi", ""),
        ("8Gi", None, ""),
        ("much", "64Gi", ""),
    ],
)
def test_memory_beyond_what_is_reserved(asked: Any, most: Any, said: str) -> None:
    resources = {"requests": {"memory": asked}, "limits": {"memory": most, "nvidia.com/gpu": "1"}}
    assert of_pod(resources=resources)[told.MEMORY_UNGUARANTEED] == said


def mounted(volume: dict[str, Any], path: str = "/models", **more: Any) -> dict[str, Any]:
    return {"volumes": [{"name": "w", **volume}], "volumeMounts": [{"name": "w", "mountPath": path, **more}]}


def test_scratch_without_a_bound() -> None:
    assert of_pod(**mounted({"emptyDir": {}}))[told.SCRATCH_UNBOUNDED] == "emptyDir w"
    assert of_pod(**mounted({"emptyDir": {"sizeLimit": "10Gi"}}))[told.SCRATCH_UNBOUNDED] == ""
    assert of_pod(**mounted({"emptyDir": {"medium": "Memory"}}))[told.SCRATCH_UNBOUNDED] == ""
    assert of_pod(volumes=[{"name": "w", "emptyDir": {}}])[told.SCRATCH_UNBOUNDED] == ""
    bounded = {"limits": {"nvidia.com/gpu": "1", "ephemeral-storage": "50Gi"}}
    assert of_pod(**mounted({"emptyDir": {}}), resources=bounded)[told.SCRATCH_UNBOUNDED] == ""
    assert of_pod(**mounted({"emptyDir": None}))[told.SCRATCH_UNBOUNDED] == ""


CLAIM = {"persistentVolumeClaim": {"claimName": "weights"}}


@pytest.mark.parametrize("args", [["--model", "/models/llama"], ["serve", "/models/llama"], ["--model-path=/models"]])
def test_weights_on_a_writable_mount(args: list[str]) -> None:
    assert of_pod(args=args, **mounted(CLAIM))[told.WEIGHTS_WRITABLE] == "volume w at /models"
    assert of_pod(args=args, **mounted(CLAIM, readOnly=True))[told.WEIGHTS_WRITABLE] == ""
    fixed = {"persistentVolumeClaim": {"claimName": "weights", "readOnly": True}}
    assert of_pod(args=args, **mounted(fixed))[told.WEIGHTS_WRITABLE] == ""
    assert of_pod(args=args, **mounted({"emptyDir": {}}))[told.WEIGHTS_WRITABLE] == ""
    assert of_pod(args=args, **mounted(CLAIM, "/mod"))[told.WEIGHTS_WRITABLE] == ""


def test_weights_of_a_hub_lie_on_no_mount() -> None:
    assert of_pod(args=["--model", "org/model"], **mounted(CLAIM))[told.WEIGHTS_WRITABLE] == ""


def test_the_compile_cache() -> None:
    assert of_pod()[told.CACHE_LOST] == "~/.cache/vllm"
    assert of_pod(**mounted(CLAIM, "/home/user/.cache"))[told.CACHE_LOST] == ""
    assert of_pod(**mounted(CLAIM, "/home/user/.cache", readOnly=True))[told.CACHE_LOST] == "~/.cache/vllm"
    assert of_pod(**mounted({"emptyDir": {}}, "/home/user/.cache"))[told.CACHE_LOST] == "~/.cache/vllm"
    env = [{"name": "VLLM_CACHE_ROOT", "value": "/fast/vllm"}]
    assert of_pod(env=env)[told.CACHE_LOST] == "/fast/vllm"
    assert of_pod(env=env, **mounted(CLAIM, "/fast/"))[told.CACHE_LOST] == ""
    assert of_pod(env=[{"name": "XDG_CACHE_HOME", "value": "/x"}])[told.CACHE_LOST] == "/x/vllm"
    assert of_pod(args=["--enforce-eager"])[told.CACHE_LOST] == ""
    assert of_pod(image="lmsysorg/sglang:v0.5")[told.CACHE_LOST] == ""


@pytest.mark.parametrize(
    ("image", "public"),
    [
        ("vllm/vllm-openai:v0.10.0", True),
        ("ubuntu", True),
        ("nvcr.io/nvidia/tritonserver:25.01", True),
        ("registry.corp.example/vllm:1", False),
        ("localhost:5000/vllm:1", False),
        ("localhost/vllm:1", False),
        ("", False),
    ],
)
def test_whose_registry_it_is(image: str, public: bool) -> None:
    assert bool(of_pod(image=image)[told.REGISTRY_PUBLIC]) is public


def test_engines_that_are_no_longer_kept_up() -> None:
    assert "maintenance" in str(of_pod(image="ghcr.io/huggingface/text-generation-inference:3")[told.UNMAINTAINED])
    assert "no longer" in str(of_pod(image="pytorch/TorchServe:0.12.0")[told.UNMAINTAINED])
    assert of_pod()[told.UNMAINTAINED] == ""


def test_what_is_kept_of_a_crash() -> None:
    assert of_pod()[told.CRASH_UNSAID] == "the exit code alone"
    assert of_pod(terminationMessagePolicy="File")[told.CRASH_UNSAID] == "the exit code alone"
    assert of_pod(terminationMessagePolicy="FallbackToLogsOnError")[told.CRASH_UNSAID] == ""
