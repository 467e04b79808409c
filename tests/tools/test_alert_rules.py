"""Which alert watches what: told by the metrics that its expression comes down to, whatever it is called."""

from __future__ import annotations

from typing import Any

import pytest

from tools.alert_rules import alerts, covers, declared, facts, parse
from tools.inventory import runtimes
from tools.reading import Subject
from tools.signals import Signal
from tools.topology import CLUSTER
from tools.vocabulary import watching as told

APP = Subject("deployment", "prod", "app")


def rule(query: str, name: str = "Anything", kind: str = "alerting", **more: Any) -> dict[str, Any]:
    return {"name": name, "query": query, "type": kind, "health": "ok", **more}


def data(*rules: Any) -> dict[str, Any]:
    return {"groups": [{"name": "g", "rules": list(rules)}]}


def watched(*rules: Any, engine: str = "vllm", workload: Subject = APP) -> dict[Signal, float | str]:
    found = facts(parse(data(*rules)), {workload: engine})
    assert set(found) == set(told.OF_RULES)
    return {signal: value for signal, values in found.items() for value in values.values()}


TTFT = "histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m]))) > 2"


def test_without_rules_nobody_watches() -> None:
    found = watched()
    for signal in told.OF_RULES:
        assert found[signal] == ("" if signal in {told.NO_RUNBOOK, told.RULES_FAILING} else "none")


@pytest.mark.parametrize(
    ("query", "signal"),
    [
        (TTFT, told.ALERT_LATENCY),
        ("histogram_quantile(0.9, rate(istio_request_duration_milliseconds_bucket[5m])) > 5", told.ALERT_LATENCY),
        ('rate(vllm:request_success_total{finished_reason="abort"}[5m]) > 1', told.ALERT_ERRORS),
        ('rate(http_requests_total{status="5xx"}[5m]) > 1', told.ALERT_ERRORS),
        ('rate(nginx_ingress_controller_requests{status=~"5.*"}[5m]) > 1', told.ALERT_ERRORS),
        ("up == 0", told.ALERT_DOWN),
        ("kube_deployment_status_replicas_available < 1", told.ALERT_DOWN),
        ("increase(kube_pod_container_status_restarts_total[1h]) > 2", told.ALERT_DOWN),
        ("absent(vllm:num_requests_running)", told.ALERT_DOWN),
        ("vllm:num_requests_waiting > 10", told.ALERT_QUEUE),
        ("vllm:kv_cache_usage_perc > 0.95", told.ALERT_QUEUE),
        ("rate(vllm:generation_tokens_total[2m]) == 0 and vllm:num_requests_running > 0", told.ALERT_STALL),
        ('kube_horizontalpodautoscaler_status_condition{status="false"} == 1', told.ALERT_SCALER),
        ("changes(DCGM_FI_DEV_XID_ERRORS[10m]) > 0", told.ALERT_GPU_FAULT),
        ("DCGM_FI_DEV_ROW_REMAP_FAILURE > 0", told.ALERT_GPU_FAULT),
        ("max_over_time(DCGM_FI_DEV_GPU_UTIL[6h]) == 0", told.ALERT_GPU_IDLE),
        ("increase(vllm:generation_tokens_total[6h]) == 0", told.ALERT_GPU_IDLE),
        ("increase(vllm:generation_tokens_total[6h]) == 0 and vllm:num_requests_running == 0", told.ALERT_GPU_IDLE),
        ("avg(DCGM_FI_PROF_GR_ENGINE_ACTIVE) < 0.1", told.ALERT_GPU_IDLE),
    ],
)
def test_what_an_expression_watches(query: str, signal: Signal) -> None:
    assert watched(rule(query, "N"))[signal] == "N"


@pytest.mark.parametrize(
    ("query", "signal"),
    [
        ("histogram_quantile(0.9, rate(apiserver_request_duration_seconds_bucket[5m])) > 1", told.ALERT_LATENCY),
        ("sglang:time_to_first_token_seconds_bucket > 1", told.ALERT_LATENCY),
        ('vllm:num_requests_running{what="time_to_first_token"} > 1', told.ALERT_LATENCY),
        ("rate(http_requests_total[5m]) > 100", told.ALERT_ERRORS),
        ("etcd_server_has_leader == 0", told.ALERT_DOWN),
        ("absent(node_load1)", told.ALERT_DOWN),
        ("vllm:num_requests_running > 100", told.ALERT_QUEUE),
        ('vllm:num_requests_running{like="vllm:num_requests_waiting"} > 1', told.ALERT_QUEUE),
        ("rate(vllm:generation_tokens_total[2m]) == 0", told.ALERT_STALL),
        ("rate(vllm:generation_tokens_total[2m]) > 100 and vllm:num_requests_running > 0", told.ALERT_STALL),
        ("DCGM_FI_DEV_GPU_UTIL > 90", told.ALERT_GPU_IDLE),
        ("rate(vllm:generation_tokens_total[2m]) == 0 and vllm:num_requests_running > 0", told.ALERT_GPU_IDLE),
        (
            'sum by (pod) (vllm:num_requests_running{a="b"}) >= 1 and rate(vllm:generation_tokens_total[2m]) < 1',
            told.ALERT_GPU_IDLE,
        ),
        ("DCGM_FI_DEV_GPU_TEMP > 85", told.ALERT_GPU_FAULT),
        ("node_edac_uncorrectable_errors_total > 0", told.ALERT_GPU_FAULT),
        ("kube_deployment_spec_replicas > 1", told.ALERT_SCALER),
    ],
)
def test_near_misses_watch_nothing(query: str, signal: Signal) -> None:
    assert watched(rule(query, "GpuLatencyErrorsIdleXid"))[signal] == "none"


def test_an_alert_on_a_recording_watches_what_was_recorded() -> None:
    chain = [
        rule("vllm:time_to_first_token_seconds_bucket", "job:ttft:rate", "recording"),
        rule("histogram_quantile(0.95, job:ttft:rate)", "job:ttft:p95", "recording"),
        rule("job:ttft:p95 > 2", "Slow"),
    ]
    assert watched(*chain)[told.ALERT_LATENCY] == "Slow"
    assert watched(*chain[:2])[told.ALERT_LATENCY] == "none", "a recording wakes nobody"


def test_recordings_in_a_circle_end() -> None:
    circle = [rule("b", "a", "recording"), rule("a", "b", "recording"), rule("a > vllm:num_requests_waiting", "A")]
    assert watched(*circle)[told.ALERT_QUEUE] == "A"


def test_a_name_in_a_matcher_counts() -> None:
    assert watched(rule('{__name__="vllm:num_requests_waiting"} > 1', "N"))[told.ALERT_QUEUE] == "N"


@pytest.mark.parametrize(
    ("matcher", "holds"),
    [
        ("", True),
        ('{namespace="prod"}', True),
        ('{namespace="dev"}', False),
        ('{namespace=~"dev|prod"}', True),
        ('{namespace=~"dev|test"}', False),
        ('{namespace=~"pr.*"}', True),
        ('{namespace=~"pr[aeo]d"}', True),
        ('{namespace!="prod"}', True),
        ('{exported_namespace="dev"}', True),
    ],
)
def test_whose_namespace_an_alert_looks_into(matcher: str, holds: bool) -> None:
    query = f"vllm:num_requests_waiting{matcher} > 1"
    assert covers(alerts(parse(data(rule(query))))[0], "prod") is holds
    assert (watched(rule(query, "N"))[told.ALERT_QUEUE] == "N") is holds


def test_each_engine_is_watched_by_its_own_series() -> None:
    for source in runtimes():
        metrics = {series.metric for found in source.signals.values() for series in found} | set(source.anchor)
        assert any(
            watched(rule(f"absent({metric})", "N"), engine=source.name)[told.ALERT_DOWN] == "N" for metric in metrics
        ), source.name
    assert watched(rule("absent(vllm:x)"), engine="unheard of")[told.ALERT_DOWN] == "none"


def test_runbooks() -> None:
    with_one = rule(TTFT, "A", annotations={"runbook_url": "https://x"})
    assert watched(with_one)[told.NO_RUNBOOK] == ""
    assert watched(with_one, rule(TTFT, "B", annotations={"summary": "slow"}))[told.NO_RUNBOOK] == "B"
    assert watched(rule(TTFT, "B", annotations={"runbook_url": ""}))[told.NO_RUNBOOK] == "B"
    assert watched(rule("up == 0", "C"))[told.NO_RUNBOOK] == "", "rules on other things are others' matter"


def test_rules_that_fail_are_named_with_their_error() -> None:
    failing = rule("a / b", "R", "recording", health="err", lastError="many-to-many matching not allowed")
    assert watched(failing)[told.RULES_FAILING] == "R: many-to-many matching not allowed"
    assert watched(rule("a", "R", health="unknown"))[told.RULES_FAILING] == ""


def test_few_names_are_shown_each_once() -> None:
    many = [rule(TTFT, f"A{i}") for i in range(5)] + [rule(TTFT, "A0")]
    assert watched(*many)[told.ALERT_LATENCY] == "A0, A1, A2 and 2 more"


def test_the_cluster_is_told_of_under_its_own_key() -> None:
    found = facts(parse(data()), {})
    assert found[told.ALERT_GPU_FAULT] == {str(CLUSTER): "none"}
    assert found[told.ALERT_LATENCY] == {}


@pytest.mark.parametrize(
    "broken",
    [
        None, [], "x", 7, {}, {"groups": None}, {"groups": [None, 3, {"rules": 4}]}, {"groups": {"rules": []}},
        data(None, "x", 4, {}), data({"name": "A"}), data({"name": "A", "query": None}), data({"query": "up"}),
        data({"name": ["x"], "query": ""}), data({"name": "A", "query": "up", "annotations": ["x"]}),
    ],
)  # fmt: skip
def test_broken_answers_hold_no_rule_that_watches(broken: Any) -> None:
    found = facts(parse(broken), {APP: "vllm"})
    assert found[told.ALERT_LATENCY] == {str(APP): "none"}


def test_huge_and_hostile_rules_are_read_quickly_and_shown_short() -> None:
    hostile = [
        rule('"' * 20_000, "A" * 5000),
        rule("x{" * 20_000, "💥"),
        rule("vllm:num_requests_waiting " * 5000, "B" * 5000),
    ]
    found = watched(*hostile, *(rule(TTFT, f"N{i}" * 40, lastError="e" * 9999, health="err") for i in range(2000)))
    assert all(len(str(value)) < 500 for value in found.values())
    assert str(found[told.ALERT_QUEUE]) == "B" * 80


def test_thousands_of_rules_and_workloads_are_judged_by_engine_and_namespace() -> None:
    rules = parse(data(*(rule(f'vllm:num_requests_waiting{{namespace="n{i % 20}"}} > 1', f"A{i}") for i in range(600))))
    engines = {Subject("deployment", f"n{i % 40}", f"w{i}"): "vllm" for i in range(4000)}
    found = facts(rules, engines)[told.ALERT_QUEUE]
    assert len(found) == 4000
    assert found["deployment/n3/w3"] == found["deployment/n3/w43"] == "A3, A23, A43 and 27 more"
    assert found["deployment/n23/w23"] == "none"


def an_object(*rules: Any) -> dict[str, Any]:
    return {"metadata": {"name": "r", "namespace": "prod"}, "spec": {"groups": [{"name": "g", "rules": list(rules)}]}}


def test_rules_that_objects_declare_are_those_that_prometheus_would_tell() -> None:
    written = [
        {"alert": "Slow", "expr": "job:ttft > 2", "annotations": {"runbook_url": "https://x"}},
        {"record": "job:ttft", "expr": TTFT},
        {"alert": "Gone", "expr": 'up{namespace="prod"} == 0', "for": "5m"},
    ]
    found = facts(declared([an_object(*written[:2]), an_object(written[2])]), {APP: "vllm"})
    assert found[told.ALERT_LATENCY] == {str(APP): "Slow"}
    assert found[told.ALERT_DOWN] == {str(APP): "Gone"}
    assert found[told.ALERT_QUEUE] == {str(APP): "none"}
    assert found[told.NO_RUNBOOK] == {str(APP): ""}


@pytest.mark.parametrize(
    "broken",
    [
        {}, {"spec": None}, {"spec": {"groups": "x"}}, {"spec": {"groups": [None, {"rules": 4}]}}, an_object(None, 3, {}),
        an_object({"alert": "A"}), an_object({"alert": "A", "expr": {"x": 1}}), an_object({"expr": TTFT}), an_object({"alert": ["x"], "expr": "up"}),
    ],
)  # fmt: skip
def test_broken_objects_hold_no_rule_that_watches(broken: Any) -> None:
    assert facts(declared([broken]), {APP: "vllm"})[told.ALERT_LATENCY] == {str(APP): "none"}


def test_an_expression_that_is_a_number_is_an_expression() -> None:
    assert [one.query for one in declared([an_object({"alert": "Watchdog", "expr": 1})])] == ["1"]


def test_a_batch_that_stands_still_is_a_stall_and_no_idle_gpu() -> None:
    query = "sum by (pod) (tgi_batch_current_size) > 0 and sum by (pod) (rate(tgi_request_success[5m])) == 0"
    found = watched(rule(query, "Stuck"), engine="tgi")
    assert found[told.ALERT_STALL] == "Stuck"
    assert found[told.ALERT_GPU_IDLE] == "none"
