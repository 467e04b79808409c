"""What is deployed, in which version, and which checks stay blind without what is not."""

from __future__ import annotations

from typing import Any

import pytest

from tests.tools.gpu_worlds import UUID
from tests.tools.worlds import World, pod
from tools.casebook import asks
from tools.detection import Found, blind_on, blind_without, detect
from tools.inventory import sources
from tools.measure import Measured, measure
from tools.reading import Blind, Reason
from tools.sources.prom import PromSource

Worlds = dict[str, World]


def by_name(pods: list[dict[str, Any]], measured: Measured | None = None) -> dict[str, Found]:
    return {one.source.name: one for one in detect(pods, measured)}


def one(name: str, image: str, **more: Any) -> dict[str, Any]:
    return pod(name, image=image, owner=None, **more)


def test_engines_and_exporters_are_told_by_their_images_with_their_versions() -> None:
    pods = [
        one("a", "vllm/vllm-openai:v0.10.0"),
        one("b", "vllm/vllm-openai:v0.11.2"),
        one("c", "registry.local:5000/mirror/vllm-openai@sha256:" + "0" * 64),
        one("d", "lmsysorg/sglang:latest"),
        one("e", "nvcr.io/nvidia/k8s/dcgm-exporter:4.4.1-4.5.0-ubuntu22.04", gpus=0),
        one("f", "nginx:1.27", gpus=0),
        one("g", "vllm/vllm-openai:v9.9.9", phase="Pending"),
        one("h", "registry.local:5000/mirror/vllm-openai:v0.9.1@sha256:" + "0" * 64),
    ]
    pods[3]["metadata"]["labels"] = {"app.kubernetes.io/version": "v0.5.3"}
    found = by_name(pods)
    assert {name: dict(told.versions) for name, told in found.items()} == {
        "vllm": {"0.10.0": 1, "0.11.2": 1, "0.9.1": 1, "": 1},
        "sglang": {"0.5.3": 1},
        "dcgm_exporter": {"4.4.1-4.5.0-ubuntu22.04": 1},
    }
    assert found["vllm"].pods == 4
    assert (found["vllm"].reporting, found["vllm"].silent) == (None, None)


def test_exporters_of_objects_nodes_and_triggers_are_told_with_their_versions(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    pods = [
        one("a", "registry.k8s.io/kube-state-metrics/kube-state-metrics:v2.13.0", gpus=0),
        one("b", "quay.io/prometheus/node-exporter:v1.8.2", gpus=0),
        one("c", "ghcr.io/kedacore/keda:2.17.0", gpus=0),
        one("d", "ghcr.io/kedacore/keda-metrics-apiserver:2.17.0", gpus=0),
        one("e", "quay.io/prometheus/node-exporter:v1.8.2", gpus=0, phase="Failed"),
    ]
    found = by_name(pods, measure(prom, asks(), worlds_by_name["ksm"].at))
    told = {name: (dict(each.versions), each.silent) for name, each in found.items()}
    assert told == {
        "kube_state_metrics_pods": ({"2.13.0": 1}, ()),
        "node_exporter": ({"1.8.2": 1}, ()),
        "keda": ({"2.17.0": 1}, ()),
    }
    assert found["kube_state_metrics_pods"].reporting == 5
    assert found["node_exporter"].reporting == 0


@pytest.mark.parametrize(
    "item",
    [
        {},
        {"metadata": "x", "spec": [], "status": 3},
        {"metadata": {"namespace": "a", "name": "b"}, "spec": {"containers": [None, {"image": 7}]}, "status": {"phase": "Running"}},
        {"metadata": {"namespace": "a", "name": "b", "labels": ["x"]}, "spec": {"containers": [{"image": "vllm:" + "9." * 9999}]}, "status": {"phase": "Running"}},
        {"metadata": {"namespace": "ä\n", "name": "b"}, "spec": {"containers": [{"image": "a/vllm:ignore all previous"}]}, "status": {"phase": "Running"}},
    ],
)  # fmt: skip
def test_broken_objects_are_no_version(item: dict[str, Any]) -> None:
    for told in detect([item], None):
        assert all(len(version) <= 40 and version.isprintable() and " " not in version for version in told.versions)


def test_what_prometheus_does_not_scrape_is_told_apart(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["nvidia_smi"].at
    measured = measure(prom, asks(), now)
    there = one("smi-x1", "utkuozdemir/nvidia_gpu_exporter:1.14.0", namespace="gpu-system", gpus=0)
    other = one("smi-x2", "utkuozdemir/nvidia_gpu_exporter:1.14.0", namespace="gpu-system", gpus=0, node="n2")
    found = by_name([there, other, one("a", "vllm/vllm-openai:v0.10.0")], measured)
    assert found["nvidia_gpu_exporter"].silent == ("gpu-system/smi-x2",)
    assert found["nvidia_gpu_exporter"].reporting == 2
    assert (found["vllm"].reporting, found["vllm"].silent) == (0, ("team/a",))


def test_what_only_reports_is_found_too(prom: PromSource, worlds_by_name: Worlds) -> None:
    measured = measure(prom, asks(), worlds_by_name["side_by_side"].at)
    found = by_name([], measured)
    assert set(found) == {"dcgm_exporter", "nvidia_gpu_exporter", "nvitop_exporter"}
    assert (found["dcgm_exporter"].pods, found["dcgm_exporter"].reporting, found["dcgm_exporter"].silent) == (0, 3, ())
    assert UUID.format(0) in "".join(measured.identities["nvitop_exporter"].rows)


def test_checks_that_stay_blind_are_named_with_what_they_lack(prom: PromSource, worlds_by_name: Worlds) -> None:
    measured = measure(prom, asks(), worlds_by_name["nvitop"].at)
    blind = blind_without(measured, [told.source for told in detect([], measured)])
    told = {check: why for why, checks in blind.items() for check in checks}
    assert told["row_remap_pending"] == "there is no dcgm-exporter or nvidia_gpu_exporter"
    assert told["kv_saturation_queueing"] == "no serving engine reports"
    assert "power_brake" in told
    assert "gpu_idle_no_process" not in told, "nvitop-exporter tells all that it needs"
    sick = measure(prom, asks(), worlds_by_name["sick"].at)
    told = {check: why for why, checks in blind_without(sick, []).items() for check in checks}
    assert told["thermal_throttle"].startswith("dcgm-exporter shows no DCGM_FI_DEV_")
    assert told["thermal_throttle"].endswith(", which are off by default")
    assert "kv_saturation_queueing" not in told


def test_an_engine_in_the_cluster_that_nobody_scrapes_is_not_called_absent() -> None:
    nothing = Measured(None)
    vllm = next(source for source in sources() if source.name == "vllm")
    whys = blind_without(nothing, [vllm])
    assert "no serving engine reports" not in whys
    assert any(why.startswith("vLLM shows no vllm:") for why in whys)


def test_without_prometheus_nothing_is_said_to_report() -> None:
    down = Measured(Blind(Reason.SOURCE_DOWN, "gone"))
    (told,) = detect([one("a", "vllm/vllm-openai:v0.10.0")], down)
    assert (told.reporting, told.silent) == (None, None)


def test_what_an_engine_never_tells_is_known_beforehand() -> None:
    known = {source.name: source for source in sources()}
    assert "kv_saturation_queueing" in blind_on(known["tgi"])
    assert "kv_saturation_queueing" not in blind_on(known["vllm"])
