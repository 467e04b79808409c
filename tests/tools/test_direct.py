"""Exporters and engines read through the API server, where Prometheus has nothing of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from evals.fleet.api_worlds import StaticWorld
from evals.fleet.kubeapi import KubeApi
from tests.tools.worlds import START, World, listings, node, pod, stamp
from tools.casebook import asks
from tools.diagnose import diagnose
from tools.direct import ENGINES_MOST, EXPORTERS_MOST
from tools.inventory import sources
from tools.observe import observe
from tools.reading import Blind, Reason
from tools.scrape_targets import targets
from tools.signals import (
    ENGINE_AWAKE,
    ENGINE_REPORTING,
    GENERATION_TOKENS,
    GPU_MEM_USED,
    GPU_UTIL,
    KV_USAGE,
    REQUESTS_WAITING,
    TTFT,
    XID_LAST,
    Per,
)
from tools.snapshot import Snapshot
from tools.sources.kube import KubeSource
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.gpu_health import REMAP_PENDING, REMAPPED

SAMPLES = Path(__file__).parent.parent / "metrics"
UNSET = Blind(Reason.NOT_SET, "no Prometheus is configured")
EVERY = {
    *asks(),
    GPU_MEM_USED.now,
    REMAPPED.now,
    KV_USAGE.now,
    KV_USAGE.min("10m"),
    GENERATION_TOKENS.rate("5m"),
    TTFT.p95("5m"),
}
UUID = "00000000-0000-0000-0000-000000000001"
APP = "app-6c8d9f7b5-aaaaa"
UNREADY = {"conditions": [{"type": "Ready", "status": "False"}], "containerStatuses": []}
Worlds = dict[str, World]


# As the README of dcgm-exporter shows it, of a GPU that nobody holds.
_DCGM = "".join(
    f'# HELP {name} told\n# TYPE {name} {kind}\n{name}{{gpu="0",UUID="GPU-{UUID}",pci_bus_id="00000000:00:09.0",device="nvidia0",'
    f'modelName="NVIDIA H100",Hostname="dcgm-exporter-x"}} {value}\n'
    for name, kind, value in (
        ("DCGM_FI_DEV_SM_CLOCK", "gauge", 1755),
        ("DCGM_FI_DEV_GPU_UTIL", "gauge", 97),
        ("DCGM_FI_DEV_FB_USED", "gauge", 72704),
        ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", 3),
        ("DCGM_FI_DEV_XID_ERRORS", "gauge", 0),
    )
)


def sample(name: str) -> str:
    if name == "dcgm_exporter":
        return _DCGM
    return (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


def exporter(name: str, image: str, at: str = "n1", **more: Any) -> dict[str, Any]:
    return pod(name, namespace="gpu-system", owner=("DaemonSet", "x"), node=at, image=image, gpus=0, **more)


def read(
    pods: list[dict[str, Any]], metrics: Any, prom: PromSource | Blind = UNSET, **more: Any
) -> tuple[Snapshot, Any]:
    # The log of one whose first tokens are slow is read.
    logs = {("team", APP, "engine", False): ""}
    kube = FakeKube(listings(pods=pods, nodes=[node("n1", 1)]), logs, metrics=metrics)
    return survey(prom, kube, EVERY, more.pop("now", START), **more), [one for one in kube.asked if one[0] == "scrape"]


def why(taken: Snapshot, ask: Any, key: str) -> str:
    blind = taken.read(ask, key).blind
    assert blind is not None
    return blind.detail


@pytest.mark.parametrize(
    ("image", "name", "port"),
    [
        ("nvcr.io/nvidia/k8s/dcgm-exporter:4.4.1", "dcgm_exporter", 9400),
        ("docker.io/utkuozdemir/nvidia_gpu_exporter:1.14.0", "nvidia_gpu_exporter", 9835),
        ("registry.local/nvitop-exporter:1.7.2", "nvitop_exporter", 8000),
    ],
)
def test_without_prometheus_the_exporter_tells_last_values_and_nothing_over_time(
    image: str, name: str, port: int
) -> None:
    taken, asked = read(
        [exporter("e-0", image), pod(APP, image="busybox")], {("gpu-system", "e-0", port): sample(name)}
    )
    assert asked == [("scrape", "gpu-system", "e-0", port, "/metrics")]
    (gpu,) = taken.topology.gpus.values()
    assert (gpu.key, gpu.node, gpu.index) == (f"GPU-{UUID}", "n1", "0")
    used = taken.read(GPU_MEM_USED.now, gpu.key)
    assert 65e9 < used.number < 80e9
    assert used.source.endswith("read directly")
    if name == "dcgm_exporter":
        assert taken.read(REMAPPED.now, gpu.key).value == 3
    assert used.query.startswith(f"GET /api/v1/namespaces/gpu-system/pods/e-0:{port}/proxy/metrics ")
    assert why(taken, GPU_UTIL.avg("10m"), gpu.key) == (
        "read from the exporter itself, which tells its last value and nothing over 10m"
    )
    (state,) = [one for one in taken.sources if one.name == "GPU exporters in the cluster"]
    assert (state.subjects, state.requests) == (1, 1)
    assert "all 1 were read directly: last values only, nothing over time" in str(state.blind)


def test_a_check_of_a_last_value_is_decided_and_one_over_time_is_blind() -> None:
    text = sample("nvidia_gpu_exporter")
    for name, value in (("remapped_rows_pending", 1), ("clocks_event_reasons_active", 64)):
        series = f'nvidia_smi_{name}{{uuid="{UUID}"}}'
        assert f"{series} 0" in text
        text = text.replace(f"{series} 0", f"{series} {value}")
    pods = [exporter("e-0", "utkuozdemir/nvidia_gpu_exporter"), pod(APP, image="busybox")]
    taken, _ = read(pods, {("gpu-system", "e-0", 9835): text})
    assert taken.read(REMAP_PENDING.now, f"GPU-{UUID}").value == 1
    # It holds the only GPU of the node, and the pod asks for one.
    assert {gpu.pod for gpu in taken.topology.gpus.values()} == {f"team/{APP}"}
    diagnosis = diagnose(taken)
    assert ("row_remap_pending", "gpu/n1/0") in {(one.id, one.subject) for one in diagnosis.findings}
    assert any("thermal_throttle" in spot.why and "nothing over 10m" in spot.why for spot in diagnosis.blind)
    assert "thermal_throttle" not in {one.id for one in (*diagnosis.findings, *diagnosis.ruled_out)}
    assert why(taken, XID_LAST.max("1h"), f"GPU-{UUID}").endswith("nothing over 1h")


def test_where_it_is_forbidden_one_question_is_asked_and_the_blind_spot_says_what_would_show_more() -> None:
    pods = [exporter(f"dcgm-exporter-{i}", "dcgm-exporter") for i in range(5)]
    taken, asked = read(pods, None)
    assert len(asked) == 1
    assert not taken.topology.gpus
    assert [str(one.blind) for one in taken.sources if one.name == "GPU exporters in the cluster"] == [
        "forbidden: we may not ask pods for their metrics"
    ]
    assert "GPU exporters in the cluster" in {spot.what for spot in diagnose(taken).blind}


def test_where_prometheus_has_gpus_the_past_is_asked_or_the_api_is_blind_no_exporter_is(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    pods = [exporter("dcgm-exporter-0", "dcgm-exporter")]
    _, asked = read(pods, {}, prom, now=worlds_by_name["side_by_side"].at)
    assert asked == []
    _, asked = read(pods, {}, past=True)
    assert asked == []
    taken = survey(UNSET, UNSET, EVERY, START)
    assert [one.name for one in taken.sources] == ["Prometheus", "Kubernetes"]


def test_no_more_are_read_than_bearable_those_of_troubled_nodes_first() -> None:
    pods = [exporter(f"dcgm-exporter-{i:02}", "dcgm-exporter", f"n{i:02}") for i in range(30)]
    sick = pod(APP, node="n29", status=UNREADY, image="busybox")
    text = sample("dcgm_exporter")
    metrics = {
        ("gpu-system", f"dcgm-exporter-{i:02}", 9400): text.replace(UUID, f"{UUID[:-2]}{i:02}") for i in range(30)
    }
    taken, asked = read([*pods, sick], metrics)
    assert len(asked) == EXPORTERS_MOST
    assert asked[0][2] == "dcgm-exporter-29"
    assert len({gpu.node for gpu in taken.topology.gpus.values()}) == EXPORTERS_MOST
    assert any(f"{EXPORTERS_MOST} of 30 were read directly" in str(one.blind) for one in taken.sources)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("<html>Sign in</html>", "is no Prometheus exposition"),
        ("", "answers without a single sample"),
        ("up 1\n", "shows no series of dcgm-exporter"),
        (Blind(Reason.SOURCE_DOWN, "connection refused"), "connection refused"),
    ],
)
def test_an_exporter_that_answers_nonsense_is_blind(text: str | Blind, said: str) -> None:
    pods = [exporter("dcgm-exporter-0", "dcgm-exporter"), exporter("dcgm-exporter-1", "dcgm-exporter", "n2")]
    alone, _ = read(pods[:1], {("gpu-system", "dcgm-exporter-0", 9400): text})
    assert [said in str(one.blind) for one in alone.sources if one.name.startswith("GPU exporters")] == [True]
    told = {
        ("gpu-system", "dcgm-exporter-0", 9400): text,
        ("gpu-system", "dcgm-exporter-1", 9400): sample("dcgm_exporter"),
    }
    both, _ = read(pods, told)
    assert [gpu.node for gpu in both.topology.gpus.values()] == ["n2"]
    (state,) = [one for one in both.sources if one.name.startswith("GPU exporters")]
    assert "1 of 2 were read directly" in str(state.blind)
    assert said in str(state.blind)


def test_a_value_that_is_not_a_number_is_none() -> None:
    text = sample("nvitop_exporter").replace("} 72704.0", "} NaN")
    taken, _ = read([exporter("e-0", "nvitop-exporter")], {("gpu-system", "e-0", 8000): text})
    assert why(taken, GPU_MEM_USED.now, f"GPU-{UUID}") == "the value is not a number"


# ------------------------------------------------------------------ engines that nobody scrapes

ENGINE = f"team/{APP}"


def test_an_engine_that_is_not_scraped_tells_last_values_itself(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["nvitop"].at
    engine = pod(APP, args=["--port", "8123"], now=now)
    taken, asked = read([engine], {("team", APP, 8123): sample("vllm_0_33_0")}, prom, now=now)
    assert asked == [("scrape", "team", APP, 8123, "/metrics")]
    assert taken.read(REQUESTS_WAITING.now, ENGINE).blind is None
    assert taken.read(KV_USAGE.now, ENGINE).source == "vLLM, read directly"
    for ask, over in ((KV_USAGE.min("10m"), "10m"), (GENERATION_TOKENS.rate("5m"), "5m"), (TTFT.p95("5m"), "5m")):
        assert (
            why(taken, ask, ENGINE)
            == f"read from the engine itself, which tells its last value and nothing over {over}"
        )


def test_parts_of_a_replica_are_joined_and_of_two_names_the_newer_counts() -> None:
    text = (
        'vllm:num_requests_running{engine="0"} 1\nvllm:num_requests_waiting{engine="0"} 3\nvllm:num_requests_waiting{engine="1"} 4\n'
        'vllm:kv_cache_usage_perc{engine="0"} 0.5\nvllm:kv_cache_usage_perc{engine="1"} 0.7\nvllm:gpu_cache_usage_perc 0.1\n'
        'vllm:engine_sleep_state{sleep_state="awake"} 0\nvllm:engine_sleep_state{sleep_state="weights_offloaded"} 1\n'
    )
    taken, _ = read([pod(APP)], {("team", APP, 8000): text})
    assert taken.read(REQUESTS_WAITING.now, ENGINE).value == 7
    assert taken.read(KV_USAGE.now, ENGINE).value == 0.7
    assert taken.read(ENGINE_AWAKE.now, ENGINE).value == 0


def test_an_engine_that_was_never_scraped_is_not_called_down(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["nvitop"].at
    taken, _ = read([pod(APP, now=now)], None, prom, now=now)
    assert why(taken, ENGINE_REPORTING.now, ENGINE) == (
        "it is not scraped: Prometheus has no target and no series of it"
    )
    diagnosis = diagnose(taken)
    assert "exporter_down" not in {one.id for one in diagnosis.findings}
    spots = [spot for spot in diagnosis.blind if "exporter_down" in spot.why]
    assert any("is not scraped" in spot.why for spot in spots)


def test_an_engine_whose_sisters_are_scraped_is_missed(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["sick"].at
    pods = [pod(name, now=now) for name in (APP, "app-6c8d9f7b5-bbbbb")]
    taken, asked = read(pods, None, prom, now=now)
    assert taken.read(ENGINE_REPORTING.now, ENGINE).value == 1
    assert taken.read(ENGINE_REPORTING.now, "team/app-6c8d9f7b5-bbbbb").value == 0
    assert [one[2] for one in asked] == ["app-6c8d9f7b5-bbbbb"]


def test_an_engine_that_only_just_started_is_no_news() -> None:
    started = {"name": "engine", "restartCount": 0, "state": {"running": {"startedAt": stamp(START - 60)}}}
    status = {"conditions": [{"type": "Ready", "status": "True"}], "containerStatuses": [started]}
    taken, asked = read([pod(APP, status=status)], None)
    assert asked == []
    assert "Engines in the cluster" not in {one.name for one in taken.sources}


def test_few_engines_are_asked_and_none_that_is_not_up() -> None:
    down = pod("down-0", status=UNREADY, owner=("StatefulSet", "down"))
    pods = [pod(f"app-6c8d9f7b5-{i:05}") for i in range(12)]
    _, asked = read([down, *pods], {("team", f"app-6c8d9f7b5-{i:05}", 8000): "up 1\n" for i in range(12)})
    assert len(asked) == ENGINES_MOST
    assert not [one for one in asked if one[2] == "down-0"]


# ------------------------------------------------------------------ where to ask


def port_of(container: dict[str, Any], annotations: Any = None, services: Any = (), image: str = "vllm/x") -> int:
    item = pod(APP)
    item["spec"]["containers"][0] |= {"image": image, **container}
    item["metadata"] |= {"annotations": annotations, "labels": {"app": "a"}}
    seen = observe(FakeKube(listings(pods=[item])), START)
    _, (found,) = targets([item], seen.pods, services)
    return found.port


@pytest.mark.parametrize(
    ("container", "annotations", "port"),
    [
        ({}, None, 8000),
        ({"args": ["--model", "x", "--port=9001"]}, None, 9001),
        ({"command": ["sh", "-c", "exec vllm serve x --port 9002 --tp 2"]}, None, 9002),
        ({"ports": [{"containerPort": 7000}]}, None, 7000),
        ({"ports": [{"containerPort": 7000}, {"containerPort": 8000}]}, None, 8000),
        ({"ports": [{"containerPort": 7000}, {"containerPort": 7001, "name": "metrics"}]}, None, 7001),
        ({"args": ["--port", "9001"]}, {"prometheus.io/port": "9009"}, 9009),
        ({"args": ["--port", "x"], "ports": "none"}, {"prometheus.io/port": "99999"}, 8000),
        ({"args": [None, 3, {"a": 1}], "ports": [None, {"containerPort": True}]}, ["no"], 8000),
        ({"args": "--port 9001", "ports": [{"containerPort": -1}]}, {"prometheus.io/port": "²"}, 8000),
    ],
)
def test_the_port_is_the_one_that_the_pod_tells(container: dict[str, Any], annotations: Any, port: int) -> None:
    assert port_of(container, annotations) == port


def test_a_service_tells_the_port_of_a_pod_that_does_not() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": 8001}, {"name": "metrics", "port": 81, "targetPort": 8002}]
    mine = {"metadata": {"namespace": "team", "name": "a"}, "spec": {"selector": {"app": "a"}, "ports": ports}}
    other = {"metadata": {"namespace": "team", "name": "b"}, "spec": {"selector": {"app": "b"}, "ports": [{"port": 1}]}}
    headless = {"metadata": {"namespace": "team", "name": "c"}, "spec": {"ports": [{"port": 2}]}}
    assert port_of({}, services=[other, headless, mine]) == 8002


def test_an_exporter_is_told_by_its_image_or_its_name() -> None:
    items = [
        exporter("a", "nvcr.io/nvidia/k8s/dcgm-exporter:4"),
        exporter("nvidia-gpu-exporter-x", "mirror.local/7f3a"),
        exporter("b", "nginx"),
        exporter("dcgm-exporter-y", "dcgm-exporter", phase="Pending"),
    ]
    seen = observe(FakeKube(listings(pods=items)), START)
    found, engines = targets(items, seen.pods)
    assert [(one.pod.name, one.source.name) for one in found] == [
        ("a", "dcgm_exporter"),
        ("nvidia-gpu-exporter-x", "nvidia_gpu_exporter"),
    ]
    assert not engines


def test_every_gpu_exporter_can_be_found_in_a_cluster() -> None:
    assert not [one.name for one in sources() if one.per is Per.GPU and not (one.pods and one.port)]


def test_end_to_end_through_the_api_server(prom: PromSource, worlds_by_name: Worlds, tmp_path: Path) -> None:
    now = worlds_by_name["nvitop"].at - 10 * 86_400  # a time of which Prometheus holds nothing
    pods = [exporter("e-0", "nvitop-exporter:1.7.2", now=now), pod(APP, now=now)]
    objects = [{"apiVersion": "v1", "kind": "Pod", **one} for one in pods]
    objects.append({"apiVersion": "v1", "kind": "Node", **node("n1", 1)})
    proxied = {("gpu-system", "e-0", 8000): sample("nvitop_exporter"), ("team", APP, 8000): sample("vllm_0_33_0")}
    for allowed in (proxied, None):
        with KubeApi(StaticWorld(objects), proxied=allowed) as api:
            source = KubeSource.connect(str(api.kubeconfig(tmp_path / "config")))
            assert isinstance(source, KubeSource)
            with source:
                taken = survey(prom, source, EVERY, now)
        assert bool(taken.topology.gpus) is bool(allowed)
        assert (taken.read(KV_USAGE.now, ENGINE).blind is None) is bool(allowed)
        states = {one.name: str(one.blind) for one in taken.sources}
        said = "last values only" if allowed else "deploy/options/pods-proxy allows it"
        assert said in states["GPU exporters in the cluster"]
        assert said in states["Engines in the cluster"]
