"""Which settings a command line leaves open, read from raw pods."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.engine_settings import read
from tools.signals import Signal
from tools.vocabulary import readiness as told

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def settings(*args: str, image: str = "vllm/vllm-openai:v0.10.0", gpus: Any = "4", **more: Any) -> dict[Signal, Any]:
    limits = {"nvidia.com/gpu": gpus}
    container = {"name": "engine", "image": image, "args": list(args), "resources": {"limits": limits}, **more}
    item = {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [container]}}
    found: dict[Signal, Any] = {}
    for one in read(Listed(0.0, {"pods": [item]})):
        assert one.key == "team/app-0"
        found.update(one.facts)
    return found


def test_a_model_of_a_hub_needs_a_commit() -> None:
    assert settings("--model", "org/m")[told.REVISION_OPEN] == "org/m at the newest commit"
    assert settings("serve", "org/m", "--revision", "main")[told.REVISION_OPEN] == "org/m at main"
    assert settings("--model", "org/m", "--revision", COMMIT)[told.REVISION_OPEN] == ""
    assert settings("--model", "org/m", "--revision", COMMIT[:7])[told.REVISION_OPEN] == f"org/m at {COMMIT[:7]}"
    assert settings("--model", "/models/m")[told.REVISION_OPEN] == ""


def test_a_context_limit_is_there_or_not() -> None:
    assert settings("--model", "m")[told.CONTEXT_IMPLICIT] == "max-model-len"
    assert settings("--model", "m", "--max_model_len=8192")[told.CONTEXT_IMPLICIT] == ""
    sglang = "lmsysorg/sglang:v0.5"
    assert settings("--model-path", "m", image=sglang)[told.CONTEXT_IMPLICIT] == "context-length"
    assert settings("--model-path", "m", "--context-length", "8192", image=sglang)[told.CONTEXT_IMPLICIT] == ""


def test_one_batch_limit_is_enough() -> None:
    assert settings("--model", "m")[told.BATCH_IMPLICIT] == "max-num-seqs, max-num-batched-tokens"
    assert settings("--model", "m", "--max-num-seqs", "64")[told.BATCH_IMPLICIT] == ""
    assert settings("--model", "m", "--max-num-batched-tokens", "8192")[told.BATCH_IMPLICIT] == ""


def test_a_precision_is_a_type_or_a_quantisation() -> None:
    assert settings("--model", "m")[told.PRECISION_IMPLICIT] == "dtype not set"
    assert settings("--model", "m", "--dtype", "auto")[told.PRECISION_IMPLICIT] == "dtype auto"
    assert settings("--model", "m", "--dtype", "bfloat16")[told.PRECISION_IMPLICIT] == ""
    assert settings("--model", "m", "--quantization", "fp8")[told.PRECISION_IMPLICIT] == ""


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--tensor-parallel-size", "4"], ""),
        (["-tp", "2"], "tensor 2 = 2 GPUs used, 4 in the limit"),
        ([], "tensor 1 = 1 GPUs used, 4 in the limit"),
        (["--tensor-parallel-size=2", "--pipeline-parallel-size", "2"], ""),
        (["-tp", "4", "--data-parallel-size", "2"], "tensor 4 x data 2 = 8 GPUs used, 4 in the limit"),
        (["-tp", "2", "--prefill-context-parallel-size", "2"], ""),
        (["--tp", "4", "--dp", "4", "--enable-dp-attention"], ""),
        (["-tp", "8", "--nnodes", "2"], ""),
        (["-tp", "8", "--distributed-executor-backend", "ray"], ""),
        (["-tp", "two"], ""),
        (["-tp", "0"], ""),
        (["-tp", "9" * 5000], ""),
    ],
)
def test_parallel_sizes_beside_the_gpus(args: list[str], said: str) -> None:
    assert settings("--model", "m", *args)[told.PARALLEL_APART] == said


@pytest.mark.parametrize("gpus", [None, True, [], {}, "many", "0", ""])
def test_without_a_number_of_gpus_nothing_is_compared(gpus: Any) -> None:
    assert settings("--model", "m", "-tp", "2", gpus=gpus).get(told.PARALLEL_APART, "") == ""


def test_a_group_of_pods_is_left_alone() -> None:
    several: dict[str, Any] = {"env": [{"name": "LWS_GROUP_SIZE", "value": "2"}]}
    assert settings("--model", "m", "-tp", "8", **several)[told.PARALLEL_APART] == ""


def test_where_the_settings_cannot_be_read_nothing_is_told() -> None:
    assert settings("--model", "m", "--config", "/etc/vllm.yaml") == {}
    assert settings() == {}
    assert settings("--model", "$MODEL") == {}
    assert settings("--model", "m", image="corp/server:1") == {}
    assert settings("serve", image="corp/server:1", command=["/start.sh"]) == {}


def test_an_engine_is_known_by_its_command_too() -> None:
    told_of = settings("m", image="corp/server:1", command=["vllm", "serve"])
    assert told_of[told.CONTEXT_IMPLICIT] == "max-model-len"
    long = settings("m", "--served-model-name", "💥" * 5000, image="corp/x", command=["vllm", "serve"])
    assert long[told.CONTEXT_IMPLICIT] == "max-model-len"
