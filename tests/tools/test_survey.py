"""Prometheus and Kubernetes together: who is where, what is blind, and why."""

from __future__ import annotations

from typing import Any

import pytest

import tools.survey as survey_module
from tests.tools.worlds import World, crashed, hpa, listings, node, owned, pod
from tools import failing_replicas
from tools.casebook import asks
from tools.columns import Part
from tools.measure import Measured
from tools.observe import KINDS, LOGS_OF, LOGS_PER_WORKLOAD, observe
from tools.reading import Blind, Reason, Subject
from tools.signals import (
    CLUSTER_GPUS_FREE,
    ENGINE_REPORTING,
    EXIT_CODE,
    GPU_REQUEST,
    GPU_UTIL,
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    KV_USAGE,
    LOG_CUDA_OOM,
    NODE_GPUS,
    NODE_GPUS_REPORTING,
    NODE_READY,
    POD_PHASE,
    RUNNING_FOR,
    SHM_SIZE,
    SIGNALS,
    STANDBY,
    TERMINATION,
    UNSCHEDULABLE,
    XID_BEFORE,
    XID_LAST,
    Ask,
    Kind,
)
from tools.snapshot import Snapshot
from tools.sources.kube import path_of
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource, Result
from tools.survey import survey
from tools.topology import Gpu, Topology
from tools.vocabulary.gpu_software import LOG_VERSIONS
from tools.vocabulary.startup import LOG_DRIVER
from tools.watching import DECLARED

APP = "team/app-6c8d9f7b5-aaaaa"
FORBIDDEN = Blind(Reason.FORBIDDEN, "we may not list pods")
DOWN = Blind(Reason.SOURCE_DOWN, "the API cannot be reached")
UNSET = Blind(Reason.NOT_SET, "nothing is set")
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB"
Worlds = dict[str, World]
EVERY = asks() | {signal.now for signal in SIGNALS.values() if signal.kind is Kind.FACT}


def why(taken: Snapshot, ask: Ask, key: str) -> Reason | None:
    blind = taken.read(ask, key).blind
    return blind.reason if blind else None


def gpus(taken: Snapshot) -> dict[str, tuple[str, str, str | None]]:
    return {key: (gpu.node, gpu.index, gpu.pod) for key, gpu in taken.topology.gpus.items()}


def exporter(node_name: str) -> dict[str, Any]:
    return pod(
        "nvidia-dcgm-exporter-x1",
        namespace="gpu-system",
        owner=("DaemonSet", "dcgm"),
        node=node_name,
        image="dcgm",
        gpus=0,
    )


# ------------------------------------------------------------------ labels


def test_honoured_labels_an_idle_gpu_belongs_to_nobody_and_lies_where_its_exporter_runs(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    now = worlds_by_name["true_labels"].at
    kube = FakeKube(
        listings(pods=[exporter("n2"), pod("app-6c8d9f7b5-aaaaa", node="n1", now=now)], nodes=[node("n1"), node("n2")])
    )
    taken = survey(prom, kube, EVERY, now)
    assert gpus(taken) == {"GPU-a": ("n1", "0", APP), "GPU-b": ("n2", "1", None), "GPU-c": ("n3", "2", "lab/train-0")}


def test_renamed_labels_say_the_same(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["exported"].at
    kube = FakeKube(listings(pods=[exporter("n2"), pod("app-6c8d9f7b5-aaaaa", node="n2", now=now)], nodes=[node("n2")]))
    taken = survey(prom, kube, EVERY, now)
    assert gpus(taken) == {"GPU-a": ("n2", "0", APP), "GPU-b": ("n2", "1", None), "GPU-c": ("n7", "0", "lab/train-0")}
    assert taken.topology.gpus_of(Subject("deployment", "team", "app")) == ("GPU-a",)


def test_a_host_name_that_is_no_node_name_does_not_make_a_node(prom: PromSource, worlds_by_name: Worlds) -> None:
    """The pod that holds the GPU says which node it is; else the node would seem to have no metrics."""
    now = worlds_by_name["fqdn"].at
    kube = FakeKube(listings(pods=[pod("app-6c8d9f7b5-aaaaa", node="n1", now=now)], nodes=[node("n1", 1)]))
    taken = survey(prom, kube, EVERY, now)
    assert taken.topology.nodes == ("n1",)
    assert taken.read(NODE_GPUS_REPORTING.now, "n1").value == 1


def test_mig_instances_have_their_own_subjects(prom: PromSource, worlds_by_name: Worlds) -> None:
    taken = survey(prom, UNSET, EVERY, worlds_by_name["mig"].at)
    assert gpus(taken) == {"GPU-a/1": ("n1", "0:1", "team/slice-1"), "GPU-a/2": ("n1", "0:2", "team/slice-2")}


def test_silent_gpus_do_not_count_as_reporting(prom: PromSource, worlds_by_name: Worlds) -> None:
    taken = survey(prom, UNSET, EVERY, worlds_by_name["stale"].at)
    assert taken.read(NODE_GPUS_REPORTING.now, "n1").value == 0
    assert taken.read(NODE_GPUS_REPORTING.now, "n2").value == 1
    vanished = survey(prom, UNSET, EVERY, worlds_by_name["vanished"].at)
    assert set(vanished.topology.gpus) == {"GPU-gone", "GPU-here"}
    assert vanished.read(NODE_GPUS_REPORTING.now, "n1").value == 1


def test_an_autoscaler_whose_exporter_fell_silent_is_stale(prom: PromSource, worlds_by_name: Worlds) -> None:
    taken = survey(prom, UNSET, EVERY, worlds_by_name["stale"].at)
    assert why(taken, HPA_MAX.now, "deployment/team/app") is Reason.STALE


# ------------------------------------------------------------------ the API is blind


def from_series(taken: Snapshot) -> None:
    assert {str(one) for one in taken.topology.workloads} == {
        "deployment/team/app", "statefulset/team/db", "job/team/job-x", "pod/team/bare", "pod/team/static-n1",
    }  # fmt: skip
    assert taken.read(POD_PHASE.now, APP).value == "Running"
    assert taken.read(GPU_REQUEST.now, APP).value == 2
    assert taken.read(EXIT_CODE.now, APP).value == 137
    assert taken.read(TERMINATION.now, APP).value == "OOMKilled"
    assert taken.read(RUNNING_FOR.now, APP).value == pytest.approx(3000, abs=1)
    assert taken.topology.pods["team/db-0"].ready is False
    assert taken.topology.pods[APP].gpus == 2


@pytest.mark.parametrize("world", ["ksm", "ksm_exported"])
@pytest.mark.parametrize("how", ["pods", "everything", "not set", "past"])
def test_facts_come_from_kube_state_metrics_where_the_api_is_blind(
    prom: PromSource, worlds_by_name: Worlds, world: str, how: str
) -> None:
    now = worlds_by_name[world].at
    kube: FakeKube | Blind = UNSET
    if how == "pods":
        kube = FakeKube(listings(pods=FORBIDDEN, nodes=[node("n1", 4)]))
    elif how in {"everything", "past"}:
        kube = FakeKube(dict.fromkeys((*KINDS, DECLARED), DOWN)) if how == "everything" else FakeKube({})
    taken = survey(prom, kube, EVERY, now, past=how == "past")
    from_series(taken)
    assert taken.read(NODE_GPUS.now, "n1").value == (4 if how == "pods" else 8)
    if how != "pods":
        assert taken.read(NODE_READY.now, "n1").value == 1
        assert taken.read(HPA_MAX.now, "deployment/team/app").value == 8
        assert taken.read(HPA_METRICS.now, "deployment/team/app").value == "cpu, memory"
    # What no series carries stays blind, with the reason of the API.
    reason = {
        "pods": Reason.FORBIDDEN,
        "everything": Reason.SOURCE_DOWN,
        "not set": Reason.NOT_SET,
        "past": Reason.NOT_KEPT,
    }[how]
    for ask in (SHM_SIZE.now, UNSCHEDULABLE.now, LOG_CUDA_OOM.now):
        assert why(taken, ask, APP) is reason, str(ask)
    if how == "past":
        assert isinstance(kube, FakeKube)
        assert kube.asked == [], "the present is not asked for the past"


def test_pods_that_are_not_ready_are_known_to_be_whatever_the_checks_ask(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    taken = survey(prom, UNSET, [KV_USAGE.now], worlds_by_name["ksm"].at)
    assert taken.topology.pods["team/db-0"].ready is False
    assert taken.topology.pods[APP].gpus == 2


def test_both_reasons_are_said_where_neither_has_it(prom: PromSource, worlds_by_name: Worlds) -> None:
    kube = FakeKube(listings(pods=FORBIDDEN))
    taken = survey(prom, kube, EVERY, worlds_by_name["sick"].at)
    blind = taken.read(TERMINATION.now, APP).blind
    assert blind is not None
    assert blind.reason is Reason.FORBIDDEN
    assert "we may not list pods" in blind.detail
    assert "Prometheus has no kube_pod_info" in blind.detail


def test_nodes_alone_forbidden(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["ksm"].at
    kube = FakeKube(
        listings(
            pods=[pod("app-6c8d9f7b5-aaaaa", gpus=3, now=now)], nodes=Blind(Reason.FORBIDDEN, "we may not list nodes")
        )
    )
    taken = survey(prom, kube, EVERY, now)
    assert taken.read(GPU_REQUEST.now, APP).value == 3, "the API's own object, not the series"
    assert taken.read(GPU_REQUEST.now, APP).source == "Kubernetes API"
    assert taken.read(NODE_GPUS.now, "n1").value == 8
    assert taken.read(NODE_GPUS.now, "n1").source.startswith("kube-state-metrics")
    assert why(taken, CLUSTER_GPUS_FREE.now, "cluster/default") is Reason.FORBIDDEN


def test_what_the_api_lists_is_not_asked_of_prometheus(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["ksm"].at
    kube = FakeKube(
        listings(
            pods=[pod("app-6c8d9f7b5-zzzzz", now=now)],
            nodes=[node("n1", 2)],
            horizontalpodautoscalers=[hpa("app", desired=5)],
        )
    )
    taken = survey(prom, kube, EVERY, now)
    assert set(taken.topology.pods) == {"team/app-6c8d9f7b5-zzzzz"}
    assert taken.read(NODE_GPUS.now, "n1").value == 2
    assert taken.read(HPA_DESIRED.now, "deployment/team/app").value == 5


def test_without_an_autoscaler_nothing_is_observed_of_one(prom: PromSource, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["sick"].at
    pods = [pod("app-6c8d9f7b5-aaaaa", now=now)]
    # Its first tokens take seconds: what its log says of that is read, too.
    logs = {("team", "app-6c8d9f7b5-aaaaa", "engine", False): ""}
    taken = survey(prom, FakeKube(listings(pods=pods), logs), EVERY, now)
    assert why(taken, HPA_METRICS.now, "deployment/team/app") is Reason.NOTHING_OBSERVED
    forbidden = FakeKube(listings(pods=pods, horizontalpodautoscalers=FORBIDDEN), logs)
    assert why(survey(prom, forbidden, EVERY, now), HPA_METRICS.now, "deployment/team/app") is Reason.FORBIDDEN


def test_nothing_configured_at_all() -> None:
    taken = survey(UNSET, UNSET, EVERY, 1.0)
    assert taken.sees_nothing
    assert taken.requests == 0
    assert taken.topology.workloads == {}
    assert {state.name for state in taken.sources} == {"Prometheus", "Kubernetes"}
    assert all(why(taken, ask, "x/y/z") is Reason.NOT_SET for ask in EVERY)


def test_pods_of_an_earlier_release_do_not_haunt(prom: PromSource, worlds_by_name: Worlds) -> None:
    """Its series end 25 min ago, and kube-state-metrics no longer knows it."""
    taken = survey(prom, UNSET, EVERY, worlds_by_name["rollout"].at)
    assert taken.topology.workloads[Subject("deployment", "team", "app")] == (APP,)


def test_without_kube_state_metrics_an_engine_that_fell_silent_is_remembered(
    prom: PromSource, worlds_by_name: Worlds
) -> None:
    now = worlds_by_name["nothing"].at + 600
    taken = survey(prom, UNSET, EVERY, now)
    assert "team/gone-0" in taken.topology.pods
    assert taken.read(ENGINE_REPORTING.now, "team/gone-0").value == 0


# ------------------------------------------------------------------ Prometheus is half broken


class Failing(PromSource):
    """Names come, every query fails."""

    def query(self, query: str, at: float) -> Result:
        with self._lock:
            self.requests += 1
        return Result(query, (), Blind(Reason.SOURCE_DOWN, "Prometheus did not answer within 20 s"))


def test_a_server_that_only_lists_names_is_down_not_empty(server: str, worlds_by_name: Worlds) -> None:
    now = worlds_by_name["sick"].at
    kube = FakeKube(listings(pods=[pod("app-6c8d9f7b5-aaaaa", now=now)], nodes=[node("n1")]))
    taken = survey(Failing(server), kube, EVERY, now)
    state = next(one for one in taken.sources if one.name == "Prometheus")
    assert state.blind is not None
    assert state.blind.reason is Reason.SOURCE_DOWN
    for ask, key in (
        (KV_USAGE.now, APP),
        (ENGINE_REPORTING.now, APP),
        (NODE_GPUS_REPORTING.now, "n1"),
        (GPU_UTIL.now, ""),
    ):
        assert taken.read(ask, key).value is None, f"{ask} is said to be {taken.read(ask, key).value}"
    assert why(taken, ENGINE_REPORTING.now, APP) is Reason.SOURCE_DOWN


def test_an_empty_server_is_said_to_hold_nothing(prom: PromSource) -> None:
    taken = survey(prom, UNSET, EVERY, 1_000_000_000.0)
    assert taken.sees_nothing
    assert "holds no series that Rackside knows" in str(taken.sources[0].blind)


def test_an_empty_api_is_said_to_show_nothing() -> None:
    taken = survey(UNSET, FakeKube(listings()), EVERY, 1.0)
    assert "shows neither pods nor nodes" in str(taken.sources[1].blind)


# ------------------------------------------------------------------ owners, logs


def test_owners_with_and_without_replicasets() -> None:
    pods = [
        pod("web-7f9c-abcde", owner=("ReplicaSet", "web-7f9c")), pod("db-0", owner=("StatefulSet", "db")), pod("bare", owner=None),
        pod("job-x-1", owner=("Job", "job-x")), pod("custom", owner=("LeaderWorkerSet", "lws")),
    ]  # fmt: skip
    listed = observe(
        FakeKube(
            listings(
                pods=pods, replicasets=[owned("ReplicaSet", "web-7f9c", "website")], deployments=[owned("D", "empty")]
            )
        ),
        1.7e9,
    )
    assert [str(one.workload) for one in listed.pods.values()] == [
        "deployment/team/website", "statefulset/team/db", "pod/team/bare", "job/team/job-x", "leaderworkerset/team/lws",
    ]  # fmt: skip
    assert [str(one) for one in listed.wanted] == ["deployment/team/empty"]
    guessed = observe(FakeKube(listings(pods=pods[:1], replicasets=FORBIDDEN)), 1.7e9)
    assert str(guessed.pods["team/web-7f9c-abcde"].workload) == "deployment/team/web"


def test_the_controller_is_the_owner() -> None:
    item = pod("a")
    item["metadata"]["ownerReferences"] = [
        {"kind": "Node", "name": "n1"},
        {"kind": "StatefulSet", "name": "s", "controller": True},
    ]
    assert str(observe(FakeKube(listings(pods=[item])), 1.7e9).pods["team/a"].workload) == "statefulset/team/s"


def test_each_kind_is_listed_once_and_no_log_of_the_well_is_read() -> None:
    kube = FakeKube(listings(pods=[pod(f"a-{i}") for i in range(50)]))
    observed = observe(kube, 1.7e9)
    assert sorted(kube.asked) == sorted(("list", kind) for kind in KINDS)
    assert observed.requests == len(KINDS)


def test_the_log_of_a_device_plugin_is_read_where_its_node_gives_no_gpu() -> None:
    plugins = [
        pod(f"nvidia-device-plugin-{on}", owner=("DaemonSet", "nvidia-device-plugin"), node=on, gpus=0)
        for on in ("n1", "n2")
    ]
    empty = {**node("n1"), "status": {"capacity": {}, "allocatable": {}}}
    empty["metadata"]["labels"] = {"nvidia.com/gpu.present": "true"}
    said = "Failed to initialize NVML: Driver/library version mismatch"
    logs = {
        ("team", "nvidia-device-plugin-n1", "engine", previous): "" if previous else said for previous in (True, False)
    }
    kube = FakeKube(listings(pods=plugins, nodes=[empty, node("n2")]), logs)
    observed = observe(kube, 1.7e9)
    assert observed.facts[LOG_VERSIONS.now].values == {"team/nvidia-device-plugin-n1": said}


def test_few_logs_are_read_newest_crashes_first() -> None:
    pods = [
        pod(f"w{w}-{i}", owner=("StatefulSet", f"w{w}"), status=crashed(60.0 * (10 * w + i + 1)))
        for w in range(12)
        for i in range(5)
    ]
    logs = {
        ("team", item["metadata"]["name"], "engine", previous): OOM if previous else ""
        for item in pods
        for previous in (True, False)
    }
    kube = FakeKube(listings(pods=list(reversed(pods))), logs)
    observed = observe(kube, 1_700_000_000.0)
    read = {call[2] for call in kube.asked if call[0] == "logs"}
    assert len(read) == LOGS_OF
    assert read == {f"w{w}-{i}" for w in range(5) for i in range(LOGS_PER_WORKLOAD)} | {"w5-0"}
    assert observed.requests == len(KINDS) + 2 * LOGS_OF
    lines = observed.facts[LOG_CUDA_OOM.now].values
    assert lines["team/w0-0"] == OOM
    assert "team/w11-4" not in lines


@pytest.mark.parametrize(
    ("status", "read"),
    [
        (crashed(60, waiting="CrashLoopBackOff"), True),
        (crashed(23 * 3600, waiting=""), True),
        (crashed(25 * 3600, waiting=""), False),
        (crashed(25 * 3600, waiting="CrashLoopBackOff"), True),
        (crashed(60, code=0, reason="Completed", waiting=""), True),
        ({"phase": "Succeeded", **crashed(60, code=0, reason="Completed", waiting="")}, False),
    ],
)
def test_whose_log_is_read(status: dict[str, Any], read: bool) -> None:
    kube = FakeKube(
        listings(pods=[pod("a", status=status)]), {("team", "a", "engine", previous): "" for previous in (True, False)}
    )
    observe(kube, 1_700_000_000.0)
    assert any(call[0] == "logs" for call in kube.asked) is read


def test_what_runs_without_turning_ready_is_read_engines_first() -> None:
    """A router that waits for its engines tells why; where there are too many, those that hold GPUs come first."""
    unready = {"conditions": [{"type": "Ready", "status": "False"}]}
    pods = [
        pod(f"{kind}{i}", owner=("StatefulSet", f"{kind}{i}"), gpus=int(kind == "e"), status=unready)
        for kind in "ae"
        for i in range(LOGS_OF)
    ]
    logs = {("team", item["metadata"]["name"], "engine", previous): "" for item in pods for previous in (True, False)}
    kube = FakeKube(listings(pods=[*pods[:2], *pods[LOGS_OF:]]), logs)
    observe(kube, 1_700_000_000.0)
    assert {call[2] for call in kube.asked if call[0] == "logs"} == {f"e{i}" for i in range(LOGS_OF)}
    kube = FakeKube(listings(pods=[*pods[:2], pods[LOGS_OF], pod("well", gpus=0)]), logs)
    observe(kube, 1_700_000_000.0)
    assert {call[2] for call in kube.asked if call[0] == "logs"} == {"a0", "a1", "e0"}


def test_whose_requests_fail_most_is_read_first_then_the_slowest() -> None:
    counts = {f"team/w{i}": float(i + 1) for i in range(7)} | {"gone/pod": 99.0}
    part = Part("vLLM via Prometheus", "query", 1.7e9, counts)
    failing = survey_module._failing(Measured(None, {failing_replicas.ERRORS: (part,)}))
    assert failing == ["gone/pod", "team/w6", "team/w5", "team/w4"]
    took = {"team/w0": 2.5, "team/w1": 9.0, "team/w2": 1.9, "team/w6": 30.0}
    slow = Part("vLLM via Prometheus", "query", 1.7e9, took)
    told = Measured(None, {failing_replicas.ERRORS: (part,), failing_replicas.FIRST: (slow,)})
    assert survey_module._failing(told) == [*failing, "team/w1", "team/w0"]


def test_what_runs_on_a_gpu_after_an_xid_is_read_too() -> None:
    codes = {"new": 31.0, "old": 31.0, "again": 31.0, "none": 0.0, "free": 31.0, "unknown": 31.0}
    asked = {
        XID_LAST.max("1h"): codes,
        XID_BEFORE.now: {"new": 0.0, "old": 31.0, "again": 31.0, "none": 0.0, "free": 0.0},
        XID_LAST.changes("1h"): {"new": 0.0, "again": 2.0},
    }
    told = Measured(None, {ask: (Part("DCGM", "query", 1.7e9, dict(values)),) for ask, values in asked.items()})
    gpus = {
        key: Gpu(key, "n1", str(at), "NVIDIA A100", f"team/{key}" if key != "free" else None)
        for at, key in enumerate(("new", "old", "again", "none", "free"))
    }
    assert survey_module._after_xid(told, Topology(gpus=gpus)) == ["team/again", "team/new"]


def test_the_log_of_one_that_fails_is_read_and_a_refusal_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(survey_module, "_failing", lambda _measured: ["team/a", "team/b"])
    kube = FakeKube(
        listings(pods=[pod("a"), pod("b")]),
        {("team", "a", "engine", False): OOM, ("team", "b", "engine", False): Blind(Reason.FORBIDDEN, "not yours")},
    )
    taken = survey(UNSET, kube, [LOG_CUDA_OOM.now], 1.7e9)
    assert taken.read(LOG_CUDA_OOM.now, "team/a").value == OOM
    assert taken.read(LOG_CUDA_OOM.now, "team/b").blind == Blind(Reason.FORBIDDEN, "not yours")
    assert [str(one.blind) for one in taken.sources if one.name == "Kubernetes: logs"] == ["forbidden: not yours"]
    monkeypatch.setattr(survey_module, "_failing", lambda _measured: [])
    monkeypatch.setattr(survey_module, "_after_xid", lambda _measured, _topology: ["team/a"])
    taken = survey(UNSET, kube, [LOG_CUDA_OOM.now], 1.7e9)
    assert taken.read(LOG_CUDA_OOM.now, "team/a").value == OOM


def test_each_line_names_the_request_that_told_it() -> None:
    """A pod's own log, of now or of the run before; its status where that says it; never the log of another pod."""
    stuck = pod("c", status=crashed(60, waiting="CrashLoopBackOff"))
    stuck["status"]["containerStatuses"][0]["lastState"]["terminated"]["message"] = OOM
    pods = [pod("a", status=crashed(60)), pod("b", status=crashed(90)), stuck]
    said = {("a", True): OOM, ("a", False): OOM, ("b", True): "", ("b", False): OOM, ("c", True): "", ("c", False): ""}
    logs = {("team", name, "engine", previous): line for (name, previous), line in said.items()}
    observed = observe(FakeKube(listings(pods=pods), logs), 1_700_000_000.0)
    part = observed.facts[LOG_CUDA_OOM.now]
    assert dict.fromkeys("abc", OOM) == {key.partition("/")[2]: value for key, value in part.values.items()}
    path = "GET /api/v1/namespaces/team/pods/{}/log?container=engine{}"
    assert part.query_of("team/a") == path.format("a", "&previous=true")
    assert part.query_of("team/b") == path.format("b", "")
    assert part.query_of("team/c") == f"GET {path_of('pods')}"
    unsaid = observed.facts[LOG_DRIVER.now]
    assert set(unsaid.values.values()) == {""}
    assert all(f"/pods/{name}/log" in unsaid.query_of(f"team/{name}") for name in "abc")


def test_forbidden_logs_are_blind_and_nothing_else_is() -> None:
    forbidden = Blind(Reason.FORBIDDEN, "we may not read logs in namespace team")
    logs: dict[tuple[str, str, str, bool], str | Blind] = {
        ("team", "a", "engine", False): forbidden, ("team", "b", "engine", False): "", ("team", "b", "engine", True): OOM,
    }  # fmt: skip
    pods = [pod("a", status=crashed(60)), pod("b", status=crashed(90))]
    taken = survey(UNSET, FakeKube(listings(pods=pods), logs), EVERY, 1_700_000_000.0)
    assert taken.read(LOG_CUDA_OOM.now, "team/a").blind == forbidden
    assert taken.read(LOG_CUDA_OOM.now, "team/b").value == OOM
    assert taken.read(EXIT_CODE.now, "team/a").value == 1


def test_what_a_status_says_is_read_like_a_log() -> None:
    """A container that its runtime could not start has no log, and a forbidden one may have ended with a message."""
    said = "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=12.8, please update your driver"
    status = crashed(60, code=128, reason="StartError")
    status["containerStatuses"][0]["lastState"]["terminated"]["message"] = f"OCI runtime create failed\n{said}"
    forbidden = Blind(Reason.FORBIDDEN, "we may not read logs in namespace team")
    logs: dict[tuple[str, str, str, bool], str | Blind] = {
        ("team", "a", "engine", False): "", ("team", "a", "engine", True): "", ("team", "b", "engine", False): forbidden,
    }  # fmt: skip
    taken = survey(
        UNSET,
        FakeKube(listings(pods=[pod("a", status=status), pod("b", status=status)]), logs),
        EVERY,
        1_700_000_000.0,
    )
    assert taken.read(LOG_DRIVER.now, "team/a").value == said
    assert taken.read(LOG_CUDA_OOM.now, "team/a").value == ""
    assert taken.read(LOG_DRIVER.now, "team/b").value == said
    assert taken.read(LOG_CUDA_OOM.now, "team/b").blind == forbidden


def test_a_log_that_was_not_read_says_so() -> None:
    taken = survey(UNSET, FakeKube(listings(pods=[pod("a")])), EVERY, 1.7e9)
    blind = taken.read(LOG_CUDA_OOM.now, "team/a").blind
    assert blind is not None
    assert "was not read" in blind.detail


def test_standby_is_a_fact_of_the_workload() -> None:
    item = owned("Deployment", "app")
    item["metadata"]["labels"] = {"rackside.dev/standby": "true"}
    taken = survey(UNSET, FakeKube(listings(deployments=[item])), EVERY, 1.7e9)
    assert taken.read(STANDBY.now, "deployment/team/app").value == 1
