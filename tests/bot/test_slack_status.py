"""/rackside status and /rackside audit as messages: what was read, what was not and why, within Slack's limits."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from bot.audit import audit
from bot.audit_output import Report
from bot.desks.audit import message as audit_message
from bot.desks.status import message
from bot.slack_command import VIEWS, View
from bot.store.readiness import Place
from bot.workload_status import ASKS, status, workloads
from evals.slack_web.blocks import valid
from tests.bot.readiness.worlds_of_items import item
from tests.bot.test_audit import RULE
from tests.tools.scenes import WORKLOAD, scene, snapshot
from tools.columns import Column, Part
from tools.reading import Blind, Reason, Subject
from tools.signals import GPU_UTIL, KV_USAGE, TERMINATION, TTFT, Ask
from tools.snapshot import Snapshot, SourceState
from tools.topology import Gpu, Pod, Topology

NOW = 1_790_000_000.0
APP = Subject("deployment", "prod", "llama")
NONE = Blind(Reason.NO_SERIES, "Prometheus was asked and has none")


def taken(view: View, values: dict[Ask, dict[str, Any]]) -> Snapshot:
    pods = [Pod("prod", f"llama-{n}", "n1", APP, "Running", ready=True, gpus=1.0) for n in range(2)]
    other = Pod("dev", "llama-0", "n1", Subject("deployment", "dev", "llama"), "Running", ready=True, gpus=1.0)
    columns = {
        ask: Column(ask, (Part("vLLM", f"query of {ask}", NOW, values[ask]),) if ask in values else (), NONE)
        for ask in ASKS[view]
    }
    topology = Topology({one.key: one for one in (*pods, other)}, {}, ("n1",), (), (), {APP: "vllm"})
    return Snapshot(NOW, topology, columns, (SourceState("Prometheus", None, 1),))


@pytest.mark.parametrize("view", VIEWS)
def test_a_view_without_any_reading_says_why(view: View) -> None:
    told = status(taken(view, {}), APP, view)
    shown = message(told)
    assert told.sees_nothing
    assert all(map(valid, shown.blocks))
    assert "Nothing of it could be seen" in json.dumps(shown.blocks)
    assert "no series" in json.dumps(shown.blocks)


def test_the_range_over_replicas_and_where_the_highest_is() -> None:
    told = status(taken("overview", {KV_USAGE.now: {"prod/llama-0": 0.2, "prod/llama-1": 0.97}}), APP, "overview")
    said = json.dumps(message(told).blocks)
    assert "20 % to 97 %, highest on llama-1" in said
    assert not told.sees_nothing
    alike = status(taken("overview", {KV_USAGE.now: {"prod/llama-0": 0.2, "prod/llama-1": 0.2}}), APP, "overview")
    assert "20 % (each of 2)" in json.dumps(message(alike).blocks)


def test_a_replica_that_is_not_seen_is_said_beside_the_one_that_is() -> None:
    told = status(taken("overview", {KV_USAGE.now: {"prod/llama-0": 0.2}}), APP, "overview")
    said = json.dumps(message(told).blocks)
    assert "20 %; 1 more could not be seen" in said
    assert "KV cache usage" in said.partition("Could not see")[2]
    quiet = taken("latency", {TTFT.p95("10m"): {"prod/llama-0": 0.2}})
    part = replace(quiet.columns[TTFT.p95("10m")].parts[0], not_a_number=frozenset({"prod/llama-1"}), fresh=None)
    column = Column(TTFT.p95("10m"), (part,), NONE)
    (line,) = (
        one
        for one in status(replace(quiet, columns={**quiet.columns, TTFT.p95("10m"): column}), APP, "latency").lines
        if one.read
    )
    assert (str(line), line.hidden) == ("200 ms", 0), "nobody asked the other replica anything"


def test_what_an_object_does_not_state_is_not_hidden() -> None:
    told = status(taken("errors", {TERMINATION.now: {"prod/llama-0": "OOMKilled"}}), APP, "errors")
    (line,) = (one for one in told.lines if one.read)
    assert (str(line), line.hidden) == ("OOMKilled", 0)


def test_gpus_that_nobody_tells_of_are_counted() -> None:
    seen = taken("overview", {GPU_UTIL.avg("10m"): {"GPU-0": 0.8}})
    gpus = {"GPU-0": Gpu("GPU-0", "n1", "0", "H100", "prod/llama-0")}
    half = replace(seen, topology=replace(seen.topology, gpus=gpus))
    (line,) = (one for one in status(half, APP, "overview").lines if one.read)
    assert (line.hidden, line.blind) == (1, ("1 of its GPUs have no metrics that are known to be its own",))


def test_texts_of_the_cluster_stay_data() -> None:
    told = status(taken("errors", {TERMINATION.now: {"prod/llama-0": "<!channel> `OOM`"}}), APP, "errors")
    said = json.dumps(message(told).blocks)
    assert "&lt;!channel" in said or "!channel" in said
    assert "<!" not in said


def test_workloads_of_a_name() -> None:
    snapshot_ = taken("overview", {})
    assert [one.namespace for one in workloads(snapshot_, "", "llama")] == ["dev", "prod"]
    assert workloads(snapshot_, "prod", "llama") == [APP]
    assert workloads(snapshot_, "", "mistral") == []


def test_an_audit_says_its_score_and_what_fails() -> None:
    items = [item("XX-01", "critical", checks=(RULE,)), item("XX-02", evidence="e")]
    found = audit(items, snapshot(scene(RULE)["fires"], WORKLOAD))
    shown = audit_message(Report(tuple(found), Place(), NOW, ("Kubernetes: forbidden <!here>",)))
    said = json.dumps(shown.blocks)
    assert all(map(valid, shown.blocks))
    assert "*Fails* (1)" in said
    assert "XX-01" in said
    assert "Could not see" in said
    assert "<!" not in said
    many = audit_message(Report(tuple(found) * 40, Place(), NOW))
    assert all(map(valid, many.blocks))
    assert "and 32 more" in json.dumps(many.blocks)
