"""Which stage a pod is, what its weights weigh, and the probes that it left waiting: on raw objects, hostile ones included."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.pipelines import read
from tools.signals import Signal
from tools.vocabulary.pipelines import PROBE_TIMEOUTS, STAGE, WEIGHTS

NOW = 1_790_000_000.0
AGO_5 = "2026-09-21T14:08:20Z"
AGO_25 = "2026-09-21T13:48:20Z"
AGO_40 = "2026-09-21T13:33:20Z"
LATE = 'Readiness probe failed: Get "http://10.1.2.3:8000/health": context deadline exceeded (Client.Timeout exceeded while awaiting headers)'
VLLM, SGLANG = "vllm/vllm-openai:v0.11.0", "lmsysorg/sglang:v0.5.3"
TEI = "ghcr.io/huggingface/text-embeddings-inference:89-1.9"


def facts(spec: Any, *events: Any, labels: Any = None, listed: bool = True) -> dict[Signal, float | str]:
    pod = {"metadata": {"namespace": "team", "name": "app-0", "labels": labels}, "spec": spec}
    items: dict[str, list[Any]] = {"pods": [pod]}
    if listed:
        items["events"] = list(events)
    found: dict[Signal, float | str] = {}
    for told in read(Listed(NOW, items)):
        assert told.key == "team/app-0"
        found.update(told.facts)
    return found


def stage(image: str, *args: str, **labels: str) -> float | str:
    container = {"name": "main", "image": image, "args": list(args)}
    return facts({"containers": [container]}, labels={key.replace("__", "/"): v for key, v in labels.items()})[STAGE]


@pytest.mark.parametrize(
    ("image", "args", "expected"),
    [
        (TEI, ("--model-id", "BAAI/bge-m3"), "embedding"),
        (TEI, ("--model-id", "BAAI/bge-reranker-v2-m3"), "reranker"),
        ("michaelf34/infinity:0.0.70", (), "embedding"),
        (VLLM, ("--model", "Qwen/Qwen3-Embedding-8B"), "embedding"),
        (VLLM, ("--model", "org/pairs", "--task", "score"), "reranker"),
        (VLLM, ("--model", "org/vectors", "--task=embed"), "embedding"),
        (SGLANG, ("python3", "-m", "sglang.launch_server", "--model-path", "org/v", "--is-embedding"), "embedding"),
        (VLLM, ("--model", "meta-llama/Llama-Guard-3-8B"), "guardrail"),
        (VLLM, ("--model", "google/shieldgemma-9b"), "guardrail"),
        (VLLM, ("--model", "org/m", "--kv-transfer-config", '{"kv_role":"kv_consumer"}'), "decode"),
        (VLLM, ("--model", "org/m", "--kv-transfer-config", '{"kv_role":"kv_producer"}'), "prefill"),
        (
            SGLANG,
            ("python3", "-m", "sglang.launch_server", "--model-path", "o/m", "--disaggregation-mode", "prefill"),
            "prefill",
        ),
        ("registry.k8s.io/gateway-api-inference-extension/epp:v1.2.1", (), "router"),
        ("ghcr.io/llm-d/llm-d-inference-scheduler:v0.7.1", (), "router"),
        ("docker.io/envoyproxy/envoy:v1.34", (), "router"),
        ("nginx@sha256:abc", (), "router"),
        ("nvcr.io/nvidia/ai-dynamo/dynamo-frontend:0.7.1", (), "router"),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.7.1", ("python3", "-m", "dynamo.frontend"), "router"),
        ("nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.7.1", ("python3", "-m", "dynamo.vllm", "--model", "org/m"), ""),
        ("registry.example/shop/dynamo-frontend-tests:1", (), ""),
        # Near misses: an ordinary model, both sides in one, names that only resemble.
        (VLLM, ("--model", "meta-llama/Llama-3.1-8B-Instruct"), ""),
        (VLLM, ("--model", "org/m", "--kv-transfer-config", '{"kv_role":"kv_both"}'), ""),
        (VLLM, ("--model", "org/m", "--kv-transfer-config", "{not json"), ""),
        (VLLM, ("--model", "org/m", "--kv-transfer-config", "[" * 5000), ""),
        (VLLM, ("--model", "org/safeguarded-embassy"), "guardrail"),
        ("registry.example/team/nginx-exporter:1", (), ""),
        ("registry.example/steppe/app:1", (), ""),
        ("", (), ""),
    ],
)
def test_a_stage_is_read_off_image_and_arguments(image: str, args: tuple[str, ...], expected: str) -> None:
    assert stage(image, *args) == expected


@pytest.mark.parametrize(("gpus", "expected"), [(0, "router"), (1, "")])
def test_a_frontend_in_the_container_of_its_worker_is_no_router(gpus: int, expected: str) -> None:
    started = ["sh", "-c", "python3 -m dynamo.frontend & python3 -m dynamo.vllm --model org/m"]
    limits = {"limits": {"nvidia.com/gpu": str(gpus)}} if gpus else {}
    container = {
        "name": "main",
        "image": "nvcr.io/nvidia/ai-dynamo/vllm-runtime:0.7.1",
        "command": started,
        "resources": limits,
    }
    assert facts({"containers": [container]})[STAGE] == expected


def test_a_role_that_is_declared_counts_first() -> None:
    assert stage(VLLM, "--model", "BAAI/bge-reranker-v2-m3", **{"llm-d.ai__role": "decode"}) == "decode"
    assert stage(VLLM, "--model", "org/m", **{"llm-d.ai__role": "prefill-decode"}) == ""


def test_weights_are_those_of_the_catalogue_in_a_type_that_is_known() -> None:
    def weight(*args: str) -> Any:
        return facts({"containers": [{"image": VLLM, "args": list(args)}]}).get(WEIGHTS)

    whole = weight("--model", "meta-llama/Llama-3.1-8B-Instruct")
    assert whole == pytest.approx(16.06e9, rel=0.01)
    half = weight("--model", "meta-llama/Llama-3.1-8B-Instruct", "--quantization", "fp8")
    assert 0.5 < half / whole < 0.65
    quarter = weight("--model", "meta-llama/Llama-3.1-8B-Instruct", "--quantization", "awq")
    assert quarter < half
    assert weight("--model", "/weights/Llama-3.1-8B-Instruct/") == whole, "a folder that bears the model's name"
    assert weight("--model", "/weights/of-our-own") is None
    assert weight("--model", "org/nobody-knows-it") is None
    assert weight("--model", "meta-llama/Llama-3.1-8B-Instruct", "--quantization", "of-our-own") is None


def event(message: str = LATE, last: str = AGO_5, **more: Any) -> dict[str, Any]:
    about = {"kind": "Pod", "namespace": "team", "name": "app-0"}
    return {"reason": "Unhealthy", "message": message, "lastTimestamp": last, "involvedObject": about, **more}


def timeouts(*events: Any, listed: bool = True) -> float | str | None:
    return facts({"containers": [{"image": VLLM}]}, *events, listed=listed).get(PROBE_TIMEOUTS)


def test_probes_without_an_answer_are_counted_lately() -> None:
    assert timeouts() == 0
    assert timeouts(event()) == 1
    assert timeouts(event(count=12), event("Liveness probe failed: Get x: i/o timeout", count=3)) == 15
    assert timeouts(event(series={"count": 4})) == 4
    # Twenty within twenty minutes are ten within ten.
    assert timeouts(event(count=20, firstTimestamp=AGO_25)) == 10
    assert timeouts(event(last=AGO_25, count=40)) == 0
    assert timeouts(event(count=500, firstTimestamp=AGO_40, last=AGO_5)) == 143
    assert timeouts(listed=False) is None


@pytest.mark.parametrize(
    "message",
    [
        'Readiness probe failed: Get "http://10.1.2.3:8000/health": dial tcp 10.1.2.3:8000: connect: connection refused',
        "Readiness probe failed: HTTP probe failed with statuscode: 503",
        "Client.Timeout exceeded while pulling",
        "",
    ],
)
def test_other_failures_of_probes_are_none(message: str) -> None:
    assert timeouts(event(message)) == 0


def test_other_events_are_none() -> None:
    assert timeouts(event(involvedObject={"kind": "Node", "namespace": "team", "name": "app-0"})) == 0
    assert timeouts(event(reason="BackOff")) == 0
    assert timeouts(event(last="no time"), event(count=True), event(count="many", message=LATE * 1000)) == 2


@pytest.mark.parametrize(
    "spec",
    [
        None,
        {},
        {"containers": None},
        {"containers": [{"image": 7, "args": "x"}]},
        {"containers": [{"args": [None, 3]}]},
    ],
)
def test_broken_pods_are_no_stage(spec: Any) -> None:
    assert facts(spec)[STAGE] == ""
    assert WEIGHTS not in facts(spec)


def test_what_has_no_name_tells_nothing() -> None:
    items: dict[str, list[Any]] = {"pods": [{}, {"metadata": {"name": "x"}}], "events": [{}, {"involvedObject": None}]}
    assert list(read(Listed(NOW, items))) == []


def test_unicode_and_huge_texts_are_read() -> None:
    assert stage("régistre/\U0001f600:latest", "--model", "é" * 100_000) == ""
    assert timeouts(event("\U0001f600" * 100_000)) == 0
