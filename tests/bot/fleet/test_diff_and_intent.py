"""`rackside diff` and `rackside intent` on a simulated fleet: two namespaces side by side, and what runs against what was declared."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.bot.fleet.conftest import Command, Fleet

INTENT = """\
apiVersion: rackside/v1
kind: Intent
metadata: {name: busy}
spec:
  selector: {namespace: chat, workload: busy}
  owner: chat-team
  model: {id: meta-llama/Llama-3.1-8B-Instruct}
  engine: {name: vllm, version: "0.11", maxModelLen: 4096}
  gpus: {type: h100, count: 1}
  replicas: {min: 2, max: 2}
  objectives: {ttftP95Seconds: 0.001, availabilityPercent: 99.9}
  budgetUsdPerHour: 5
---
apiVersion: rackside/v1
kind: Intent
metadata: {name: quiet}
spec:
  selector: {namespace: chat, workload: quiet}
  warmStandby: true
"""


@pytest.fixture(scope="module")
def parity(rackside: Command) -> dict[str, Any]:
    done = rackside("diff", "chat", "staging", "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def test_two_namespaces_differ_where_they_differ(parity: dict[str, Any]) -> None:
    (pair,) = parity["pairs"]
    assert (pair["a"], pair["b"], pair["paired_by"]) == ("deployment/chat/busy", "deployment/staging/busy", "name")
    told = {one["field"]: (one["a"], one["b"]) for one in pair["differences"]}
    assert told["version"] == ("0.11.0", "0.10.2")
    assert told["image"] == ("vllm/vllm-openai:v0.11.0", "vllm/vllm-openai:v0.10.2")
    assert told["max model len"] == ("8192", "4096")
    assert told["replicas wanted"] == ("2 replicas", "1 replica") or told["replicas wanted"] == ("2", "1")
    assert "H100" in told["GPU"][0]
    assert "L4" in told["GPU"][1]
    assert told["--enable-log-requests"] == ("none", "true")
    assert told["readiness"][1] == "none"
    assert told["owner"] == ("chat-team", "none")
    assert "model" not in told
    assert "engine" not in told
    assert pair["same"] > 10
    assert all(one["source_a"] for one in pair["differences"])
    assert set(parity["only_a"]) == {"deployment/chat/quiet", "deployment/chat/spare"}
    assert parity["only_b"] == []


def test_a_key_on_the_command_line_is_compared_without_being_told(parity: dict[str, Any]) -> None:
    told = json.dumps(parity)
    assert "hunter2" not in told
    assert "--api-key" in told


def test_a_namespace_is_no_other_than_itself(rackside: Command) -> None:
    found = json.loads(rackside("diff", "chat", "chat", "--json").stdout)
    assert [pair["differences"] for pair in found["pairs"]] == [[], [], []]
    assert (found["only_a"], found["only_b"]) == ([], [])


def test_the_table_shows_both_sides(rackside: Command) -> None:
    done = rackside("diff", "chat", "staging", COLUMNS="100")
    assert done.returncode == 0
    for word in ("max model len", "8192", "4096", "Only in chat", "deployment/chat/spare"):
        assert word in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 100


def test_what_is_forbidden_is_not_the_same(rackside: Command, fleet: Fleet) -> None:
    fleet.api.faults.forbid("nodes")
    try:
        found = json.loads(rackside("diff", "chat", "staging", "--json").stdout)
    finally:
        fleet.api.faults.heal()
    (pair,) = found["pairs"]
    assert "GPU" not in {one["field"] for one in pair["differences"]}
    assert any(one["what"].startswith("GPU in ") for one in pair["unseen"])


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (("chat", "nowhere"), 2, "no inference workload in nowhere"),
        (("", "chat"), 2, "is no environment"),
        (("elsewhere:chat", "chat"), 2, "there is no cluster 'elsewhere'"),
    ],
)
def test_bad_usage_is_a_sentence(rackside: Command, arguments: tuple[str, ...], status: int, said: str) -> None:
    done = rackside("diff", *arguments)
    assert done.returncode == status
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "intent.yaml"
    path.write_text(INTENT, encoding="utf-8")
    return path


def test_drift_is_found_and_its_numbers_are_prometheus_s_own(rackside: Command, fleet: Fleet, file: Path) -> None:
    done = rackside("intent", "drift", str(file), "--json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    jsonschema.validate(found, json.loads(rackside("schema", "drift").stdout))
    told = {one["id"]: one for one in found["findings"]}
    assert set(told) == {
        "intent_engine_drift",
        "intent_objective_missed",
        "intent_latency_budget_burns",
        "intent_budget_exceeded",
        "intent_standby_drift",
    }
    (change,) = (one["change"] for one in told["intent_engine_drift"]["remedies"])
    assert change == {"what": "--max-model-len", "from": "8192", "to": "4096"}
    late = told["intent_objective_missed"]["evidence"][1]
    at = datetime.fromisoformat(found["at"]).timestamp()
    rows = fleet.prometheus.query(late["query"], at)
    own = 'histogram_quantile(0.95, sum by (le, pod, exported_pod, namespace, exported_namespace) (rate(vllm:time_to_first_token_seconds_bucket[1h])))'  # fmt: skip
    mine = [float(row["value"][1]) for row in fleet.prometheus.query(own, at) if any(text.startswith("busy-") for text in row["metric"].values()) and "chat" in row["metric"].values()]  # fmt: skip
    assert rows
    assert late["value"] == pytest.approx(max(mine), rel=0.01)
    assert told["intent_budget_exceeded"]["evidence"][1]["value"] == pytest.approx(6.0)
    latency, burn = found["burn"]
    assert (latency["objective"], burn["objective"]) == ("time to first token", "availability")
    within, whole = (f'sum(increase(vllm:time_to_first_token_seconds_{part}[1h]))' for part in ('bucket{pod=~"busy-.*",le="0.001"}', 'count{pod=~"busy-.*"}'))  # fmt: skip
    ((row,), first) = fleet.prometheus.query(f"1 - {within} / {whole}", at), latency["rules"][0]
    assert first["long"] == pytest.approx(float(row["value"][1]) / 0.05, rel=0.01)
    assert bool(fleet.prometheus.query(first["promql"], at)) is (first["verdict"] == "page")
    assert burn["verdict"] in {"fine", "too few requests to tell"}
    assert len(burn["rules"]) == 3
    assert "deployment/chat/spare" in found["undeclared"]
    assert any("model is meta-llama" in one for one in found["same"])


def test_without_prometheus_promises_are_blind_and_manifests_are_still_held(rackside: Command, file: Path) -> None:
    done = rackside("intent", "drift", str(file), "--json", RACKSIDE_PROMETHEUS_URL="http://127.0.0.1:9")
    found = json.loads(done.stdout)
    ids = {one["id"] for one in found["findings"]}
    assert "intent_engine_drift" in ids
    assert "intent_objective_missed" not in ids
    assert any(one["what"].startswith("time to first token") for one in found["blind"])


@pytest.mark.parametrize("hidden", [False, True])
def test_a_declared_range_is_not_known_to_hold_where_autoscalers_cannot_be_listed(
    rackside: Command, fleet: Fleet, file: Path, hidden: bool
) -> None:
    if hidden:
        fleet.api.faults.forbid("horizontalpodautoscalers")
    try:
        found = json.loads(rackside("intent", "drift", str(file), "--json").stdout)
    finally:
        fleet.api.faults.heal()
    told = {one["what"]: one["why"] for one in found["blind"] if one["what"].startswith("autoscaler")}
    ends = {"autoscaler's minimum of deployment/chat/busy", "autoscaler's maximum of deployment/chat/busy"}
    assert set(told) == (ends if hidden else set()), "without one, its declared replicas are all that is to be held"
    assert all("declared 2; forbidden: we may not list horizontalpodautoscalers" in why for why in told.values()), told


def test_a_declared_standby_is_none_that_idles(rackside: Command, fleet: Fleet, file: Path, tmp_path: Path) -> None:
    (tmp_path / "rackside.yaml").write_text("intent: [intent.yaml]\nprices: {h100: 3.0}\n", encoding="utf-8")
    found = json.loads(rackside("cost", "--json", "-n", "chat", RACKSIDE_HOME=str(tmp_path)).stdout)
    quiet = next(one for one in found["workloads"] if one["workload"].endswith("/quiet"))
    assert {one["kind"] for one in quiet["spent"]} == {"standby"}
    busy = next(one for one in found["workloads"] if one["workload"].endswith("/busy"))
    assert any("objective 0.001 s" in one for one in busy["provision"]["looked_at"])


def test_the_files_of_the_settings_are_taken_and_what_is_wrong_is_said(rackside: Command, tmp_path: Path) -> None:
    (tmp_path / "rackside.yaml").write_text("intent: [one.yaml, gone.yaml]\n", encoding="utf-8")
    (tmp_path / "one.yaml").write_text(INTENT.replace("min: 2", "min: 9"), encoding="utf-8")
    for command in (("intent", "check"), ("intent", "drift"), ("cost",)):
        done = rackside(*command, RACKSIDE_HOME=str(tmp_path))
        assert done.returncode == 2, command
        assert "one.yaml line 10: spec.replicas: min (9) is more than max (2)" in done.stderr
        assert "gone.yaml cannot be read: No such file" in " ".join(done.stderr.split())
        assert "Traceback" not in done.stderr
    (tmp_path / "rackside.yaml").write_text("intent: []\n", encoding="utf-8")
    assert rackside("intent", "drift", RACKSIDE_HOME=str(tmp_path)).returncode == 2


def test_a_good_file_is_listed(rackside: Command, file: Path) -> None:
    done = rackside("intent", "check", str(file))
    assert done.returncode == 0
    schema = json.loads(rackside("schema", "intent").stdout)
    for document in yaml.safe_load_all(INTENT):
        jsonschema.validate(document, schema)
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**next(yaml.safe_load_all(INTENT)), "colour": "blue"}, schema)
    assert "busy: workload/chat/busy, intent.yaml line 3" in done.stdout


def test_the_json_is_what_its_schema_says(rackside: Command, parity: dict[str, Any]) -> None:
    schema = json.loads(rackside("schema", "diff").stdout)
    assert schema["$id"] == "rackside/diff/v1"
    jsonschema.validate(parity, schema)
