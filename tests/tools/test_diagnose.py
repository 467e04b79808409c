"""Causes before symptoms, nobody's symptom under a stranger's cause, and nothing unseen called well."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import GONE, NOW, scene, snapshot
from tools import diagnose as diagnosing
from tools.casebook import cases, modes
from tools.check import Because
from tools.columns import Column, Part
from tools.diagnose import RULED_OUT_MOST, Diagnosis, Within, diagnose, judge, run
from tools.finding import Finding
from tools.outcomes import Outcome, Verdict
from tools.reading import Blind, Reason, Subject
from tools.relations import explanations
from tools.signals import (
    parse_ask,
)
from tools.snapshot import Snapshot, SourceState
from tools.topology import Gpu, Pod, Topology

KV = {"llm.kv_usage avg 10m": 0.99, "llm.requests_waiting min 5m": 6, "llm.requests_waiting now": 9}
LATE = {"llm.ttft p95 5m": 8.0, "llm.ttft mean 5m": 6.0, "llm.queue_time mean 5m": 5.0}
HPA = {"hpa.metrics now": "cpu", "llm.requests_waiting avg 10m": 8, "hpa.desired now": 2, "hpa.max now": 8}
WELL = {
    "llm.kv_usage avg 10m": 0.2, "llm.requests_waiting min 5m": 0, "llm.requests_waiting now": 0, "llm.ttft p95 5m": 0.4,
    "llm.ttft mean 5m": 0.2, "llm.queue_time mean 5m": 0.0,
}  # fmt: skip
XID = {"gpu.xid_last max 1h": 79, "gpu.xid_last changes 1h": 1}


def keys(diagnosis: Diagnosis) -> list[str]:
    return [finding.key for finding in diagnosis.findings]


def roots(diagnosis: Diagnosis) -> set[str]:
    return {finding.key for finding in diagnosis.findings if finding.root}


def the(diagnosis: Diagnosis, key: str) -> Finding:
    return next(finding for finding in diagnosis.findings if finding.key == key)


def outcome(
    taken: Snapshot, check: str, subject: Subject, limits: Mapping[str, Mapping[str, float]] | None = None
) -> Outcome:
    return next(one for one in run(taken, limits or {}) if one.case.id == check and one.subject == subject)


# ------------------------------------------------------------------ every subject


GPU_WELL = {"gpu.util avg 10m": 0.9, "gpu.util max 1h": 0.9, "gpu.xid_last max 1h": 0, "gpu.xid_last changes 1h": 0}
ONE_HOT = {"gpu.heat_share avg 10m": [0.5, None], "gpu.temperature now": [90.0, None]}


@pytest.mark.parametrize("world", [{}, GPU_WELL, XID, {**GPU_WELL, **ONE_HOT}, {"pod.ready now": [1, 0], **ONE_HOT}])
@pytest.mark.parametrize("limits", [{}, {"xid_critical@gpu/n1/1": {"window": 1.0}, "thermal_throttle": {"busy": 0.0}}])
def test_each_subject_is_told_what_it_would_be_told_alone(
    world: Mapping[str, Any], limits: Mapping[str, Mapping[str, float]]
) -> None:
    taken = two((APP, world), (OTHER, GPU_WELL))
    told = list(run(taken, limits))
    assert {one.subject for one in told if one.case.id == "thermal_throttle"} == {
        gpu.subject for gpu in taken.topology.gpus.values()
    }
    assert told == [judge(one.case, one.subject, taken, limits) for one in told]


def test_what_tells_no_gpu_from_another_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[str] = []

    def counted(case: Any, subject: Subject, *rest: Any) -> Outcome:
        judged.append(f"{case.id}@{subject}")
        return judge(case, subject, *rest)

    monkeypatch.setattr(diagnosing, "judge", counted)
    own = "thermal_throttle@gpu/n2/4"
    told = {one.key: one for one in run(two((APP, XID), (OTHER, GPU_WELL)), {own: {"busy": 0.5}})}
    hot = {key: one for key, one in told.items() if key.startswith("thermal_throttle@")}
    assert sorted(key for key in judged if key in hot) == ["thermal_throttle@gpu/n1/0", own]
    assert {(one.verdict, one.unseen and one.unseen.subject == one.subject) for one in hot.values()} == {
        (Verdict.BLIND, True)
    }
    assert len([key for key in judged if key.startswith("xid_critical@")]) == 4, "each may have another Xid"


# ------------------------------------------------------------------ causes


def test_two_unrelated_faults_are_two_headlines() -> None:
    told = diagnose(two((APP, KV), (OTHER, LATE)))
    assert roots(told) == {f"kv_saturation_queueing@{APP}", f"ttft_breach_queueing@{OTHER}"}
    assert all(finding.explained_by == () for finding in told.findings)


def test_a_neighbours_cause_does_not_swallow_a_strangers_symptom() -> None:
    told = diagnose(two((APP, KV), (OTHER, LATE), same_node=True))
    assert f"ttft_breach_queueing@{OTHER}" in roots(told)


def test_a_chain_has_one_headline_and_its_order() -> None:
    told = diagnose(two((APP, {**HPA, **KV, **LATE}), (OTHER, WELL)))
    assert roots(told) == {f"hpa_wrong_metric@{APP}"}
    assert keys(told)[0] == f"hpa_wrong_metric@{APP}"
    assert set(the(told, f"ttft_breach_queueing@{APP}").explained_by) == {
        f"hpa_wrong_metric@{APP}",
        f"kv_saturation_queueing@{APP}",
    }
    assert the(told, f"kv_saturation_queueing@{APP}").explained_by == (f"hpa_wrong_metric@{APP}",)


def test_a_symptom_alone_is_a_headline() -> None:
    assert roots(diagnose(two((APP, LATE), (OTHER, WELL)))) == {f"ttft_breach_queueing@{APP}"}


@pytest.mark.parametrize(
    ("done", "root"), [(400, "kv_saturation_queueing"), (60, "preemption_thrash")], ids=["a few", "more than finish"]
)
def test_a_full_cache_follows_from_the_preemptions_where_these_are_more_than_what_finishes(
    done: float, root: str
) -> None:
    thrash = {
        "llm.preemptions increase 10m": 80,
        "llm.preemptions rate 5m": 0.2,
        "llm.requests_finished increase 10m": done / 2,
    }
    told = diagnose(two((APP, {**KV, **thrash}), (OTHER, WELL)))
    assert roots(told) == {f"{root}@{APP}"}
    assert {finding.id for finding in told.findings} >= {"kv_saturation_queueing", "preemption_thrash"}


def test_a_fault_of_a_gpu_explains_only_the_workload_on_it() -> None:
    gpu = Subject("gpu", "", "n1/0")
    told = diagnose(two((gpu, XID), (APP, LATE), (OTHER, LATE), same_node=True))
    assert the(told, f"ttft_breach_queueing@{APP}").explained_by == (f"xid_critical@{gpu}",)
    assert the(told, f"ttft_breach_queueing@{OTHER}").root


# ------------------------------------------------------------------ scope


def test_a_scope_closes_over_its_gpus_and_leaves_the_others_out() -> None:
    mine, theirs = Subject("gpu", "", "n1/0"), Subject("gpu", "", "n1/4")
    taken = two((mine, XID), (theirs, XID), (APP, LATE), (OTHER, KV), same_node=True)
    told = diagnose(taken, Within("team", "app"))
    assert set(keys(told)) == {f"xid_critical@{mine}", f"ttft_breach_queueing@{APP}"}
    assert roots(told) == {f"xid_critical@{mine}"}
    assert set(keys(diagnose(taken, Within("lab")))) == {f"xid_critical@{theirs}", f"kv_saturation_queueing@{OTHER}"}
    assert len(keys(diagnose(taken))) == 4
    assert set(keys(diagnose(taken, Within(several=frozenset({APP, OTHER}))))) == set(keys(diagnose(taken)))
    assert set(keys(diagnose(taken, Within(several=frozenset({OTHER}))))) == set(keys(diagnose(taken, Within("lab"))))


def test_a_gpu_that_may_be_its_own_is_in_its_scope() -> None:
    mine, theirs = Subject("gpu", "", "n1/0"), Subject("gpu", "", "n2/4")
    taken = two((mine, XID), (theirs, XID), (APP, WELL), (OTHER, WELL))
    unheld = {key: replace(gpu, pod=None) for key, gpu in taken.topology.gpus.items()}
    silent = replace(taken, topology=replace(taken.topology, gpus=unheld))
    assert keys(diagnose(silent, Within("team", "app"))) == [f"xid_critical@{mine}"], "nobody tells who holds it"
    moved = replace(taken.topology, gpus={**taken.topology.gpus, "G-app-0": Gpu("G-app-0", "n2", "0", "", None)})
    assert keys(diagnose(replace(taken, topology=moved), Within("lab"))) == [f"xid_critical@{theirs}"], "it lacks none"


def test_a_fault_of_a_gpu_that_may_be_its_own_explains_what_dies_on_it() -> None:
    gpu = Subject("gpu", "", "n1/0")
    taken = two((gpu, scene("ecc_uncorrectable")["fires"]), (APP, scene("engine_dead")["fires"]), (OTHER, WELL))
    assert roots(diagnose(taken)) == {f"ecc_uncorrectable@{gpu}"}
    unheld = {key: replace(one, pod=None) for key, one in taken.topology.gpus.items()}
    assert roots(diagnose(replace(taken, topology=replace(taken.topology, gpus=unheld)))) == {
        f"ecc_uncorrectable@{gpu}"
    }
    theirs = {key: replace(one, pod="team/elsewhere") for key, one in taken.topology.gpus.items()}
    apart = diagnose(replace(taken, topology=replace(taken.topology, gpus=theirs)))
    assert roots(apart) == {f"ecc_uncorrectable@{gpu}", f"engine_dead@{APP}"}, "somebody else is known to hold it"


def test_a_lost_node_and_an_autoscaler_that_cannot_replace_it_are_two_problems() -> None:
    node = Subject("node", "", "n1")
    stuck = {**scene("cluster_autoscaler_cannot_add_gpu_node")["fires"], **scene("pending_insufficient_gpu")["fires"]}
    told = diagnose(two((node, scene("node_lost")["fires"]), (APP, stuck), (OTHER, WELL)))
    assert roots(told) == {f"node_lost@{node}", f"cluster_autoscaler_cannot_add_gpu_node@{APP}"}


def test_what_a_frozen_exporter_says_of_gpus_is_its_symptom() -> None:
    node = Subject("node", "", "n1")
    frozen = {"gpu.energy increase 15m": 0, "gpu.power_draw changes 15m": 0, "gpu.temperature changes 15m": 0}
    told = diagnose(two((node, frozen), (APP, scene("gpu_idle_no_traffic")["fires"]), (OTHER, WELL)))
    assert the(told, f"gpu_idle_no_traffic@{APP}").explained_by == (f"stale_metrics@{node}",)


N1 = Subject("node", "", "n1")
DRIFT = scene("config_drift_args_vs_runtime")["fires"]


def test_a_drift_beside_a_fault_is_told_and_is_no_headline() -> None:
    drift = f"config_drift_args_vs_runtime@{APP}"
    assert roots(diagnose(two((APP, DRIFT), (OTHER, WELL)))) == {drift}
    beside = diagnose(two((APP, {**DRIFT, **scene("host_oomkilled")["fires"]}), (OTHER, WELL)))
    assert roots(beside) == {f"host_oomkilled@{APP}"}
    assert not the(beside, drift).root
    assert not the(beside, drift).explained_by
    elsewhere = diagnose(two((APP, DRIFT), (OTHER, scene("host_oomkilled")["fires"])))
    assert roots(elsewhere) == {drift, f"host_oomkilled@{OTHER}"}
    normal = diagnose(two((APP, {**DRIFT, **scene("decode_bandwidth_bound_normal")["fires"]}), (OTHER, WELL)))
    assert roots(normal) == {drift}, "what is normal is no fault"


@pytest.mark.parametrize("check", ["spec_decode_low_acceptance", "image_pull_slow"])
def test_what_weighs_little_and_causes_nothing_is_no_headline_beside_something_grave_of_the_same_workload(
    check: str,
) -> None:
    grave, slight = scene("host_oomkilled")["fires"], scene(check)["fires"]
    one, other = f"host_oomkilled@{APP}", f"{check}@{APP}"
    assert roots(diagnose(two((APP, slight), (OTHER, WELL)))) == {other}
    beside = diagnose(two((APP, {**slight, **grave}), (OTHER, WELL)))
    assert roots(beside) == {one}
    assert not the(beside, other).explained_by, "it is told for what it is"
    elsewhere = diagnose(two((APP, slight), (OTHER, {**WELL, **grave})))
    assert roots(elsewhere) == {other, f"host_oomkilled@{OTHER}"}
    both = {**scene("spec_decode_low_acceptance")["fires"], **scene("image_pull_slow")["fires"]}
    light = diagnose(two((APP, both), (OTHER, WELL)))
    assert roots(light) == {f"spec_decode_low_acceptance@{APP}", f"image_pull_slow@{APP}"}, "neither is grave"
    # What causes something that is seen stays.
    causing = {**scene("prefix_cache_ineffective")["fires"], **scene("ttft_breach_prefill")["fires"], **grave}
    assert f"prefix_cache_ineffective@{APP}" in roots(diagnose(two((APP, causing), (OTHER, WELL))))
    asked = diagnose(
        two((APP, {**grave, **scene("pickle_weights")["fires"]}), (OTHER, WELL)), None, None, {"pickle_weights"}
    )
    assert roots(asked) == {one, f"pickle_weights@{APP}"}


@pytest.mark.parametrize("pending", ["pending_taint", "pending_pvc_zone", "pending_node_selector"])
def test_an_autoscaler_that_has_no_node_for_a_pod_that_none_may_hold_is_not_the_cause(pending: str) -> None:
    world = {**scene("cluster_autoscaler_cannot_add_gpu_node")["fires"], **scene(pending)["fires"]}
    assert roots(diagnose(two((APP, world), (OTHER, WELL)))) == {f"{pending}@{APP}"}


@pytest.mark.parametrize(
    ("refused", "both"),
    [
        ("pod didn't trigger scale-up: 2 node(s) didn't match Pod's node affinity/selector, 1 Insufficient nvidia.com/mig-1g.5gb", False),
        ("pod didn't trigger scale-up: 1 Insufficient nvidia.com/mig-1g.5gb, 1 max node group size reached", True),
        ("pod didn't trigger scale-up: 2 max node group size reached", True), ("pod didn't trigger scale-up: 1 Insufficient nvidia.com/gpu", True),
    ],
)  # fmt: skip
def test_an_autoscaler_whose_nodes_have_not_the_profile_either_is_not_the_cause(refused: str, both: bool) -> None:
    world = {**scene("pending_mig_mismatch")["fires"], "pod.no_scale_up now": refused}
    wanted = {f"pending_mig_mismatch@{APP}"} | ({f"cluster_autoscaler_cannot_add_gpu_node@{APP}"} if both else set())
    assert roots(diagnose(two((APP, world), (OTHER, WELL)))) == wanted


@pytest.mark.parametrize("cause", ["pending_mig_mismatch", "host_memory_exhausted", "crash_loop"])
def test_a_replica_that_serves_nobody_leaves_the_others_slow(cause: str) -> None:
    world = {**scene(cause)["fires"], **scene("ttft_breach_prefill")["fires"]}
    assert f"ttft_breach_prefill@{APP}" not in roots(diagnose(two((APP, world), (OTHER, WELL))))


def test_metrics_that_name_no_holder_are_no_headline_beside_a_fault() -> None:
    unnamed = (N1, scene("gpu_metrics_misattributed")["fires"])
    key = f"gpu_metrics_misattributed@{N1}"
    alone = diagnose(two((APP, WELL), (OTHER, WELL), unnamed))
    assert roots(alone) == {key}
    beside = diagnose(two((APP, scene("host_oomkilled")["fires"]), (OTHER, WELL), unnamed))
    assert roots(beside) == {f"host_oomkilled@{APP}"}
    assert not the(beside, key).root
    assert not the(beside, key).explained_by


def test_a_drift_beside_what_is_asked_about_is_no_headline() -> None:
    litter = {
        **scene("unexpected_admission_error")["fires"],
        "workload.replicas_wanted now": 2,
        "workload.replicas_ready now": 2,
    }
    world = two((APP, {**DRIFT, **litter}), (OTHER, WELL))
    assert roots(diagnose(world)) == {f"config_drift_args_vs_runtime@{APP}"}
    asked = diagnose(world, None, None, {"unexpected_admission_error"})
    assert roots(asked) == {f"unexpected_admission_error@{APP}"}


def test_a_replica_that_is_placed_nowhere_leaves_the_others_slow() -> None:
    world = {**scene("pending_taint")["fires"], **scene("ttft_breach_prefill")["fires"]}
    assert roots(diagnose(two((APP, world), (OTHER, WELL)))) == {f"pending_taint@{APP}"}


def test_a_full_disk_is_one_headline() -> None:
    full = {
        **scene("node_disk_full")["fires"],
        "node.disk_free now": 0.05,
        "node.disk_not_cleared now": "Failed to garbage collect",
    }
    assert roots(diagnose(two((APP, WELL), (OTHER, WELL), (N1, full)))) == {f"node_disk_full@{N1}"}


def test_a_disk_that_fills_is_no_news_until_the_kubelet_finds_nothing_to_delete() -> None:
    filled = {"node.disk_free now": 0.11}
    assert roots(diagnose(two((APP, WELL), (OTHER, WELL), (N1, filled)))) == set()
    said = {"node.disk_not_cleared now": "Failed to garbage collect required amount of images."}
    assert roots(diagnose(two((APP, WELL), (OTHER, WELL), (N1, {**filled, **said})))) == {f"node_disk_nearly_full@{N1}"}
    assert roots(diagnose(two((APP, WELL), (OTHER, WELL), (N1, {**said, "node.disk_free now": 0.4})))) == set()


def test_a_drift_beside_a_fault_of_a_gpu_that_nobody_is_known_to_hold_is_no_headline() -> None:
    gpu = Subject("gpu", "", "n1/7")
    braked = scene("power_brake")["fires"]
    full = scene("kv_saturation_queueing")["fires"]
    taken = two((APP, {**DRIFT, **full}), (OTHER, WELL))
    held = Gpu("G-free", "n1", "7", "H100", None)
    pods = {key: replace(pod, gpus=2.0) if pod.node == "n1" else pod for key, pod in taken.topology.pods.items()}
    free = replace(taken.topology, gpus={**taken.topology.gpus, held.key: held}, pods=pods)
    columns = dict(taken.columns)
    for name, value in braked.items():
        ask = parse_ask(name)
        columns[ask] = Column(ask, (Part("scene", "q", NOW, {held.key: float(value)}),), GONE)
    told = diagnose(replace(taken, topology=free, columns=columns))
    assert roots(told) == {f"power_brake@{gpu}"}


NOTED = {"gpu.xid_last max 1h": 31, "gpu.xid_last changes 1h": 1}
KERNEL = "torch.AcceleratorError: CUDA error: an illegal memory access was encountered"
SEGFAULT = "!!!!!!! Segfault encountered !!!!!!!"


@pytest.mark.parametrize(("line", "first"), [("log.cuda_fault now", "xid"), ("log.native_crash now", "crash")])
def test_an_xid_stands_above_the_crash_whose_log_tells_of_the_kernel_and_is_the_echo_of_any_other(
    line: str, first: str
) -> None:
    world = {**scene("native_crash")["fires"], "log.cuda_fault now": "", "log.native_crash now": ""}
    world[line] = KERNEL if first == "xid" else SEGFAULT
    xid, crash = "xid_application@gpu/n1/0", f"native_crash@{APP}"
    told = diagnose(two((APP, world), (OTHER, WELL), (Subject("gpu", "", "n1/0"), NOTED)))
    assert roots(told) == {xid if first == "xid" else crash}
    assert the(told, crash if first == "xid" else xid).explained_by == ((xid,) if first == "xid" else (crash,))


def test_an_engine_that_tells_of_its_death_stands_above_the_xid() -> None:
    world = {**scene("engine_dead")["fires"], "log.cuda_fault now": KERNEL}
    told = diagnose(two((APP, world), (OTHER, WELL), (Subject("gpu", "", "n1/0"), NOTED)))
    assert roots(told) == {f"engine_dead@{APP}"}


@pytest.mark.parametrize(
    ("used", "verdict"), [(0.0, Verdict.FIRES), (20e9, Verdict.QUIET), (None, Verdict.BLIND)], ids=str
)
def test_an_application_that_left_its_gpu_is_told_by_the_empty_gpu(used: float | None, verdict: Verdict) -> None:
    gpu, job = Gpu("G-left", "n1", "7", "H100", None), Subject("job", "lab", "tune")
    ended = Pod("lab", "tune-x", "n1", job, "Failed", False, 1.0)
    crash = {
        key: "" if isinstance(value, str) and key.startswith("log.") else value
        for key, value in scene("native_crash")["fires"].items()
    }
    taken = two((APP, WELL), (OTHER, WELL))
    topology = replace(
        taken.topology,
        gpus={**taken.topology.gpus, gpu.key: gpu},
        pods={**taken.topology.pods, ended.key: ended},
    )
    columns = dict(taken.columns)
    values: dict[str, tuple[str, Any]] = {name: (gpu.key, value) for name, value in NOTED.items()}
    values |= {"gpu.mem_used now": (gpu.key, used)}
    values |= {name: (ended.key, value) for name, value in {**crash, "log.cuda_fault now": KERNEL}.items()}
    for name, (key, value) in values.items():
        ask = parse_ask(name)
        kept = columns[ask].parts if ask in columns else ()
        part = Part("scene", "q", NOW, {} if value is None else {key: value})
        columns[ask] = Column(ask, (*kept, part), GONE)
    snapshot_of_it = replace(taken, topology=topology, columns=columns)
    assert outcome(snapshot_of_it, "xid_application", gpu.subject).verdict is verdict
    if verdict is Verdict.FIRES:
        told = diagnose(snapshot_of_it)
        assert the(told, f"native_crash@{job}").explained_by == (f"xid_application@{gpu.subject}",)


def test_missing_profiling_beside_any_fault_is_told_and_is_no_headline() -> None:
    node = Subject("node", "", "n1")
    unprofiled = scene("profiling_metrics_missing")["fires"]
    alone = diagnose(two((node, unprofiled), (APP, WELL), (OTHER, WELL)))
    assert roots(alone) == {f"profiling_metrics_missing@{node}"}
    beside = diagnose(two((node, unprofiled), (APP, WELL), (OTHER, scene("host_oomkilled")["fires"])))
    assert roots(beside) == {f"host_oomkilled@{OTHER}"}
    assert f"profiling_metrics_missing@{node}" in keys(beside)


def test_a_node_of_the_scope_is_in_it() -> None:
    node = Subject("node", "", "n1")
    silent = {"node.gpus_reporting now": 0, "node.gpus now": 8, "node.ready now": 1}
    taken = two((node, silent), (APP, WELL), (OTHER, WELL))
    assert keys(diagnose(taken, Within("team"))) == [f"exporter_down@{node}"]
    assert keys(diagnose(taken, Within("lab"))) == []


def test_a_name_in_any_namespace_and_a_scope_without_anyone() -> None:
    taken = two((APP, KV), (OTHER, KV))
    assert keys(diagnose(taken, Within(workload="app"))) == [f"kv_saturation_queueing@{APP}"]
    assert diagnose(taken, Within("nowhere")).checked == 0
    assert keys(diagnose(taken, Within("nowhere"))) == []


# ------------------------------------------------------------------ verdicts


def test_one_blind_replica_and_a_quiet_one_are_blind() -> None:
    taken = two((APP, {**WELL, "llm.kv_usage avg 10m": [0.2, None]}), (OTHER, WELL))
    one = outcome(taken, "kv_saturation_queueing", APP)
    assert one.verdict is Verdict.BLIND
    assert one.unseen is not None
    assert one.unseen.subject == Subject("pod", "team", "app-1")
    told = diagnose(taken)
    assert any("pod/team/app-1" in spot.what and "kv_saturation_queueing" in spot.why for spot in told.blind)
    assert not any(ruled.id == "kv_saturation_queueing" and ruled.subject == str(APP) for ruled in told.ruled_out)


def test_one_blind_replica_and_a_firing_one_fire() -> None:
    taken = two((APP, {**KV, "llm.kv_usage avg 10m": [0.99, None]}), (OTHER, WELL))
    assert outcome(taken, "kv_saturation_queueing", APP).verdict is Verdict.FIRES


def test_what_was_partly_unseen_is_blind_even_where_the_next_reading_has_no_part() -> None:
    """Nothing observed of the second reading is no reason to forget that the first was not seen."""
    taken = two((APP, {**LATE, "llm.ttft p95 5m": [8.0, None]}), (OTHER, WELL))
    queue = parse_ask("llm.queue_time mean 5m")
    nothing = Part("scene", "q", NOW, {}, None, None, frozenset(taken.topology.pods_of(APP)))
    columns = {**taken.columns, queue: Column(queue, (nothing,), GONE)}
    assert outcome(replace(taken, columns=columns), "ttft_breach_queueing", APP).verdict is Verdict.BLIND


def test_a_workload_none_of_whose_gpus_has_metrics_is_blind_and_never_quiet() -> None:
    taken = two((APP, WELL), (OTHER, WELL))
    bare = replace(
        taken,
        topology=replace(
            taken.topology, gpus={k: g for k, g in taken.topology.gpus.items() if g.pod and "other" in g.pod}
        ),
    )
    one = outcome(bare, "gpu_idle_no_process", APP)
    assert one.verdict is Verdict.BLIND
    assert one.unseen is not None
    assert "2 GPUs are allocated, 0 have metrics" in str(one.unseen.blind)


def test_some_gpus_without_metrics_are_blind_where_the_rest_is_quiet() -> None:
    busy = {"gpu.util max 1h": 0.9, "gpu.mem_used max 1h": 6e10, "pod.running_for now": 90000}
    taken = two((APP, busy), (OTHER, busy))
    assert outcome(taken, "gpu_idle_no_process", APP).verdict is Verdict.QUIET
    fewer = {key: gpu for key, gpu in taken.topology.gpus.items() if key != "G-app-1"}
    one = outcome(replace(taken, topology=replace(taken.topology, gpus=fewer)), "gpu_idle_no_process", APP)
    assert one.verdict is Verdict.BLIND
    assert "2 GPUs are allocated, 1 have metrics" in str(one.unseen.blind if one.unseen else "")


def test_a_pod_that_is_not_up_has_no_engine_to_measure() -> None:
    taken = two((APP, {**WELL, "llm.kv_usage avg 10m": [0.2, None]}), (OTHER, WELL))
    pods = {**taken.topology.pods, "team/app-1": replace(taken.topology.pods["team/app-1"], ready=False)}
    assert (
        outcome(replace(taken, topology=replace(taken.topology, pods=pods)), "kv_saturation_queueing", APP).verdict
        is Verdict.QUIET
    )


def test_an_engine_check_is_not_about_a_workload_without_an_engine() -> None:
    taken = two((APP, KV), (OTHER, WELL))
    bare = replace(taken, topology=replace(taken.topology, engines={OTHER: "vllm"}))
    assert f"kv_saturation_queueing@{APP}" not in keys(diagnose(bare))
    assert not any(one.subject == APP and one.case.id == "kv_saturation_queueing" for one in run(bare, {}))


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize(
    ("limits", "fires"),
    [
        ({}, {APP, OTHER}),
        ({"kv_saturation_queueing": {"full": 0.999}}, set()),
        ({f"kv_saturation_queueing@{APP}": {"full": 0.999}}, {OTHER}),
        ({"kv_saturation_queueing": {"full": 0.999}, f"kv_saturation_queueing@{APP}": {"full": 0.9}}, {APP}),
        ({"ttft_breach_queueing": {"full": 0.999}}, {APP, OTHER}),
    ],
)
def test_limits_are_set_by_check_and_by_subject(limits: dict[str, dict[str, float]], fires: set[Subject]) -> None:
    taken = two((APP, KV), (OTHER, KV))
    assert set(keys(diagnose(taken, limits=limits))) == {f"kv_saturation_queueing@{subject}" for subject in fires}


# ------------------------------------------------------------------ what is said


def test_evidence_ids_are_unique_and_counted_through() -> None:
    told = diagnose(two((APP, {**HPA, **KV, **LATE}), (OTHER, {**KV, **LATE})))
    ids = [evidence.id for finding in told.findings for evidence in finding.evidence]
    assert ids == [f"e{i + 1}" for i in range(len(ids))]
    assert len(ids) > 10
    for finding in told.findings:
        for evidence in finding.evidence:
            assert evidence.at == "2026-09-21T14:13:20Z"


@pytest.mark.parametrize(
    ("check", "world", "confidence"),
    [("ttft_breach_queueing", LATE, "medium"), ("hpa_wrong_metric", HPA, "high")],
)
def test_confidence_follows_the_kinds_of_evidence(check: str, world: dict[str, Any], confidence: str) -> None:
    told = diagnose(two((APP, world), (OTHER, WELL)))
    assert the(told, f"{check}@{APP}").confidence == confidence


def test_symptoms_that_follow_raise_the_confidence_in_a_cause() -> None:
    poor = {"llm.kv_usage avg 10m": 0.99, "llm.requests_waiting min 5m": 6, "llm.requests_waiting now": 9}
    alone = the(diagnose(two((APP, poor), (OTHER, WELL))), f"kv_saturation_queueing@{APP}")
    followed = the(diagnose(two((APP, {**poor, **LATE}), (OTHER, WELL))), f"kv_saturation_queueing@{APP}")
    order = ["low", "medium", "high"]
    assert order.index(followed.confidence) > order.index(alone.confidence)


def test_what_was_ruled_out_names_a_reading_and_rivals_come_first() -> None:
    told = diagnose(two((APP, {**WELL, **LATE}), (OTHER, WELL)))
    rivals = {one.id: one for one in told.ruled_out[:2]}
    assert set(rivals) == {"concurrency_cap_below_kv", "kv_saturation_queueing"}
    assert rivals["kv_saturation_queueing"].subject == str(APP)
    assert "20 %" in rivals["kv_saturation_queueing"].why
    assert len(told.ruled_out) <= RULED_OUT_MOST
    assert all(ruled.subject == str(APP) for ruled in told.ruled_out), "a sweep rules out where something fires"


def test_a_scope_in_which_nothing_fires_lists_what_was_looked_at() -> None:
    told = diagnose(two((APP, WELL), (OTHER, WELL)), Within("team", "app"))
    assert told.findings == ()
    assert {ruled.id for ruled in told.ruled_out} >= {"kv_saturation_queueing", "ttft_breach_queueing"}
    assert told.checked > 2


def test_a_source_that_is_down_is_one_blind_spot_not_forty() -> None:
    down = Blind(Reason.SOURCE_DOWN, "Prometheus cannot be reached")
    taken = two(sources=(SourceState("Prometheus", down),))
    columns = {ask: Column(ask, (), down) for ask in taken.columns}
    told = diagnose(replace(taken, columns=columns))
    assert told.findings == ()
    assert told.ruled_out == ()
    assert [spot.what for spot in told.blind if str(down) in spot.why] == ["Prometheus"]


def test_worse_headlines_come_first() -> None:
    gpu = Subject("gpu", "", "n2/4")
    idle = scene("gpu_idle_no_traffic")["fires"]
    told = diagnose(two((APP, {**idle}), (gpu, XID), (OTHER, KV)))
    severities = [finding.severity for finding in told.findings if finding.root]
    assert severities == sorted(severities, key=["critical", "high", "medium", "low", "info"].index)
    assert severities[0] == "critical"


@pytest.mark.parametrize("check", list(modes()))
def test_every_finding_carries_its_page_its_remedy_and_its_words(check: str) -> None:
    told = scene(check)
    from tests.tools.scenes import SUBJECTS

    subject = SUBJECTS[told.get("about", "workload")]
    found = next(one for one in diagnose(snapshot(told["fires"], subject)).findings if one.id == check)
    assert found.pages[0] == f"failure-modes/{check}"
    assert found.because
    assert found.evidence
    assert found.title == cases()[check].words.title


# ------------------------------------------------------------------ relations between what is not one workload


def fired(check: str, subject: Subject) -> Outcome:
    return Outcome(cases()[check], subject, Verdict.FIRES, Because("", {}))


NODE = Subject("node", "", "n1")
EXPORTER = Subject("daemonset", "gpu-operator", "nvidia-dcgm-exporter")


def placed(**nodes: Subject) -> Topology:
    """Pods by name (`pod_node`), each with its workload."""
    pods = {}
    for name, whose in nodes.items():
        pod, _, node = name.partition("_")
        pods[f"{whose.namespace}/{pod}"] = Pod(whose.namespace, pod, node, whose, "Running", True, 1.0)
    return Topology(pods, {}, ("n1", "n2"))


@pytest.mark.parametrize(
    ("cause", "where", "explains"),
    [(EXPORTER, "n1", True), (EXPORTER, "n2", False), (APP, "n1", False)],
    ids=["the exporter there", "the exporter of another node", "an engine there"],
)
def test_a_kill_explains_dark_gpus_where_it_is_the_exporters(cause: Subject, where: str, explains: bool) -> None:
    topology = placed(**{f"x-0_{where}": cause, "y-0_n1": OTHER})
    told = explanations([fired("host_oomkilled", cause), fired("exporter_down", NODE)], topology)
    assert told == ({f"exporter_down@{NODE}": (f"host_oomkilled@{cause}",)} if explains else {})


PLUGIN = Subject("daemonset", "gpu-operator", "nvidia-device-plugin-daemonset")


@pytest.mark.parametrize(
    ("cause", "where", "explains"),
    [(PLUGIN, "n1", True), (PLUGIN, "", True), (PLUGIN, "n2", False), (APP, "n1", False), (EXPORTER, "n1", False)],
    ids=["the plugin there", "placed nowhere", "on another node", "an engine there", "the exporter there"],
)
def test_what_keeps_the_device_plugin_from_running_explains_gpus_that_nobody_gives(
    cause: Subject, where: str, explains: bool
) -> None:
    topology = placed(**{f"x-0_{where}": cause, "y-0_n1": OTHER})
    told = explanations([fired("image_pull_fail", cause), fired("device_plugin_missing", NODE)], topology)
    assert told == ({f"device_plugin_missing@{NODE}": (f"image_pull_fail@{cause}",)} if explains else {})


def test_a_lost_node_explains_why_the_replica_that_stood_on_it_finds_no_place() -> None:
    topology = placed(**{"app-0_n1": APP, "app-1_": APP, "other-0_": OTHER})
    pending = [fired("pending_insufficient_gpu", one) for one in (APP, OTHER)]
    told = explanations([fired("node_lost", NODE), *pending], topology)
    assert told == {f"pending_insufficient_gpu@{APP}": (f"node_lost@{NODE}",)}


@pytest.mark.parametrize("scaler", ["hpa_wrong_metric", "hpa_metric_unavailable", "keda_scaler_failing"])
def test_replicas_at_their_cap_stand_under_the_autoscaler_that_adds_none(scaler: str) -> None:
    told = explanations([fired(scaler, APP), fired("concurrency_cap_below_kv", APP)], placed(**{"app-0_n1": APP}))
    assert told == {f"concurrency_cap_below_kv@{APP}": (f"{scaler}@{APP}",)}


@pytest.mark.parametrize(
    ("subject", "held"),
    [
        (Subject("statefulset", "team", "drums"), True),
        (Subject("statefulset", "team", "drums-0"), True),
        (Subject("statefulset", "team", "drums-12"), True),
        (Subject("statefulset", "team", "drums-a"), False),
        (Subject("statefulset", "team", "drums-0-1"), False),
        (Subject("statefulset", "team", "snare-0"), False),
        (Subject("statefulset", "other", "drums-0"), False),
        (Subject("deployment", "team", "drums-0"), False),
    ],
)
def test_the_workers_of_a_group_are_asked_about_with_their_leader(subject: Subject, held: bool) -> None:
    assert Within("team", "drums").holds(subject) is held


@pytest.mark.parametrize(("first", "roots_told"), [(0.9, 1), (6.0, 2)])
def test_a_first_token_within_a_few_slow_steps_follows_from_the_batch(first: float, roots_told: int) -> None:
    world = (
        scene("ttft_breach_prefill")["fires"]
        | scene("itl_breach_batch_too_large")["fires"]
        | {"llm.ttft mean 5m": first}
    )
    told = diagnose(two((APP, world)))
    slow = f"itl_breach_batch_too_large@{APP}"
    assert {slow, f"ttft_breach_prefill@{APP}"} <= set(keys(told))
    assert slow in roots(told)
    assert the(told, f"ttft_breach_prefill@{APP}").explained_by == ((slow,) if roots_told == 1 else ())


@pytest.mark.parametrize(("profiled", "root"), [([0, 0], True), ([1, 0], False)], ids=["none of them", "one of two"])
def test_profiling_that_one_gpu_of_a_node_lacks_is_no_headline(profiled: list[int], root: bool) -> None:
    taken = snapshot({"gpu.profiled now": profiled, "gpu.util avg 10m": 0.6}, Subject("node", "", "n1"))
    found = [one.root for one in diagnose(taken).findings if one.id == "profiling_metrics_missing"]
    assert found == [root]
