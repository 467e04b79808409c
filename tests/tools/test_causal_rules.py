"""A readiness rule that is broken: no news by itself, a cause of what it explains, and none beside another cause."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import WORKLOAD, scene, snapshot
from tools.casebook import cases
from tools.check import Because
from tools.diagnose import Within, diagnose
from tools.outcomes import Outcome, Verdict
from tools.reading import Reading, Subject
from tools.relations import explanations

MISMATCH = {"workload.ports_apart now": "the Service sends to port 8080, and the engine listens on 8000"}
UNREADY = {"pod.ready now": 0.0, "pod.running_for now": 3600, "pod.restarts now": 0}
UNREACHED = {
    "workload.no_way_in now": "s", "pod.ready now": 1.0, "pod.running_for now": 7200, "llm.requests_finished increase 1h": 0.0,
}  # fmt: skip
NO_MODEL = {
    "log.model_download now": "OSError: Can't load tokenizer for 'x'. If you were trying", "log.serving now": "",
    "pod.termination_reason now": "Error", "pod.exit_code now": 1, "pod.terminated_ago now": 120,
}  # fmt: skip


@pytest.mark.parametrize(
    ("world", "roots"),
    [
        (MISMATCH, set()),
        (UNREADY, {"readiness_never_true"}),
        ({**MISMATCH, **UNREADY}, {"port_mismatch"}),
        ({**MISMATCH, **UNREACHED}, {"port_mismatch"}),
        ({**MISMATCH, **UNREACHED, "workload.no_way_in now": ""}, set()),
        ({**MISMATCH, **UNREACHED, "llm.requests_finished increase 1h": 3.0}, set()),
        ({**MISMATCH, **UNREACHED, "llm.requests_finished increase 1h": None}, set()),
        ({**MISMATCH, **UNREACHED, "pod.running_for now": 1200}, set()),
        ({**MISMATCH, **UNREADY, **NO_MODEL}, {"model_download_failure"}),
    ],
    ids=[
        "on a quiet day",
        "the fault alone",
        "the rule and what it explains",
        "no Service leads to it and nothing came",
        "another Service leads to it",
        "requests come another way",
        "nobody counts its requests",
        "it has only just started",
        "the fault has another cause",
    ],
)
def test_a_broken_rule_is_told_where_nothing_else_explains_the_fault(world: dict[str, Any], roots: set[str]) -> None:
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} == roots
    assert all(not outcome.case.check.rule for outcome in told.outcomes)


PAUSED = {"workload.paused now": "app"}
QUEUE = scene("kv_saturation_queueing")["fires"]


@pytest.mark.parametrize(
    ("world", "roots"),
    [
        ({**PAUSED, **QUEUE}, {"autoscaler_paused"}),
        ({**PAUSED, **scene("cuda_oom_load")["fires"]}, {"cuda_oom_load"}),
        (PAUSED, set()),
    ],
    ids=["a queue that no autoscaler meets", "another cause", "no queue"],
)
def test_a_paused_autoscaler_is_told_for_what_it_causes(world: dict[str, Any], roots: set[str]) -> None:
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} == roots


CUT = {"workload.route_timeout now": 60, "workload.routes now": "ingress llm"}
GIVEN_UP = scene("abort_spike")["fires"]


@pytest.mark.parametrize(
    ("world", "said"),
    [
        ({**CUT, "llm.request_time p95 5m": 58}, True),
        ({**CUT, "llm.request_time p95 5m": 47}, False),
        (CUT, False),
        ({"llm.request_time p95 5m": 58}, False),
    ],
    ids=["they take as long as it waits", "they end before", "nobody tells how long they take", "no route"],
)
def test_a_route_that_breaks_long_answers_off_is_told_with_those_that_gave_up(
    world: dict[str, Any], said: bool
) -> None:
    (finding,) = [one for one in diagnose(two((APP, {**GIVEN_UP, **world}))).findings if one.root]
    assert finding.id == "abort_spike"
    assert ("A route to the engine waits 60 s" in finding.because) is said
    assert any(remedy.change is not None and remedy.change.from_ == "60 s" for remedy in finding.remedies) is said


NO_PLUGIN = scene("device_plugin_missing")["fires"]


@pytest.mark.parametrize(
    ("unready", "roots"),
    [
        ("", {"device_plugin_missing"}),
        ("nvidia-driver-daemonset (k8s-driver-manager: CrashLoopBackOff)", {"gpu_stack_unready"}),
        (
            "nvidia-container-toolkit-daemonset (waits at driver-validation), nvidia-dcgm-exporter",
            {"gpu_stack_unready"},
        ),
        ("nvidia-driver-daemonset (waits at x), nvidia-device-plugin-daemonset", {"device_plugin_missing"}),
        ("nvidia-dcgm-exporter", {"device_plugin_missing"}),
    ],
    ids=[
        "nothing",
        "the driver beneath it",
        "the toolkit beneath it",
        "the plugin itself, too",
        "what stands above it",
    ],
)
def test_a_plugin_that_is_kept_off_by_what_is_beneath_it(unready: str, roots: set[str]) -> None:
    told = diagnose(two((APP, {**NO_PLUGIN, "node.stack_unready now": unready})))
    assert {finding.id for finding in told.findings if finding.root} == roots


def _evicted(says: str) -> dict[str, Any]:
    return {"pod.failed_reason now": f"Evicted: {says}", "pod.failed_ago now": 600}


NODE = Subject("node", "", "n1")
DISK = {"node.disk_pressure now": "KubeletHasDiskPressure: kubelet has disk pressure"}
WROTE = "Container {} was using {}, request is 0, has larger consumption of ephemeral-storage. "
SHORT = "The node was low on resource: ephemeral-storage. Threshold quantity: 10120387530, available: 9108220Ki. "


@pytest.mark.parametrize(
    ("says", "roots"),
    [
        (
            f"{SHORT}{WROTE.format('llm', '57901224Ki')}",
            {"node_memory_pressure_eviction"},
        ),
        (
            f"{SHORT}{WROTE.format('log', '84Ki')}{WROTE.format('llm', '2Gi')}",
            {"node_memory_pressure_eviction"},
        ),
        ('Usage of EmptyDir volume "cache" exceeds the limit "50Gi". ', {"node_memory_pressure_eviction"}),
        ("Pod ephemeral local storage usage exceeds the total limit of containers 20Gi. ", {"node_memory_pressure_eviction"}),
        (SHORT, {"node_disk_full"}),
        (
            f"{SHORT}{WROTE.format('llm', '1048576Ki')}",
            {"node_disk_full"},
        ),
        ('Usage of EmptyDir volume "tmp" exceeds the limit "64Mi". ', {"node_memory_pressure_eviction", "node_disk_full"}),
        ("The node had condition: [DiskPressure]. ", {"node_disk_full"}),
        (
            "The node was low on resource: memory. Container llm was using 191874020Ki, request is 24Gi, has larger consumption of memory. ",
            {"node_memory_pressure_eviction", "node_disk_full"},
        ),
    ],
    ids=[
        "it filled the disk",
        "one of its containers did",
        "a volume of its own",
        "its own limit",
        "of what it wrote nothing is said",
        "it wrote next to nothing",
        "a small volume of its own",
        "it was turned away",
        "of memory",
    ],
)  # fmt: skip
def test_who_filled_the_disk_is_the_cause_and_who_wrote_nothing_is_not(says: str, roots: set[str]) -> None:
    told = diagnose(two((APP, _evicted(says)), (NODE, DISK)))
    assert {finding.id for finding in told.findings if finding.root} == roots
    assert {finding.id for finding in told.findings} == {"node_memory_pressure_eviction", "node_disk_full"}


ENVOY = '[2026-06-11T08:34:02.997Z] "POST /v1 HTTP/1.1" 503 UH no_healthy_upstream - "-" 0 19 0 - "10.20.3.77" "httpx" "x" "{}" "-"'


@pytest.mark.parametrize(
    ("host", "named"),
    [
        ("app.team", True), ("app.team.svc.cluster.local:8000", True), ("http://app.team/v1", True),
        ("my-app.team", False), ("app.teams", False), ("app.team-b", False), ("app", False), ("x.app.team", False),
    ],
)  # fmt: skip
def test_a_router_whose_line_names_who_is_down_goes_with_him(host: str, named: bool) -> None:
    silent = {**scene("router_without_backends")["fires"], "log.no_backend now": ENVOY.format(host)}
    taken = two((APP, scene("create_container_config_error")["fires"]), (OTHER, silent))
    pods = {key: replace(one, gpus=0.0) if one.workload == OTHER else one for key, one in taken.topology.pods.items()}
    told = diagnose(replace(taken, topology=replace(taken.topology, pods=pods)))
    roots = {finding.id for finding in told.findings if finding.root}
    assert roots == {"create_container_config_error", *(() if named else ("router_without_backends",))}
    assert "router_without_backends" in {finding.id for finding in told.findings}
    # Who holds GPUs is needed only by who holds none.
    assert "router_without_backends" in {finding.id for finding in diagnose(taken).findings if finding.root}


def test_of_two_whose_lines_name_each_other_neither_is_the_cause() -> None:
    ends = scene("engine_dead")["fires"]
    line = "EngineDeadError: EngineCore encountered an issue. http://{}.{}:8000 is gone"
    worlds = [
        (one, {**ends, "log.engine_dead now": line.format(other.name, other.namespace)})
        for one, other in ((APP, OTHER), (OTHER, APP))
    ]
    taken = two(*worlds)
    for idle in ({APP}, {OTHER}, {APP, OTHER}):
        pods = {
            key: replace(one, gpus=0.0) if one.workload in idle else one for key, one in taken.topology.pods.items()
        }
        told = diagnose(replace(taken, topology=replace(taken.topology, pods=pods)))
        assert {finding.key for finding in told.findings if finding.root and finding.id == "engine_dead"} <= {
            f"engine_dead@{APP}", f"engine_dead@{OTHER}",
        }  # fmt: skip
        assert not [finding for finding in told.findings if finding.explained_by]


@pytest.mark.parametrize(
    ("signs", "root"), [({"xid_application"}, "xid_application"), (set(), "engine_dead"), ({"engine_dead"}, "engine_dead")]
)  # fmt: skip
def test_of_two_signs_of_the_same_harm_the_one_that_is_named_comes_first(signs: set[str], root: str) -> None:
    kernel = {"log.cuda_fault now": "RuntimeError: CUDA error: an illegal memory access was encountered"}
    died = {**scene("xid_application")["fires"], **scene("engine_dead")["fires"], **kernel}
    told = diagnose(two((APP, died)), Within(signs=frozenset(signs)))
    assert {finding.id for finding in told.findings if finding.root} == {root}
    assert {"engine_dead", "xid_application"} <= {finding.id for finding in told.findings}
    # A code alone may be the echo of a process that died.
    echo = diagnose(two((APP, {**died, "log.cuda_fault now": ""})), Within(signs=frozenset(signs)))
    assert {finding.id for finding in echo.findings if finding.root} == {"engine_dead"}


@pytest.mark.parametrize(
    ("signs", "root"), [({"gpu_held_by_not_ready_pod"}, "gpu_held_by_not_ready_pod"), (set(), "readiness_never_true"), ({"xid_application"}, "readiness_never_true")]
)  # fmt: skip
def test_who_asks_where_the_gpus_are_is_told_who_holds_them_before_the_probe(signs: set[str], root: str) -> None:
    held = {**scene("readiness_never_true")["fires"], **scene("gpu_held_by_not_ready_pod")["fires"]}
    told = diagnose(two((APP, held)), Within(signs=frozenset(signs)))
    assert {finding.id for finding in told.findings if finding.root} == {root}
    assert {"gpu_held_by_not_ready_pod", "readiness_never_true"} <= {finding.id for finding in told.findings}


@pytest.mark.parametrize(
    ("since", "wants", "roots"),
    [
        (3300, 1, {"gpu_held_by_not_ready_pod"}),
        (300, 1, {"pending_insufficient_gpu"}),
        (3300, 8, {"pending_insufficient_gpu"}),
    ],
)
def test_who_does_not_end_keeps_its_successor_waiting(since: float, wants: float, roots: set[str]) -> None:
    waits = {
        "pod.pending_for now": [0, 3300],
        "pod.unschedulable now": ["", "1 Insufficient nvidia.com/gpu."],
        "pod.gpu_request now": [1, wants],
    }
    ends = {
        "pod.phase now": ["Terminating", "Pending"],
        "pod.ready now": 0,
        "pod.age now": 800000,
        "pod.ending_for now": [since, 0],
    }
    told = diagnose(two((APP, {**waits, **ends})))
    assert {finding.id for finding in told.findings if finding.root} == roots
    elsewhere = diagnose(two((OTHER, {**ends, "pod.gpu_request now": 1}), (APP, waits)))
    assert "pending_insufficient_gpu" in {finding.id for finding in elsewhere.findings if finding.root}


@pytest.mark.parametrize(
    ("line", "roots"),
    [
        ("RuntimeError: Failed to infer device type", {"xid_critical"}),
        ("ModuleNotFoundError: No module named 'flash_attn'", {"xid_critical", "library_missing"}),
    ],
)
def test_who_finds_no_device_on_a_card_that_fails_lacks_no_library(line: str, roots: set[str]) -> None:
    world = {**scene("library_missing")["fires"], **scene("xid_critical")["fires"], "log.library_missing now": line}
    told = diagnose(two((APP, world)))
    assert {finding.id for finding in told.findings if finding.root} == roots
    assert "library_missing" in {finding.id for finding in told.findings}


def test_a_rollout_that_wants_more_pods_than_end_waits_for_gpus() -> None:
    ending = {
        "pod.phase now": ["Terminating", "Pending", "Pending"],
        "pod.ready now": 0,
        "pod.age now": 800000,
        "pod.ending_for now": [3300, 0, 0],
    }
    waits = {
        "pod.pending_for now": [0, 3300, 3300],
        "pod.unschedulable now": ["", *["1 Insufficient nvidia.com/gpu."] * 2],
        "pod.gpu_request now": 1,
    }
    roots = {finding.id for finding in diagnose(snapshot({**ending, **waits}, WORKLOAD)).findings if finding.root}
    assert roots >= {"pending_insufficient_gpu"}


def test_what_lies_apart_from_a_cause_is_not_its_though_its_line_names_it() -> None:
    line = Reading("Line", OTHER, "cannot reach http://app.team:8000", "", "log", "", 0.0)
    topology = two().topology
    pods = {key: replace(one, gpus=0.0) if one.workload == OTHER else one for key, one in topology.pods.items()}
    cause = Outcome(cases()["host_oomkilled"], APP, Verdict.FIRES)
    for because, explained in (
        (Because("{line}", {"line": line}), True),
        (Because("{line}", {"line": line}, apart=("host_oomkilled",)), False),
    ):
        symptom = Outcome(cases()["crash_loop"], OTHER, Verdict.FIRES, because)
        told = explanations([cause, symptom], replace(topology, pods=pods))
        assert bool(told.get(symptom.key)) is explained


def test_small_batches_beside_a_fault_of_the_same_workload_are_no_headline() -> None:
    world = scene("small_batches")["fires"]
    replicas = (
        len(world["llm.requests_running max 1h"]) if isinstance(world["llm.requests_running max 1h"], list) else 4
    )
    alone = diagnose(snapshot(world, WORKLOAD, replicas))
    assert {finding.id for finding in alone.findings if finding.root} == {"small_batches"}
    # One that is not grave, so that weight alone would leave both.
    failed = {**scene("unexpected_admission_error")["fires"]}
    beside = diagnose(snapshot({**world, **failed}, WORKLOAD, replicas))
    assert {finding.id for finding in beside.findings if finding.root} == {"unexpected_admission_error"}
    assert "small_batches" in {finding.id for finding in beside.findings}
