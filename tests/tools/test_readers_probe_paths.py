"""What a readiness probe asks, and whether that tells that the model is loaded."""

from __future__ import annotations

from typing import Any

import pytest

from tools.readers import Listed
from tools.readers.manifests import read
from tools.vocabulary.manifests import READINESS_ODD


def asked(probe: Any) -> Any:
    container = {"name": "engine", "resources": {"limits": {"nvidia.com/gpu": "1"}}, "readinessProbe": probe}
    pod = {"metadata": {"namespace": "team", "name": "app-0"}, "spec": {"containers": [container]}}
    found: dict[Any, Any] = {}
    for told in read(Listed(0.0, {"pods": [pod]})):
        found |= told.facts
    return found[READINESS_ODD]


@pytest.mark.parametrize(
    "path", ["/health", "/v2/health/ready", "/v2/models/m/ready", "/ping", "/health_generate", "/healthz?x=1"]
)
def test_a_path_that_is_of_health(path: str) -> None:
    assert asked({"httpGet": {"path": path, "port": 8000}}) == ""


@pytest.mark.parametrize(
    "path", ["/v2/health/live", "/v1/health/live", "/live", "/livez", "/health/liveness", "/metrics", "/docs"]
)
def test_a_path_that_is_of_none_or_only_says_that_the_process_runs(path: str) -> None:
    assert asked({"httpGet": {"path": path, "port": 8000}}) == f"GET {path}"


@pytest.mark.parametrize(
    ("probe", "told"),
    [
        ({"tcpSocket": {"port": 1}}, "whether a TCP port is open"),
        ({"exec": {"command": ["x"]}}, ""),
        ({}, ""),
        (None, ""),
        ("x", ""),
    ],
)
def test_other_probes(probe: Any, told: str) -> None:
    assert asked(probe) == told


def test_a_word_that_only_begins_so_is_none() -> None:
    assert asked({"httpGet": {"path": "/health/livestock"}}) == ""
