"""Costs of a simulated fleet on a real Prometheus and a Kubernetes API, each number recomputed by a query of the test's own."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.bot.fleet.conftest import Command, Fleet
from tools.sources.kube import KINDS


@pytest.fixture(scope="module")
def told(rackside: Command) -> dict[str, Any]:
    done = rackside("cost", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def value(fleet: Fleet, query: str, at: float) -> float:
    (row,) = fleet.prometheus.query(query, at)
    return float(row["value"][1])


def is_mine(row: dict[str, Any]) -> bool:
    """Whether a series is of the workload `chat/busy`, whatever its labels are called."""
    values = row["metric"].values()
    return "chat" in values and any(text.startswith("busy-") for text in values)


def moment(told: dict[str, Any]) -> float:
    """When the report was made, to the second."""
    return datetime.fromisoformat(told["at"]).timestamp()


def workload(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(
        one for one in told["workloads"] if one["workload"].endswith(f"/{name}") and one["namespace"] != "staging"
    )


def hours(one: dict[str, Any]) -> dict[tuple[str, str], float]:
    return {(each["kind"], each["reason"]): each["gpu_hours"] for each in one["spent"]}


def test_what_it_costs_an_hour_is_what_the_nodes_cost(told: dict[str, Any], fleet: Fleet) -> None:
    h100 = value(fleet, 'count(count by (UUID) (DCGM_FI_DEV_FB_USED{modelName=~".*H100.*"}))', fleet.at)
    l4 = told["nodes"][1]["kind"]
    assert (h100, l4["count"]) == (8, 3)
    assert told["usd_per_hour"]["value"] == pytest.approx(h100 * 3.0 + 3 * l4["usd_per_gpu_hour"])
    assert told["nodes"][0]["kind"]["own"] is True
    assert (l4["own"], bool(l4["date"]), l4["url"].startswith("https://")) == (False, True, True)
    asked = value(
        fleet,
        'sum(kube_pod_container_resource_requests{resource="nvidia_com_gpu",exported_namespace="chat",exported_pod=~"busy-.*"})'
        ' or sum(kube_pod_container_resource_requests{resource="nvidia_com_gpu",namespace="chat",pod=~"busy-.*"})',
        fleet.at,
    )
    busy = workload(told, "busy")
    assert busy["usd_per_hour"]["value"] == pytest.approx(asked * 3.0)
    assert (busy["owner"], busy["tenant"]) == ("chat-team", "acme")
    assert {one["name"]: one["usd_per_hour"] for one in told["tenants"]} == {"acme": pytest.approx(6.0)}
    assert "not attributable" in told["not_attributable"]


def test_the_hours_add_up_and_have_reasons(told: dict[str, Any], fleet: Fleet) -> None:
    assert told["gpu_hours"] == pytest.approx(11.0, abs=0.01)
    assert sum(one["gpu_hours"] for one in told["spent"]) == pytest.approx(11.0, abs=0.01)
    unseen = sum(one["gpu_hours"] for one in told["spent"] if one["kind"] == "unseen")
    assert unseen < 0.5
    quiet, spare = hours(workload(told, "quiet")), hours(workload(told, "spare"))
    assert quiet["idle", "no request"] == pytest.approx(2.0, abs=0.1)
    assert spare["standby", "declared a standby, no request"] == pytest.approx(1.0, abs=0.05)
    assert hours(workload(told, "busy"))["used", "requests were served"] == pytest.approx(2.0, abs=0.1)
    big = next(one for one in told["nodes"] if one["node"] == "big-1")
    assert hours(big)["stranded", "fragmented: 1 pending pod wants 8 or more on one node"] == pytest.approx(
        4.0, abs=0.1
    )
    small = next(one for one in told["nodes"] if one["node"] == "small-1")
    assert ("stranded", "fragmented: 1 pending pod wants 8 or more on one node") in hours(small)
    # Four GPUs of the large machine and one of the small hold no process, by a query of our own.
    bare = "count(max_over_time(DCGM_FI_DEV_FB_USED[1h]) < 600)"
    assert value(fleet, bare, moment(told)) == 5
    served = 'count(sum by (exported_pod) (increase(vllm:request_success_total[1h])) == 0) or count(sum by (pod) (increase(vllm:request_success_total[1h])) == 0)'  # fmt: skip
    assert value(fleet, served, moment(told)) == 3


def test_a_token_and_a_request_cost_what_a_query_of_our_own_says(told: dict[str, Any], fleet: Fleet) -> None:
    at = moment(told)

    def grown(name: str) -> float:
        rows = fleet.prometheus.query(
            f"sum by (namespace, exported_namespace, pod, exported_pod) (increase(vllm:{name}[1h]))", at
        )
        mine = [row for row in rows if is_mine(row)]
        return sum(float(row["value"][1]) for row in mine)

    tokens = workload(told, "busy")["tokens"]
    prompt, generated = grown("prompt_tokens_total"), grown("generation_tokens_total")
    assert tokens["prompt"]["value"] == pytest.approx(prompt, rel=1e-3)
    assert tokens["usd_per_1k_tokens"]["value"] == pytest.approx(2 * 3.0 / (prompt + generated) * 1000, rel=1e-3)
    per_prompt = 2 * 3.0 / (prompt + 4 * generated) * 1000
    assert tokens["usd_per_1k_prompt"]["value"] == pytest.approx(per_prompt, rel=1e-3)
    assert tokens["usd_per_1k_generated"]["value"] == pytest.approx(4 * per_prompt, rel=1e-3)
    done = workload(told, "busy")["tokens"]["requests"]["value"]
    assert tokens["usd_per_request"]["value"] == pytest.approx(6.0 / done)
    assert "no token passed" in workload(told, "quiet")["tokens"]["note"]


def test_every_query_that_a_number_names_can_be_asked_again(told: dict[str, Any], fleet: Fleet) -> None:
    tokens = workload(told, "busy")["tokens"]
    (query,) = {one["query"] for one in tokens["prompt"]["queries"]}
    rows = fleet.prometheus.query(query, moment(told))
    mine = [float(row["value"][1]) for row in rows if is_mine(row)]
    assert sum(mine) == pytest.approx(tokens["prompt"]["value"], rel=1e-3)
    for one in told["spent"]:
        for each in one["queries"]:
            if "via Prometheus" in each["source"]:
                assert fleet.prometheus.query(each["query"], moment(told))


def test_break_even_is_counted_on_the_users_own_plans(told: dict[str, Any]) -> None:
    (held, of_held, _) = told["break_even"]
    assert (held["share"], held["now"], held["cheaper"]) == (
        pytest.approx(2 / 3),
        pytest.approx(0.5, abs=0.02),
        "on_demand",
    )
    assert of_held["now"] == pytest.approx(0.5, abs=0.05)
    assert "save" not in json.dumps(told["break_even"])


def test_the_table_says_the_same(rackside: Command) -> None:
    for columns in ("80", "130"):
        done = rackside("cost", COLUMNS=columns)
        assert done.returncode == 0, done.stderr
        assert "11 GPUs, $" in done.stdout
        for word in ("chat/busy", "stranded", "standby", "Break-even", "not attributable"):
            assert word in done.stdout
        assert max(map(len, done.stdout.splitlines())) <= int(columns)


def test_a_scope_is_kept_to(rackside: Command) -> None:
    done = rackside("cost", "--json", "-n", "chat", "-w", "busy")
    found = json.loads(done.stdout)
    assert [one["workload"] for one in found["workloads"]] == ["deployment/chat/busy"]
    assert found["nodes"] == []
    assert found["usd_per_hour"]["value"] == pytest.approx(6.0)


def test_without_prometheus_the_rate_stays_and_the_hours_are_unseen(rackside: Command) -> None:
    done = rackside("cost", "--json", RACKSIDE_PROMETHEUS_URL="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["gpus"] == 11
    assert found["usd_per_hour"]["value"] > 24
    assert {one["kind"] for one in found["spent"]} == {"unseen"}
    assert found["gpu_hours"] == pytest.approx(11.0, abs=0.01)
    assert all(one["tokens"]["usd_per_1k_tokens"] is None for one in found["workloads"])
    assert {one["provision"]["verdict"] for one in found["workloads"]} <= {"cannot tell", "standby"}
    assert any("Prometheus" in one["what"] for one in found["blind"])


def test_where_kubernetes_is_forbidden_the_series_tell_what_they_can(rackside: Command, fleet: Fleet) -> None:
    for kind in KINDS:
        fleet.api.faults.forbid(kind)
    try:
        done = rackside("cost", "--json")
    finally:
        fleet.api.faults.heal()
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["gpus"] == 11
    assert hours(workload(found, "quiet"))["idle", "no request"] == pytest.approx(2.0, abs=0.1)
    assert any(one["what"] == "Kubernetes" for one in found["blind"])


def test_where_namespaces_are_forbidden_a_label_of_ones_own_still_counts(rackside: Command, fleet: Fleet) -> None:
    fleet.api.faults.forbid("namespaces")
    try:
        found = json.loads(rackside("cost", "--json").stdout)
    finally:
        fleet.api.faults.heal()
    busy, quiet = workload(found, "busy"), workload(found, "quiet")
    assert (busy["owner"], busy["tenant"], busy["tenant_why"]) == ("chat-team", "acme", "")
    assert quiet["owner"] == ""
    assert "we may not list namespaces" in quiet["owner_why"]
    assert "owner not seen" in {one["name"] for one in found["owners"]}
    assert "no tenant label" not in found["not_attributable"]


def test_with_nothing_to_see_no_number_is_told(rackside: Command) -> None:
    done = rackside("cost", "--json", RACKSIDE_PROMETHEUS_URL="", KUBECONFIG="/nowhere")
    assert done.returncode == 3, done.stderr
    found = json.loads(done.stdout)
    assert (found["gpus"], found["gpu_hours"], found["usd_per_hour"], found["workloads"]) == (None, None, None, [])
    jsonschema.validate(found, json.loads(rackside("schema", "cost").stdout))
    said = rackside("cost", RACKSIDE_PROMETHEUS_URL="", KUBECONFIG="/nowhere").stdout
    assert "No GPU was seen" in said


def test_all_that_is_wrong_with_prices_and_plans_is_told_at_once_with_what_to_write(
    rackside: Command, tmp_path: Path
) -> None:
    wrong = "prices: {h100: -3, b9000: 2}\nplans: {h100: {onDemand: 3.0, burst: 0}, q7: {reserved: 1}}\n"
    (tmp_path / "rackside.yaml").write_text(wrong, encoding="utf-8")
    done = rackside("cost", RACKSIDE_HOME=str(tmp_path))
    assert done.returncode == 2
    for part in (
        "prices.h100: '-3.0' is no price in dollars an hour: write a number above 0",
        "prices.b9000: I do not know the GPU 'b9000'. The nearest that I know",
        "plans.h100: 'onDemand' is no plan; known: reserved, on_demand, burst",
        "plans.h100: burst has no price in dollars an hour: write a number above 0",
        "plans.q7: I do not know the GPU",
    ):
        assert part in done.stderr, part
    assert done.stderr.count("cannot be used") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--window", "9d"), "write 15m to 7d"), (("-n", "nowhere"), "no such workload")],
)
def test_bad_usage_is_a_sentence(rackside: Command, arguments: tuple[str, ...], said: str) -> None:
    done = rackside("cost", *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_plan_that_is_none_is_a_sentence(rackside: Command, tmp_path: Path) -> None:
    (tmp_path / "rackside.yaml").write_text("plans: {h100: {rent: 2.0}}\n", encoding="utf-8")
    done = rackside("cost", RACKSIDE_HOME=str(tmp_path))
    assert done.returncode == 2
    assert "'rent' is no plan" in done.stderr


def test_the_json_is_what_its_schema_says(rackside: Command, told: dict[str, Any]) -> None:
    schema = json.loads(rackside("schema", "cost").stdout)
    assert schema["$id"] == "rackside/cost/v1"
    jsonschema.validate(told, schema)
