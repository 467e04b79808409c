"""What readiness rules ask of a real Prometheus: its own API, clocks and disks of nodes, which series exist, how often it scrapes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.fleet.prometheus import Prometheus
from tests.tools import worlds
from tests.tools.worlds import START, World, listings, node, owned, pod
from tools.casebook import asks
from tools.diagnose import run
from tools.outcomes import Outcome, Verdict
from tools.reading import Blind, Reason
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey
from tools.vocabulary.pipelines import NODE_CPU_BUSY, NODE_CPUS
from tools.vocabulary.readiness import CLOCK_SYNCED, DISK_FREE


@pytest.fixture(scope="module")
def prom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromSource]:
    world = World(START)
    engine: dict[str, Any] = {"namespace": "team", "pod": "app-1-a", "model_name": "org/m"}
    world.gauge("vllm:num_requests_running", 2, **engine)
    world.gauge("vllm:kv_cache_usage_perc", 0.5, **engine)
    world.histogram("vllm:time_to_first_token_seconds", {"1": 1.0, "+Inf": 0.0}, 0.5, **engine)
    # Nothing was asked in the window: the histogram is there all the same.
    world.histogram("vllm:inter_token_latency_seconds", {"1": 0.0, "+Inf": 0.0}, 0.0, **engine)
    world.gauge("up", 1, namespace="team", pod="app-1-a", job="vllm", instance="10.0.0.1:8000", over=1800)
    for name, synced, free in (("n1", 1.0, 50.0), ("n2", 0.0, 10.0)):
        at: dict[str, Any] = {"instance": f"{name}:9100", "job": "node-exporter", "over": 3600}
        world.gauge("node_uname_info", 1, nodename=name, **at)
        world.gauge("node_timex_sync_status", synced, **at)
        world.gauge("node_filesystem_avail_bytes", free, mountpoint="/", fstype="ext4", **at)
        world.gauge("node_filesystem_size_bytes", 100, mountpoint="/", fstype="ext4", **at)
        world.gauge("node_filesystem_avail_bytes", 1, mountpoint="/data", fstype="xfs", **at)
        world.gauge("node_filesystem_size_bytes", 100, mountpoint="/data", fstype="xfs", **at)
        world.gpu(f"G-{name}", gpu="0", Hostname=name, namespace="team", pod="app-1-a" if name == "n1" else "")
    path = tmp_path_factory.mktemp("rules") / "rules.om"
    worlds.write({"rules": world}, path)
    with Prometheus([path]) as prometheus:
        yield PromSource(prometheus.url)


@pytest.fixture(scope="module")
def outcomes(prom: PromSource) -> dict[str, list[Outcome]]:
    kube = FakeKube(
        listings(
            pods=[pod("app-1-a", owner=("ReplicaSet", "app-1"), gpus=1)],
            nodes=[node("n1", 1), node("n2", 1)],
            replicasets=[owned("ReplicaSet", "app-1", "app")],
            deployments=[owned("Deployment", "app")],
        )
    )
    taken = survey(prom, kube, asks(rules=True), START)
    found: dict[str, list[Outcome]] = {}
    for outcome in run(taken, {}, rules=True):
        found.setdefault(outcome.case.id, []).append(outcome)
    return found


def verdicts(outcomes: dict[str, list[Outcome]], check: str) -> dict[str, Verdict]:
    return {one.subject.name: one.verdict for one in outcomes[check]}


@pytest.mark.parametrize("named", [False, True])
def test_a_label_names_the_node_where_no_kernel_does(tmp_path: Path, named: bool) -> None:
    world = World(START)
    for name, free in (("n1", 50.0), ("n2", 10.0)):
        at: dict[str, Any] = {"instance": f"{name}:9100", "job": "node-exporter", "node": name, "over": 3600}
        if named:
            world.gauge("node_uname_info", 1, nodename=name, **at)
        world.gauge("node_load1", 1, **at)
        world.gauge("node_timex_sync_status", float(free > 20), **at)
        world.gauge("node_filesystem_avail_bytes", free, mountpoint="/", **at)
        world.gauge("node_filesystem_size_bytes", 100, mountpoint="/", **at)
        for cpu in "01":
            world.counter("node_cpu_seconds_total", free / 200, cpu=cpu, mode="idle", **at)
            world.counter("node_cpu_seconds_total", 1 - free / 200, cpu=cpu, mode="user", **at)
    worlds.write({"nodes": world}, tmp_path / "nodes.om")
    kube = FakeKube(listings(nodes=[node("n1", 1), node("n2", 1)]))
    wanted = {DISK_FREE.now, CLOCK_SYNCED.max("30m"), NODE_CPUS.now, NODE_CPU_BUSY.avg("10m")}
    with Prometheus([tmp_path / "nodes.om"]) as prometheus:
        taken = survey(PromSource(prometheus.url), kube, wanted, START)
    assert [taken.read(DISK_FREE.now, name).value for name in ("n1", "n2")] == [0.5, 0.1]
    assert [taken.read(CLOCK_SYNCED.max("30m"), name).value for name in ("n1", "n2")] == [1, 0]
    assert taken.read(NODE_CPUS.now, "n1").value == 2
    assert taken.read(NODE_CPU_BUSY.avg("10m"), "n2").value == pytest.approx(0.95)
    asked = {part.source for column in taken.columns.values() for part in column.parts if part.values}
    assert len(asked) == 1, "whoever is named by both is asked once"


def test_clocks_and_root_disks_are_told_by_node(outcomes: dict[str, list[Outcome]]) -> None:
    expected = {"n1": Verdict.QUIET, "n2": Verdict.FIRES}
    assert verdicts(outcomes, "node_clock_unsynced") == expected
    assert verdicts(outcomes, "node_disk_nearly_full") == expected
    said = next(one.because for one in outcomes["node_disk_nearly_full"] if one.because)
    assert said.sentence == "n2 has 10 % of its root file system free."


def test_a_prometheus_without_rules_alerts_nobody(outcomes: dict[str, list[Outcome]]) -> None:
    for check in ("no_latency_alert", "no_error_alert", "no_down_alert", "no_queue_alert", "no_stall_alert"):
        assert verdicts(outcomes, check) == {"app": Verdict.FIRES}
    for check in ("no_gpu_fault_alert", "no_idle_gpu_alert", "no_alertmanager"):
        assert verdicts(outcomes, check) == {"default": Verdict.FIRES}
    assert verdicts(outcomes, "rules_failing") == {"default": Verdict.QUIET}
    assert verdicts(outcomes, "alerts_without_runbook") == {"app": Verdict.QUIET}
    evidence = outcomes["no_latency_alert"][0].because
    assert evidence is not None
    assert evidence.evidence[0].query == "GET /api/v1/rules"


def test_its_retention_is_read(outcomes: dict[str, list[Outcome]]) -> None:
    assert verdicts(outcomes, "metrics_kept_too_briefly") == {"default": Verdict.QUIET}


def test_missing_series_are_told_of_who_reports(outcomes: dict[str, list[Outcome]]) -> None:
    said = outcomes["latency_series_missing"][0].because
    assert said is not None
    assert said.sentence == "app-1-a reports without time in the queue."
    assert verdicts(outcomes, "request_counters_missing") == {"app": Verdict.FIRES}
    assert verdicts(outcomes, "gpu_fault_series_missing") == {"n1": Verdict.FIRES, "n2": Verdict.FIRES}
    assert verdicts(outcomes, "gpu_series_without_pod") == {"app": Verdict.QUIET}


def test_the_interval_of_a_minute_is_told(outcomes: dict[str, list[Outcome]]) -> None:
    outcome = outcomes["scrape_interval_long"][0]
    assert outcome.verdict is Verdict.QUIET
    assert outcome.looked_at[0].value == pytest.approx(60, rel=0.11)


def test_without_prometheus_its_rules_are_blind(outcomes: dict[str, list[Outcome]]) -> None:
    away = Blind(Reason.NOT_SET, "no Prometheus is configured")
    kube = FakeKube(listings(pods=[pod("app-1-a", gpus=1)], nodes=[node("n1", 1)]))
    blind = {one.case.id: one for one in run(survey(away, kube, asks(rules=True), START), {}, rules=True)}
    for check in ("no_latency_alert", "metrics_kept_too_briefly", "latency_series_missing", "node_clock_unsynced"):
        assert blind[check].verdict is Verdict.BLIND
        assert outcomes[check][0].verdict is not Verdict.BLIND
