"""Which ports of a serving pod do not match: the engine's (stated, its default, or that of its image), its probes', its Service's."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers.services import _apart, _no_way_in

TGI = "ghcr.io/huggingface/text-generation-inference:2.4.0"
TEI = "registry.local:5000/huggingface/text-embeddings-inference:1.9@sha256:ab"


def told(
    image: str, args: list[str], *, port: int | None = None, probe: Any = None, service: Any = None, **more: Any
) -> list[str]:
    container: dict[str, Any] = {"name": "main", "image": image, "args": args, **more}
    if port is not None:
        container["ports"] = [{"name": "http", "containerPort": port}]
    if probe is not None:
        container["readinessProbe"] = {"httpGet": {"path": "/health", "port": probe}}
    services = [
        {"metadata": {"namespace": "team", "name": "s"}, "spec": {"ports": [{"port": 80, "targetPort": service}]}}
    ]
    return list(_apart({"spec": {"containers": [container]}}, services if service is not None else []))


@pytest.mark.parametrize(
    ("image", "args", "listens"),
    [
        ("vllm/vllm-openai:v0.11.0", ["--model", "m"], 8000),
        ("vllm/vllm-openai:v0.11.0", ["--model", "m", "--port", "9000"], 9000),
        ("lmsysorg/sglang:v0.5.3", ["python3", "-m", "sglang.launch_server", "--model-path", "m"], 30000),
        (TGI, ["--model-id", "m"], 80),
        (TGI, ["--model-id", "m", "--port", "3000"], 3000),
        (TEI, ["--model-id", "m"], 80),
    ],
)
def test_where_the_engine_listens(image: str, args: list[str], listens: int) -> None:
    assert told(image, args, port=listens, probe=listens, service=listens) == []
    assert told(image, args, probe=listens + 1) == [
        f"the readiness probe asks port {listens + 1}, the engine listens on {listens}"
    ]
    assert told(image, args, port=listens + 1, probe="http") == [
        f"the engine listens on {listens}, its container declares {listens + 1}",
        f"the readiness probe asks port http, the engine listens on {listens}",
    ]
    assert told(image, args, service=listens + 1) == [
        f"service s sends to port {listens + 1}, which no container declares"
    ]


@pytest.mark.parametrize(
    ("image", "more"),
    [
        # Whoever may set the port unseen is not contradicted.
        (TGI, {"envFrom": [{"configMapRef": {"name": "x"}}]}),
        (TGI, {"env": [{"name": "PORT", "valueFrom": {"secretKeyRef": {"name": "x", "key": "y"}}}]}),
        ("ghcr.io/huggingface/text-generation-inference:2.4.0-sagemaker", {}),
        ("mirror/text-generation-inference:2.4.0", {}),
        ("vllm/vllm-openai:v0.11.0", {"command": ["/start.sh"]}),
        ("own/server:1", {}),
    ],
)
def test_where_nobody_knows_it_nothing_is_said(image: str, more: dict[str, Any]) -> None:
    assert told(image, ["--model-id", "m"], port=8080, probe=8080, service=8080, **more) == []


def test_names_that_nobody_gives() -> None:
    assert told("own/server:1", [], port=8080, probe="metrics", service="grpc") == [
        "the readiness probe asks port metrics, which no container names",
        "service s sends to port grpc, which no container names",
    ]


@pytest.mark.parametrize(
    ("specs", "said"),
    [
        ([{"ports": [{"port": 80, "targetPort": 8080}]}], "s0"),
        ([{"ports": [{"port": 80, "targetPort": "web"}]}], "s0"),
        ([{"ports": [{"port": 80, "targetPort": 8080}, {"port": 81, "targetPort": 3000}]}], ""),
        ([{"ports": [{"port": 9090}]}, {"ports": [{"port": 80, "targetPort": "http"}]}], ""),
        ([{"ports": [{"port": 80, "targetPort": 8080}]}, {"ports": [{"port": 9090}]}], "s0, s1"),
        ([{"clusterIP": "None", "ports": [{"port": 80, "targetPort": 8080}]}], ""),
        ([{"ports": [{"port": 3000}]}], ""),
        ([], ""),
    ],
    ids=["astray", "by a name", "another port", "another Service", "both astray", "no address", "right", "none"],
)
def test_whether_any_service_leads_to_the_pod(specs: list[dict[str, Any]], said: str) -> None:
    services = [{"metadata": {"namespace": "team", "name": f"s{i}"}, "spec": spec} for i, spec in enumerate(specs)]
    container = {
        "name": "main",
        "image": TEI,
        "args": ["--port", "3000"],
        "ports": [{"name": "http", "containerPort": 3000}],
    }
    assert _no_way_in({"spec": {"containers": [container]}}, services) == said
