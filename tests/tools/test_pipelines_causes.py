"""Causes across the workloads of a pipeline and of a node: what is named first, what it explains, and what it leaves alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from tests.tools.scenes import GONE, NOW
from tools.casebook import asks
from tools.columns import Column, Part
from tools.diagnose import Diagnosis, Within, diagnose
from tools.finding import Finding
from tools.reading import Subject
from tools.signals import Ask, parse_ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import Gpu, Pod, Topology

CHAT, CODE, RANK, PICK = (Subject("deployment", "shop", name) for name in ("chat", "code", "rank", "picker"))
FAR = Subject("deployment", "lab", "chat")
N1 = Subject("node", "", "n1")
# Four replicas of which one would do.
BORED = {
    "llm.kv_usage max 10m": 0.05,
    "llm.generation_tokens rate 5m": 40,
    "llm.requests_waiting min 5m": 0,
    "llm.requests_running avg 10m": 0.6,
    "llm.requests_running max 1h": 1,
    "llm.ttft p95 5m": 0.2,
}
HELD_UP = {
    "router.decision_time p95 5m": 0.09,
    "router.held min 5m": 30,
    "router.pool_waiting avg 10m": 0.1,
    "container.cpu_throttled mean 5m": 0.8,
    "pod.cpu_limit now": 1,
}
RERANKING = {
    "pod.stage now": "reranker",
    "llm.requests_waiting min 5m": 40,
    "llm.queue_time mean 5m": 3,
    "llm.request_time mean 5m": 4,
}
LATE = {
    "llm.ttft p95 5m": 6,
    "llm.ttft mean 5m": 4,
    "llm.queue_time mean 5m": 3,
    "llm.queue_time p95 5m": 5,
    "llm.prefill_time p95 5m": 0.5,
    "llm.generation_tokens rate 5m": 100,
    "gpu.util avg 10m": 0.3,
}
CROWDED = {"node.cpu_busy avg 10m": 0.98}
MOVING = {"pod.stage now": "decode", "kv.transfers_failed increase 10m": 40, "llm.requests_finished increase 10m": 200}
FULL = {"llm.kv_usage avg 10m": 0.99, "llm.requests_waiting min 5m": 4, "llm.requests_waiting now": 5}


def world(
    told: Mapping[Subject, Mapping[str, Any]], nodes: Mapping[Subject, str] | None = None, job: float = 0.0
) -> Snapshot:
    """Workloads with their values. A picker has one pod, others have four; `job` are the cores that a stranger's pod uses on n1."""
    pods: dict[str, Pod] = {}
    gpus: dict[str, Gpu] = {}
    for one in told:
        if one.kind == "node":
            continue
        node = (nodes or {}).get(one, "n1")
        for i in range(1 if one == PICK else 4):
            pod = Pod(one.namespace, f"{one.name}-{i}", node, one, "Running", True, 0.0 if one == PICK else 1.0)
            pods[pod.key] = pod
            if one != PICK:
                card = f"{pod.key}/gpu"
                gpus[card] = Gpu(card, node, str(len(gpus)), "H100", pod.key)
    values: dict[Ask, dict[str, Any]] = {}
    if job:
        batch = Pod("ledger", "rollup-0", "n1", Subject("deployment", "ledger", "rollup"), "Running", True)
        pods[batch.key] = batch
        usage = dict.fromkeys(pods, 2.0) | {batch.key: job}
        values[parse_ask("container.cpu_usage rate 5m")] = usage
    engines = {one: "vllm" for one in told if one.kind != "node" and one != PICK}
    topology = Topology(pods, gpus, tuple(sorted({pod.node for pod in pods.values()})), (), (), engines, {})
    for subject, world in told.items():
        for name, value in world.items():
            ask = parse_ask(name)
            keys = topology.parts(subject, ask.signal.per)
            values.setdefault(ask, {}).update({key: v if isinstance(v := value, str) else float(v) for key in keys})
    # The nodes are found by the GPUs that they carry.
    columns = {ask: Column(ask, (Part("scene", f"query of {ask}", NOW, found),), GONE) for ask, found in values.items()}
    whole = {ask: columns.get(ask, Column(ask, (), GONE)) for ask in asks()}
    return Snapshot(NOW, topology, whole, (SourceState("Prometheus", None, 1),))


def roots(told: Diagnosis) -> set[str]:
    return {finding.key for finding in told.findings if finding.root}


def the(told: Diagnosis, key: str) -> Finding:
    return next(finding for finding in told.findings if finding.key == key)


def test_a_router_that_holds_requests_up_explains_engines_with_too_little_to_do() -> None:
    told = diagnose(world({PICK: HELD_UP, CHAT: BORED, FAR: BORED}))
    assert roots(told) == {f"gateway_router_overloaded@{PICK}", f"small_batches@{FAR}"}
    assert the(told, f"small_batches@{CHAT}").explained_by == (f"gateway_router_overloaded@{PICK}",)


def test_engines_that_are_full_are_the_cause_and_not_their_router() -> None:
    told = diagnose(world({PICK: {**HELD_UP, "router.pool_waiting avg 10m": 4}, CHAT: FULL}))
    assert roots(told) == {f"kv_saturation_queueing@{CHAT}"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (
            {},
            "picker-0 takes 90 ms (p95) to choose an engine, never holds less than 30 requests, is throttled in 80 % of its",
        ),
        (
            {"container.cpu_throttled mean 5m": 0.1},
            "takes 90 ms (p95) to choose an engine, never holds less than 30 requests while",
        ),
        ({"router.decision_time p95 5m": 0.001}, "picker-0 never holds less than 30 requests, is throttled"),
        ({"router.held min 5m": 0}, "picker-0 takes 90 ms (p95) to choose an engine, is throttled"),
    ],
)
def test_a_router_is_told_by_what_it_does(change: dict[str, float], says: str) -> None:
    finding = the(diagnose(world({PICK: {**HELD_UP, **change}})), f"gateway_router_overloaded@{PICK}")
    assert says in finding.because
    assert finding.because.endswith("while 0.1 requests wait per engine behind it.")
    raised = [one.change.to for one in finding.remedies if one.change]
    assert raised == (
        [] if change.get("container.cpu_throttled mean 5m") else ["2, or no limit with a request of that"]
    )


def test_a_router_without_a_queue_of_its_own_is_told_by_its_time() -> None:
    quick = {name: value for name, value in HELD_UP.items() if name != "router.held min 5m"}
    finding = the(diagnose(world({PICK: quick})), f"gateway_router_overloaded@{PICK}")
    assert finding.because.startswith("picker-0 takes 90 ms (p95) to choose an engine, is throttled")


def test_nothing_is_said_of_engines_that_nobody_sees() -> None:
    blind = {name: value for name, value in HELD_UP.items() if "pool" not in name}
    finding = the(diagnose(world({PICK: blind})), f"gateway_router_overloaded@{PICK}")
    assert finding.because.endswith("is throttled in 80 % of its CPU periods.")


def test_a_stage_that_everybody_waits_for_explains_the_large_model_that_has_too_little_to_do() -> None:
    told = diagnose(world({RANK: RERANKING, CHAT: BORED}))
    assert roots(told) == {f"embedding_reranker_bottleneck@{RANK}"}
    assert the(told, f"small_batches@{CHAT}").explained_by == (f"embedding_reranker_bottleneck@{RANK}",)


def test_what_keeps_a_stage_short_of_replicas_is_named_before_the_stage() -> None:
    ceiling = {"hpa.desired now": 4, "hpa.max now": 4, "hpa.min now": 1, "workload.replicas_ready now": 4}
    told = diagnose(world({RANK: {**RERANKING, **ceiling, "llm.requests_waiting avg 10m": 40}}))
    assert roots(told) == {f"hpa_at_max@{RANK}"}
    assert the(told, f"embedding_reranker_bottleneck@{RANK}").explained_by == (f"hpa_at_max@{RANK}",)


def test_one_neighbour_explains_all_engines_of_its_node_and_none_of_another() -> None:
    told = diagnose(world({N1: CROWDED, CHAT: LATE, CODE: LATE, FAR: LATE}, nodes={FAR: "n2"}, job=40))
    assert roots(told) == {f"neighbour_cpu_contention@{N1}", f"ttft_breach_queueing@{FAR}"}
    for one in (CHAT, CODE):
        assert the(told, f"ttft_breach_queueing@{one}").explained_by == (f"neighbour_cpu_contention@{N1}",)
    said = the(told, f"neighbour_cpu_contention@{N1}").because
    assert "rollup-0 alone uses 40 cores" in said
    assert "time to first token" in said


def test_a_crowd_without_a_neighbour_is_none() -> None:
    told = diagnose(world({N1: CROWDED, CHAT: LATE}, job=1))
    assert roots(told) == {f"ttft_breach_queueing@{CHAT}"}


def test_failing_transfers_explain_the_pool_that_waits_for_them_to_be_fetched() -> None:
    told = diagnose(world({CHAT: MOVING, CODE: {**FULL, "pod.stage now": "prefill"}, FAR: FULL}))
    assert roots(told) == {f"pd_disaggregation_transfer@{CHAT}", f"kv_saturation_queueing@{FAR}"}


def test_a_pair_of_pools_is_one_headline_though_both_count_failures() -> None:
    told = diagnose(world({CHAT: MOVING, CODE: {**MOVING, "pod.stage now": "prefill"}}))
    assert roots(told) == {f"pd_disaggregation_transfer@{CHAT}"}


def test_a_cache_that_lost_its_use_is_the_cause_of_slow_prompts() -> None:
    lost = {
        **LATE,
        "llm.queue_time p95 5m": 0.1,
        "llm.queue_time mean 5m": 0.05,
        "llm.prefill_time p95 5m": 5.5,
        "llm.prefix_queries rate 10m": 2000,
        "llm.prefix_cache_hits rate 10m": 10,
        "llm.prefix_share max 12h": 0.6,
        "pod.running_for now": 90_000,
    }
    told = diagnose(world({CHAT: lost}))
    assert roots(told) == {f"prefix_cache_ineffective@{CHAT}"}
    assert the(told, f"ttft_breach_prefill@{CHAT}").explained_by == (f"prefix_cache_ineffective@{CHAT}",)
    assert "0.5" in the(told, f"prefix_cache_ineffective@{CHAT}").because


def test_who_asks_about_an_engine_is_told_of_what_stands_in_its_path() -> None:
    taken = world({PICK: HELD_UP, RANK: RERANKING, CHAT: {**BORED, "llm.requests_running max 1h": 9}, FAR: BORED})
    asked = diagnose(taken, Within("shop", "chat"))
    assert roots(asked) == {f"gateway_router_overloaded@{PICK}", f"embedding_reranker_bottleneck@{RANK}"}
    assert roots(diagnose(taken, Within("lab", "chat"))) == {f"small_batches@{FAR}"}


def test_who_asks_about_something_else_is_not() -> None:
    site = Subject("deployment", "shop", "site")
    taken = world({PICK: HELD_UP, CHAT: BORED, site: {"pod.phase now": "Running"}})
    engines = {one: name for one, name in taken.topology.engines.items() if one != site}
    taken = replace(taken, topology=replace(taken.topology, engines=engines))
    assert roots(diagnose(taken, Within("shop", "site"))) == set()


def test_what_cannot_be_seen_of_the_path_is_said() -> None:
    unseen = {name: value for name, value in RERANKING.items() if name != "llm.queue_time mean 5m"}
    told = diagnose(world({RANK: unseen, CHAT: {"llm.ttft p95 5m": 0.2}}), Within("shop", "chat"))
    assert any(
        "embedding_reranker_bottleneck" in spot.why and "deployment/shop/rank" in spot.what for spot in told.blind
    )
    assert not any("kv_saturation_queueing" in spot.why and "shop/rank" in spot.what for spot in told.blind)
