"""Which settings nobody has decided, read from raw pods."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.engine_settings import read
from tools.signals import Signal
from tools.vocabulary import readiness as told

COMMIT = "0123456789abcdef0123456789abcdef01234567"
VLLM = "vllm/vllm-openai:v0.10.0"
SGLANG = "lmsysorg/sglang:v0.5.2"
MORE = [{"name": "MORE", "valueFrom": {"configMapKeyRef": {"name": "c"}}}]


def settings(*args: str, image: str = VLLM, **more: Any) -> dict[Signal, Any]:
    container = {"name": "engine", "image": image, "args": list(args), **more}
    item = {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [container]}}
    found: dict[Signal, Any] = {}
    for one in read(Listed(0.0, {"pods": [item]})):
        assert one.key == "team/app-0"
        found.update(one.facts)
    found.pop(told.KNOWN_HOLES, None)  # a matter of the version alone
    return found


def test_a_model_of_a_hub_needs_a_commit() -> None:
    assert settings("--model", "org/m")[told.REVISION_OPEN] == "org/m at the newest commit"
    assert settings("--model", "org/m", "--revision", "main")[told.REVISION_OPEN] == "org/m at main"
    assert settings("--model", "org/m", "--revision", COMMIT)[told.REVISION_OPEN] == ""
    assert settings("--model", "org/m", "--revision", COMMIT[:7])[told.REVISION_OPEN] == f"org/m at {COMMIT[:7]}"
    assert settings("--model", "/models/m")[told.REVISION_OPEN] == ""


def test_a_context_limit_is_stated_or_not() -> None:
    assert settings("--model", "m")[told.CONTEXT_IMPLICIT] == "--max-model-len"
    assert settings("--model", "m", "--max_model_len=8192")[told.CONTEXT_IMPLICIT] == ""
    sglang = ("python3", "-m", "sglang.launch_server", "--model-path", "m")
    assert settings(*sglang, image=SGLANG)[told.CONTEXT_IMPLICIT] == "--context-length"
    assert settings(*sglang, "--context-length", "8192", image=SGLANG)[told.CONTEXT_IMPLICIT] == ""


def test_one_batch_limit_is_enough() -> None:
    assert settings("--model", "m")[told.BATCH_IMPLICIT] == "--max-num-seqs, --max-num-batched-tokens"
    assert settings("--model", "m", "--max-num-seqs", "64")[told.BATCH_IMPLICIT] == ""
    assert settings("--model", "m", "--max-num-batched-tokens", "8192")[told.BATCH_IMPLICIT] == ""


def test_a_precision_is_a_type_or_a_quantisation() -> None:
    assert settings("--model", "m")[told.PRECISION_IMPLICIT] == "--dtype"
    assert settings("--model", "m", "--dtype", "auto")[told.PRECISION_IMPLICIT] == "auto"
    assert settings("--model", "m", "--dtype", "bfloat16")[told.PRECISION_IMPLICIT] == ""
    assert settings("--model", "m", "--quantization", "fp8")[told.PRECISION_IMPLICIT] == ""
    assert settings("--model", "m", "--quantization", "fp8", "--dtype", "auto")[told.PRECISION_IMPLICIT] == ""


@pytest.mark.parametrize("image", ["vllm/vllm-openai:latest", "vllm/vllm-openai:v0.99.0", "vllm/vllm-openai"])
def test_a_version_that_is_not_known_leaves_its_settings_as_open(image: str) -> None:
    found = settings("--model", "org/m", image=image)
    assert found[told.CONTEXT_IMPLICIT] == "--max-model-len"
    assert found[told.PRECISION_IMPLICIT] == "--dtype"


@pytest.mark.parametrize(
    ("args", "more"),
    [
        (["--model", "org/m", "--config", "/etc/vllm.yaml"], {}),
        ([], {"command": ["sh", "-c", "vllm serve org/m $MORE"], "env": MORE}),
    ],
)
def test_what_a_file_or_a_variable_may_set_is_not_told(args: list[str], more: dict[str, Any]) -> None:
    assert settings(*args, **more) == {}


def test_what_is_stated_beside_a_file_is_told() -> None:
    found = settings("--model", "org/m", "--config", "/etc/vllm.yaml", "--max-model-len", "8192", "--dtype", "half")
    assert found == {told.CONTEXT_IMPLICIT: "", told.PRECISION_IMPLICIT: ""}


def test_without_an_engine_or_a_model_nothing_is_told() -> None:
    assert settings() == {}
    assert settings("--model", "m", image="corp/server:1") == {}
    assert settings(image="corp/server:1", command=["/start.sh"]) == {}


def test_an_engine_is_known_by_its_command_too() -> None:
    found = settings("m", image="corp/server:1", command=["vllm", "serve"])
    assert found[told.CONTEXT_IMPLICIT] == "--max-model-len"
    long = settings("m", "--served-model-name", "💥" * 5000, image="corp/x", command=["vllm", "serve"])
    assert long[told.CONTEXT_IMPLICIT] == "--max-model-len"
