"""Who could not resolve a name needs the cluster's DNS, wherever it runs."""

from __future__ import annotations

from typing import Any

import pytest

from tools.dependencies import supports
from tools.log_lines import matches
from tools.readers import Listed
from tools.reading import Subject
from tools.topology import Pod
from tools.vocabulary.names import LOG_UNRESOLVED

DNS = Subject("deployment", "kube-system", "coredns")
ENGINE = Subject("deployment", "team", "engine")
LINE = (
    "Max retries exceeded with url: /config.json (Caused by NameResolutionError(\"Failed to resolve 'huggingface.co'"
    ' ([Errno -3] Temporary failure in name resolution)"))'
)
IMAGE = "registry.k8s.io/coredns/coredns:v1.11.3"


def made(line: str, *, image: str = IMAGE, ready: bool = False) -> dict[Subject, frozenset[Subject]]:
    pods: list[dict[str, Any]] = [
        {"metadata": {"namespace": "team", "name": "engine-0"}, "spec": {"containers": [{"name": "main"}]}},
        {"metadata": {"namespace": "kube-system", "name": "coredns-0"}, "spec": {}},
    ]
    known = {
        "team/engine-0": Pod("team", "engine-0", "n1", ENGINE, ready=False, gpus=1.0, image="vllm/vllm-openai:v0.11.0"),
        "kube-system/coredns-0": Pod("kube-system", "coredns-0", "n2", DNS, ready=ready, image=image),
    }
    return supports(Listed(0.0, {"pods": pods}, known), {}, {"team/engine-0": line})


def test_a_name_that_was_not_resolved_needs_the_name_server() -> None:
    assert made(LINE) == {DNS: frozenset({ENGINE})}


@pytest.mark.parametrize("image", ["rancher/hardened-coredns:v1.11.1", "gke.gcr.io/k8s-dns-kube-dns:1.22.28"])
def test_it_is_known_by_its_image(image: str) -> None:
    assert made(LINE, image=image) == {DNS: frozenset({ENGINE})}


def test_near_misses() -> None:
    assert made("") == {}
    assert made(LINE, ready=True) == {}
    assert made(LINE, image="registry.local/coredns-dashboard:1") == {}
    assert made(LINE, image="registry.k8s.io/external-dns/external-dns:v0.15.0") == {}


@pytest.mark.parametrize(
    "line",
    [
        LINE,
        "curl: (6) Could not resolve host: models.internal",
        "dial tcp: lookup minio.storage on 10.96.0.10:53: no such host",
        "socket.gaierror: [Errno -2] Name or service not known",
        "error sending request: dns error: failed to lookup address information: Temporary failure in name resolution",
    ],
)
def test_lines_on_a_name_that_is_not_resolved(line: str) -> None:
    told = f"INFO start\n{line}\nOSError: We couldn't connect to 'https://huggingface.co' to load the files"
    assert line[:40] in matches(told)[LOG_UNRESOLVED]


@pytest.mark.parametrize(
    "line",
    [
        "dial tcp 10.0.0.7:443: connect: connection refused",
        "401 Client Error: Unauthorized for url: https://huggingface.co",
        "INFO served model name resolution: using the first of --served-model-name",
        "WARNING Resolved architecture: LlamaForCausalLM",
    ],
)
def test_lines_that_only_look_alike(line: str) -> None:
    assert not matches(line)[LOG_UNRESOLVED]
