"""Where GPU money goes: every hour in one place, nothing unseen called idle, and a price only where there is one."""

from __future__ import annotations

import random
from collections.abc import Mapping
from typing import Any

import pytest

from tools.columns import Column, Part
from tools.costs import WindowError, asks, costs, window_of
from tools.costs_break_even import compare, plans
from tools.costs_figures import Spent
from tools.costs_output import Costs
from tools.diagnose import Within
from tools.prices import PricesError, list_prices, price_book
from tools.reading import Blind, Reason, Subject
from tools.signals import Ask, parse_ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import Gpu, Pod, Topology

NOW = 1_790_000_000.0
APP = Subject("deployment", "team", "app")
JOB = Subject("leaderworkerset", "team", "job")
DAY = 86_400.0
BOOK = price_book({"h100": 2.0})
# One node of four H100s; app-0 holds one, and three are free.
NODE: dict[str, Any] = {
    "node.gpus now": {"n1": 4.0},
    "node.devices_given now": {"n1": 4.0},
    "node.gpus_promised now": {"n1": 4.0},
    "node.gpu_product now": {"n1": "NVIDIA-H100-80GB-HBM3"},
    "node.ready now": {"n1": 1.0},
    "node.cordoned now": {"n1": 0.0},
}
BUSY: dict[str, Any] = {
    "pod.age now": {"team/app-0": DAY},
    "cost.gpu_seen max 1h": {"G0": 1.0, "G1": 1.0, "G2": 1.0, "G3": 1.0},
    "cost.gpu_empty max 1h": {"G0": 0.0, "G1": 1.0, "G2": 1.0, "G3": 1.0},
    "cost.gpu_active max 1h": {"G0": 0.5, "G1": 0.0, "G2": 0.0, "G3": 0.0},
    "cost.engine_seen max 1h": {"team/app-0": 1.0},
    "cost.engine_quiet max 1h": {"team/app-0": 0.25},
    "cost.not_ready max 1h": {"team/app-0": 0.0},
}


def pod(name: str, node: str = "n1", workload: Subject = APP, **more: Any) -> Pod:
    told: dict[str, Any] = {"phase": "Running", "ready": True, "gpus": 1.0, **more}
    return Pod("team", name, node, workload, **told)


def taken(
    world: Mapping[str, Mapping[str, Any]],
    pods: tuple[Pod, ...] = (pod("app-0"),),
    held: Mapping[str, str] | None = None,
    devices: int = 4,
    why: Mapping[str, Blind] | None = None,
) -> Snapshot:
    holders = {"G0": "team/app-0"} if held is None else held
    gpus = {f"G{i}": Gpu(f"G{i}", "n1", str(i), "NVIDIA H100 80GB HBM3", holders.get(f"G{i}")) for i in range(devices)}
    whole = Topology({one.key: one for one in pods}, gpus, ("n1",), (), (), {APP: "vllm"})
    told = {parse_ask(name): values for name, values in world.items()}
    columns: dict[Ask, Column] = {}
    for ask in {*asks("1h"), *told}:
        parts = (Part("Prometheus", f"query of {ask}", NOW, told[ask]),) if ask in told else ()
        columns[ask] = Column(
            ask, parts, (why or {}).get(str(ask), Blind(Reason.NO_SERIES, "Prometheus was asked and has none"))
        )
    return Snapshot(NOW, whole, columns, (SourceState("Prometheus", None, 1),))


def found(world: Mapping[str, Any] | None = None, **more: Any) -> Costs:
    return costs(taken({**NODE, **BUSY, **(world or {})}, **more), BOOK)


def spent(told: tuple[Spent, ...]) -> dict[tuple[str, str], float]:
    return {(one.kind, one.reason): pytest.approx(one.gpu_hours) for one in told}


def kinds(told: Costs) -> dict[str, float]:
    total: dict[str, float] = {}
    for one in told.spent:
        total[one.kind] = total.get(one.kind, 0.0) + one.gpu_hours
    return total


def test_every_hour_is_in_one_place_and_they_add_up() -> None:
    told = found()
    assert spent(told.spent) == {
        ("used", "requests were served"): 0.75,
        ("idle", "no request"): 0.25,
        ("free", "nobody asks for it"): 3.0,
    }
    assert told.gpu_hours == pytest.approx(4.0)
    assert told.gpus == 4.0
    assert told.usd_per_hour is not None
    assert told.usd_per_hour.value == pytest.approx(8.0)
    assert sum(one.usd or 0.0 for one in told.spent) == pytest.approx(8.0)
    (app,) = told.workloads
    assert app.usd_per_hour is not None
    assert app.usd_per_hour.value == pytest.approx(2.0)
    assert "$2" in app.usd_per_hour.how
    assert app.usd_per_hour.queries


def test_what_is_not_seen_is_unseen_and_neither_idle_nor_used() -> None:
    blind = {
        "cost.engine_seen max 1h": Blind(Reason.SOURCE_DOWN, "Prometheus did not answer"),
        "cost.engine_quiet max 1h": Blind(Reason.SOURCE_DOWN, "Prometheus did not answer"),
    }
    told = costs(taken(NODE | {"pod.age now": {"team/app-0": DAY}}, why=blind), BOOK)
    assert kinds(told) == {"unseen": pytest.approx(4.0)}
    assert told.usd_per_hour is not None
    assert told.usd_per_hour.value == pytest.approx(8.0)
    assert any("did not answer" in one.reason for one in told.spent)


def test_where_pods_were_not_listed_no_gpu_is_called_free() -> None:
    hidden = {"pod.gpu_request now": Blind(Reason.FORBIDDEN, "pods are forbidden")}
    world = NODE | BUSY
    told = costs(taken(world, pods=(), held={}, why=hidden), BOOK)
    assert spent(told.spent) == {("unseen", "whether a pod holds it is not known (forbidden: pods are forbidden)"): 4.0}
    assert told.usd_per_hour is not None
    assert told.usd_per_hour.value == pytest.approx(8.0), "what it costs is known all the same"
    assert [one.what for one in told.blind] == ["Who holds GPUs"]
    held = costs(taken(world, why=hidden), BOOK)
    assert kinds(held) == {"used": pytest.approx(0.75), "idle": pytest.approx(0.25), "unseen": pytest.approx(3.0)}
    told_by_metrics = costs(taken(world | {"pod.gpu_request now": {"team/app-0": 1.0}}, why=hidden), BOOK)
    assert kinds(told_by_metrics)["free"] == pytest.approx(3.0), "kube-state-metrics lists what pods request"
    assert told_by_metrics.blind == ()


def test_an_engine_that_was_seen_for_a_part_leaves_the_rest_unseen() -> None:
    told = found({"cost.engine_seen max 1h": {"team/app-0": 0.5}, "cost.engine_quiet max 1h": {"team/app-0": 0.5}})
    assert kinds(told) == {"idle": pytest.approx(0.5), "unseen": pytest.approx(0.5), "free": pytest.approx(3.0)}


@pytest.mark.parametrize(
    ("world", "kind", "reason"),
    [
        ({"workload.standby now": {str(APP): 1.0}}, "standby", "declared a standby, no request"),
        ({"llm.engine_awake now": {"team/app-0": 0.0}}, "standby", "the engine sleeps"),
        ({}, "idle", "no request"),
        ({"cost.gpu_empty max 1h": {"G0": 1.0}, "cost.gpu_active max 1h": {"G0": 0.0}}, "idle", "no process on the GPU"),
        ({"cost.not_ready max 1h": {"team/app-0": 1.0}}, "idle", "the pod was not ready"),
    ],
)  # fmt: skip
def test_the_reason_of_an_idle_hour(world: dict[str, Any], kind: str, reason: str) -> None:
    told = found({"cost.engine_quiet max 1h": {"team/app-0": 1.0}, **world})
    (app,) = told.workloads
    assert [(one.kind, one.reason) for one in app.spent] == [(kind, reason)]
    assert app.spent[0].gpu_hours == pytest.approx(1.0)


def test_a_standby_of_the_intent_is_no_idle_time() -> None:
    world = NODE | BUSY | {"cost.engine_quiet max 1h": {"team/app-0": 1.0}}
    (app,) = costs(taken(world), BOOK, standby={APP}).workloads
    assert [one.kind for one in app.spent] == ["standby"]
    assert app.provision.verdict == "standby"


def test_without_an_engine_the_gpu_itself_tells() -> None:
    world = {name: values for name, values in (NODE | BUSY).items() if "engine" not in name}
    (app,) = costs(taken(world), BOOK).workloads
    assert spent(app.spent) == {
        ("used", "the GPU ran something"): 0.5,
        ("idle", "a process held the GPU and ran nothing"): 0.5,
    }


def test_hours_before_the_pod_are_not_its_own() -> None:
    told = found(
        {"pod.age now": {"team/app-0": 1800.0}, "cost.engine_seen max 1h": {"team/app-0": 0.5}, "cost.engine_quiet max 1h": {"team/app-0": 0.0}}
    )  # fmt: skip
    (app,) = told.workloads
    assert spent(app.spent) == {("used", "requests were served"): 0.5}
    assert spent(told.nodes[0].spent)[("unseen", "before the pods that hold it now")] == 0.5
    assert told.gpu_hours == pytest.approx(4.0)


def test_a_gpu_that_changed_hands_tells_nothing_of_its_new_pod() -> None:
    world = {name: values for name, values in (NODE | BUSY).items() if "engine" not in name}
    world["pod.age now"] = {"team/app-0": 1800.0}
    (app,) = costs(taken(world), BOOK).workloads
    assert [one.kind for one in app.spent] == ["unseen"]


def test_an_emptiness_from_before_a_pod_is_not_its_own() -> None:
    told = found(
        {
            "pod.age now": {"team/app-0": 1800.0},
            "cost.gpu_empty max 1h": {"G0": 0.9},
            "cost.gpu_active max 1h": {"G0": 0.0},
            "cost.engine_seen max 1h": {"team/app-0": 0.5},
            "cost.engine_quiet max 1h": {"team/app-0": 0.0},
        }
    )
    assert spent(told.workloads[0].spent) == {("used", "requests were served"): 0.5}


def test_a_gpu_that_is_free_now_and_that_no_exporter_shows_is_unseen() -> None:
    told = costs(taken(NODE | BUSY, devices=0), BOOK)
    assert spent(told.nodes[0].spent) == {("unseen", "it is free now, and no exporter tells since when"): 3.0}


WAITS = pod("app-1", node="", phase="Pending", ready=None, gpus=8.0)
SMALL = pod("app-1", node="", phase="Pending", ready=None, gpus=2.0)
EXACT = pod("app-1", node="", phase="Pending", ready=None, gpus=3.0)
GANG = pod("job-0", node="", phase="Pending", ready=None, gpus=2.0, workload=JOB)


@pytest.mark.parametrize(
    ("world", "pods", "kind", "said"),
    [
        ({}, (), "free", "nobody asks"),
        ({}, (WAITS,), "stranded", "fragmented: 1 pending pod wants 8"),
        ({}, (SMALL,), "stranded", "pending pods do not come here"),
        ({}, (EXACT,), "stranded", "pending pods do not come here"),
        ({}, (GANG,), "stranded", "gang"),
        ({"node.cordoned now": {"n1": 1.0}}, (), "stranded", "cordoned"),
        ({"node.ready now": {"n1": 0.0}}, (), "stranded", "not ready"),
    ],
)
def test_why_nobody_holds_a_gpu(world: dict[str, Any], pods: tuple[Pod, ...], kind: str, said: str) -> None:
    told = found(world, pods=(pod("app-0"), *pods))
    (mine,) = (one for one in told.nodes[0].spent if one.kind in {"free", "stranded"})
    assert (mine.kind, mine.gpu_hours) == (kind, pytest.approx(3.0))
    assert said in mine.reason


def test_a_gpu_that_the_node_does_not_give_is_stranded() -> None:
    told = found({"node.devices_given now": {"n1": 3.0}}, devices=4)
    assert spent(told.nodes[0].spent) == {
        ("stranded", "the node does not give it out (not allocatable)"): 1.0,
        ("free", "nobody asks for it"): 2.0,
    }


def test_what_kubernetes_says_now_is_not_taken_for_a_day() -> None:
    world = {**NODE, **BUSY, "node.devices_given now": {"n1": 3.0}}
    told = costs(taken(world), BOOK, "6h")
    node = spent(told.nodes[0].spent)
    assert node["stranded", "the node does not give it out (not allocatable)"] == 1.0
    assert node["unseen", "the node does not give it out now, and nothing tells since when"] == 5.0
    assert kinds(told) == {"stranded": pytest.approx(1.0), "unseen": pytest.approx(23.0)}


def test_a_free_gpu_that_was_held_until_lately_is_not_called_free_for_that_time() -> None:
    told = found({"cost.gpu_empty max 1h": {"G0": 0.0, "G1": 0.25, "G2": 1.0, "G3": 1.0}})
    assert spent(told.nodes[0].spent) == {
        ("free", "nobody asks for it"): 2.25,
        ("gone", "held by a pod that has ended since"): 0.75,
    }


def test_a_pod_of_a_gang_that_waits_for_the_others_says_so() -> None:
    first = pod("job-1", workload=JOB, ready=False)
    world = NODE | {"pod.age now": {"team/job-1": DAY}, "cost.not_ready max 1h": {"team/job-1": 1.0}}
    told = costs(taken(world, pods=(first, GANG), held={"G0": "team/job-1"}), BOOK)
    (job,) = told.workloads
    assert [one.reason for one in job.spent] == ["the pod waits for pods of its gang that have no place"]


def test_shared_gpus_cost_what_the_whole_ones_cost() -> None:
    world = NODE | {"node.gpus now": {"n1": 16.0}, "node.devices_given now": {"n1": 16.0}}
    told = costs(taken(world, pods=tuple(pod(f"app-{i}", gpus=2.0) for i in range(2))), BOOK)
    (app,) = told.workloads
    assert app.gpus == pytest.approx(1.0)
    assert app.usd_per_hour is not None
    assert app.usd_per_hour.value == pytest.approx(2.0)
    assert told.usd_per_hour is not None
    assert told.usd_per_hour.value == pytest.approx(8.0)


@pytest.mark.parametrize("product", ["", "Some-Card-9000", "\u202eevil\x1b[31m" * 50])
def test_without_a_price_nothing_costs_anything_and_it_is_said(product: str) -> None:
    world = {**NODE, **BUSY, "node.gpu_product now": {"n1": product}}
    snapshot = taken(world, devices=4 if product else 0)
    told = costs(snapshot, BOOK)
    (app,) = told.workloads
    assert app.usd_per_hour is None
    assert told.usd_per_hour is None
    assert told.unpriced == 4.0
    assert app.kinds[0].why
    assert app.tokens.usd_per_1k_tokens is None
    assert {one.usd for one in app.spent} == {None}
    assert "\x1b" not in told.nodes[0].kind.gpu + told.nodes[0].kind.why


TOKENS = {
    "llm.prompt_tokens increase 1h": {"team/app-0": 600_000.0},
    "llm.generation_tokens increase 1h": {"team/app-0": 100_000.0},
    "llm.requests_finished increase 1h": {"team/app-0": 400.0},
}


def test_tokens_and_requests_have_a_price() -> None:
    (app,) = found(TOKENS).workloads
    told = app.tokens
    assert told.usd_per_1k_tokens is not None
    assert told.usd_per_1k_tokens.value == pytest.approx(2.0 / 700)
    assert told.usd_per_1k_prompt is not None
    assert told.usd_per_1k_prompt.value == pytest.approx(2.0 / 1000)
    assert told.usd_per_1k_generated is not None
    assert told.usd_per_1k_generated.value == pytest.approx(8.0 / 1000)
    assert told.usd_per_request is not None
    assert told.usd_per_request.value == pytest.approx(2.0 / 400)
    assert any("prompt_tokens" in one.query for one in told.usd_per_1k_tokens.queries)
    # Prompt and generated tokens at their prices are what it cost.
    whole = 600 * told.usd_per_1k_prompt.value + 100 * told.usd_per_1k_generated.value
    assert whole == pytest.approx(2.0)


def test_dollars_of_replicas_whose_tokens_are_not_seen_are_not_in_the_price_of_a_token() -> None:
    pods = (pod("app-0"), pod("app-1"))
    told = found({**TOKENS, "pod.age now": {"team/app-0": DAY, "team/app-1": DAY}}, pods=pods)
    (app,) = told.workloads
    assert app.tokens.usd_per_1k_tokens is not None
    assert app.tokens.usd_per_1k_tokens.value == pytest.approx(2.0 / 700)
    assert app.tokens.note == "1 of 2 replicas told their tokens; the others are left out"


def test_no_token_has_no_price_and_unseen_tokens_say_why() -> None:
    nothing = {name: {"team/app-0": 0.0} for name in TOKENS}
    (app,) = found(nothing).workloads
    assert app.tokens.usd_per_1k_tokens is None
    assert app.tokens.usd_per_request is None
    assert "no token passed" in app.tokens.note
    (app,) = found().workloads
    assert "not seen" in app.tokens.note


def test_owners_tenants_and_namespaces() -> None:
    told = found({"workload.team now": {str(APP): "chat"}, "workload.tenant now": {str(APP): "none"}})
    assert [(one.name, one.usd_per_hour) for one in told.owners] == [("chat", pytest.approx(2.0))]
    assert [one.name for one in told.namespaces] == ["team"]
    assert told.tenants == ()
    (unlabelled,) = told.workloads
    assert (unlabelled.tenant, unlabelled.tenant_why, unlabelled.owner_why) == ("", "no label", "")
    assert told.not_attributable == f"not attributable to a tenant: {APP} bears no tenant label, nor does its namespace"
    told = found({"workload.tenant now": {str(APP): "acme"}, "workload.team now": {str(APP): "none"}})
    assert [one.name for one in told.tenants] == ["acme"]
    assert told.not_attributable == ""
    assert [one.name for one in told.owners] == ["no owner label"]


def test_labels_that_nobody_could_read_are_not_absent() -> None:
    forbidden = Blind(Reason.FORBIDDEN, "we may not list namespaces")
    told = found(why={"workload.tenant now": forbidden, "workload.team now": forbidden})
    assert told.not_attributable.startswith("not attributable to a tenant")
    assert "we may not list namespaces" in told.not_attributable
    assert "bears no" not in told.not_attributable
    assert [one.name for one in told.owners] == ["owner not seen"]


def test_no_gpu_is_nought_only_where_somebody_could_have_told() -> None:
    nobody: dict[str, Any] = {"pods": (), "devices": 0, "held": {}}
    none = costs(taken({}, **nobody), BOOK)
    assert (none.gpus, none.gpu_hours) == (0.0, 0.0), "its objects were read and state none"
    down = Blind(Reason.SOURCE_DOWN, "no answer")
    for ask, within in (("node.gpus now", None), ("pod.gpu_request now", Within("team"))):
        unseen = costs(taken({}, why={ask: down}, **nobody), BOOK, within=within)
        assert (unseen.gpus, unseen.gpu_hours, unseen.usd_per_hour) == (None, None, None), ask
        seen = costs(taken({ask: {}}, why={ask: down}, **nobody), BOOK, within=within)
        assert seen.gpus == 0.0, "kube-state-metrics told of others"


def test_a_scope_leaves_out_nodes_and_other_workloads() -> None:
    told = costs(taken(NODE | BUSY), BOOK, within=Within("elsewhere"))
    assert told.workloads == ()
    assert told.nodes == ()
    assert told.usd_per_hour is None
    told = costs(taken(NODE | BUSY), BOOK, within=Within("team", "app"))
    assert told.usd_per_hour is not None
    assert told.usd_per_hour.value == pytest.approx(2.0)
    assert told.gpu_hours == pytest.approx(1.0)


CALM = {
    "gpu.util avg 1h": {f"G{i}": 0.1 for i in range(4)},
    "llm.requests_waiting max 1h": {f"team/app-{i}": 0.0 for i in range(4)},
    "llm.requests_waiting avg 1h": {f"team/app-{i}": 0.0 for i in range(4)},
    "llm.kv_usage max 1h": {f"team/app-{i}": 0.05 for i in range(4)},
    "llm.ttft p95 1h": {f"team/app-{i}": 0.3 for i in range(4)},
}
FOUR = tuple(pod(f"app-{i}") for i in range(4))
HELD = {f"G{i}": f"team/app-{i}" for i in range(4)}


def verdict(world: Mapping[str, Any]) -> str:
    told = costs(taken(NODE | BUSY | CALM | dict(world), pods=FOUR, held=HELD), BOOK)
    return told.workloads[0].provision.verdict


def each(name: str, value: float, keys: str = "team/app-") -> dict[str, Any]:
    return {name: {f"{keys}{i}": value for i in range(4)}}


def test_too_many_only_when_busy_time_queue_cache_and_objective_agree() -> None:
    assert verdict({}) == "over"
    assert verdict(each("gpu.util avg 1h", 0.9, "G")) == "fits"
    assert verdict(each("llm.requests_waiting max 1h", 5.0)) == "fits"
    assert verdict(each("llm.kv_usage max 1h", 0.6)) == "fits"
    assert verdict(each("llm.ttft p95 1h", 9.0)) == "fits"
    assert verdict({"hpa.min now": {str(APP): 1.0}}) == "fits"
    assert verdict({"hpa.min now": {str(APP): 4.0}}) == "over"


def test_too_few_only_when_objective_and_queue_or_cache_agree() -> None:
    short = each("gpu.util avg 1h", 0.9, "G") | each("llm.ttft p95 1h", 9.0)
    assert verdict(short) == "fits"
    assert verdict(short | each("llm.requests_waiting avg 1h", 1.5)) == "fits"
    assert verdict(short | each("llm.requests_waiting avg 1h", 3.0)) == "under"
    assert verdict(short | each("llm.kv_usage max 1h", 0.95)) == "under"
    assert verdict(each("llm.ttft p95 1h", 9.0) | each("llm.kv_usage max 1h", 0.95)) == "fits"
    assert verdict(each("gpu.util avg 1h", 0.9, "G") | each("llm.requests_waiting avg 1h", 3.0)) == "fits"


def test_size_is_not_told_where_a_part_is_blind() -> None:
    for name in CALM:
        lacking = {ask: values for ask, values in CALM.items() if ask != name}
        told = costs(taken(NODE | BUSY | lacking, pods=FOUR, held=HELD), BOOK)
        assert told.workloads[0].provision.verdict == "cannot tell", name
    one_blind = {"llm.kv_usage max 1h": {f"team/app-{i}": 0.05 for i in range(3)}}
    assert verdict(one_blind) == "cannot tell"


def test_a_declared_objective_counts() -> None:
    world = NODE | BUSY | CALM | each("llm.requests_waiting avg 1h", 3.0) | each("gpu.util avg 1h", 0.9, "G")
    told = costs(taken(world, pods=FOUR, held=HELD), BOOK, ttft={APP: 0.2})
    assert told.workloads[0].provision.verdict == "under"


def test_break_even_on_ones_own_prices() -> None:
    (one,) = plans({"H100": {"reserved": 2.0, "on_demand": 4.0, "burst": 8.0}})
    first, second, third = compare(one, held=0.4, worked=0.1)
    assert (first.share, first.cheaper) == (pytest.approx(0.5), "on_demand")
    assert (second.share, second.cheaper) == (pytest.approx(0.5), "burst")
    assert (third.share, third.cheaper) == (pytest.approx(0.25), "burst")
    assert second.now == pytest.approx(0.25)
    assert compare(one, held=0.8, worked=0.7)[0].cheaper == "reserved"
    assert compare(one, held=None, worked=None)[0].cheaper == ""
    (always,) = plans({"H100": {"reserved": 5.0, "on_demand": 4.0}})
    assert compare(always, 0.9, 0.9)[0].share is None


def test_the_break_even_of_a_fleet_uses_what_was_seen() -> None:
    bought = plans({"h100": {"reserved": 1.0, "on_demand": 2.0, "burst": 4.0}})
    told = costs(taken(NODE | BUSY), BOOK, plans=bought)
    assert told.break_even[0].now == pytest.approx(0.25)
    assert told.break_even[1].now == pytest.approx(0.75)
    unseen = costs(taken(NODE | {"pod.age now": {"team/app-0": DAY}}), BOOK, plans=bought)
    assert unseen.break_even[1].now is None
    assert not any("sav" in one.how for one in told.break_even)


def test_plans_that_cannot_be_used_are_named_all_at_once() -> None:
    with pytest.raises(PricesError) as problem:
        plans({"h100": {"reserved": -1.0, "rent": 2.0}, "no such card": {"burst": 1.0}})
    for part in ("reserved", "'rent' is no plan", "no such card"):
        assert part in str(problem.value)


def test_windows() -> None:
    assert window_of("1h") == ("1h", 1.0)
    assert window_of("90m") == ("90m", 1.5)
    assert window_of(" 2d ") == ("48h", 48.0)
    for text in ("", "8d", "5m", "1", "-1h", "1w", "٣h", "1h; drop"):
        with pytest.raises(WindowError, match="write 15m to 7d"):
            window_of(text)


def test_a_machine_types_own_list_price_comes_before_the_lowest() -> None:
    rows = [row for row in list_prices() if row.gpu == "h100-sxm"]
    dearest = max(rows, key=lambda row: row.usd_per_hour / row.count)
    world = NODE | BUSY | {"node.machine_type now": {"n1": dearest.type}}
    kind = costs(taken(world), price_book()).nodes[0].kind
    assert kind.usd_per_gpu_hour == pytest.approx(dearest.usd_per_hour / dearest.count)
    assert dearest.type in kind.price
    assert kind.date == dearest.date
    assert kind.url.startswith("https://")
    strange = costs(taken(NODE | BUSY | {"node.machine_type now": {"n1": "g6.xlarge"}}), price_book()).nodes[0].kind
    assert strange.usd_per_gpu_hour == pytest.approx(min(row.usd_per_hour / row.count for row in rows))


@pytest.mark.parametrize("seed", range(40))
def test_whatever_is_measured_every_hour_is_in_one_place(seed: int) -> None:
    """Readings that contradict each other, are absurd or are missing: nothing is lost, counted twice, or negative."""
    dice = random.Random(seed)
    odd = (0.0, 0.3, 1.0, 5.0, 1e9, -2.0)
    world: dict[str, dict[str, Any]] = {**NODE}
    for name, values in BUSY.items():
        world[name] = {key: dice.choice(odd) for key in values if dice.random() < 0.8}
    world["pod.age now"] = {"team/app-0": dice.choice((0.0, 600.0, 3599.0, DAY))}
    world["node.devices_given now"] = {"n1": dice.choice((0.0, 3.0, 4.0))}
    told = costs(
        taken(world, pods=(pod("app-0", gpus=dice.choice((1.0, 2.0)), ready=dice.choice((True, False))),)), BOOK
    )
    assert told.gpu_hours == pytest.approx(4.0)
    assert all(one.gpu_hours >= 0 and (one.usd or 0.0) >= 0 for one in told.spent)
    assert sum(one.usd or 0.0 for one in told.spent) == pytest.approx(8.0)
