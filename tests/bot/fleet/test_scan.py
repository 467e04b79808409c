"""`rackside scan` on a simulated fleet: what is deployed, each fact with its source; coverage that never calls the unseen absent."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tests.bot.fleet.conftest import Command, Fleet
from tools.intent import read_intents

INTENT = """\
apiVersion: rackside/v1
kind: Intent
metadata: {name: busy}
spec:
  selector: {namespace: chat, workload: busy}
  objectives: {ttftP95Seconds: 2, availabilityPercent: 99.9}
"""
CLAIMS: dict[str, Any] = {
    "schemaVersion": "piqc-scan.v0.1",
    "tool": {"name": "piqc", "version": "1.2.0"},
    "objects": [{"workloadId": "ns/chat/Deployment/busy", "facts": {}}],
}


@pytest.fixture(scope="module")
def told(rackside: Command, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    home = tmp_path_factory.mktemp("scan")
    (home / "rackside.yaml").write_text("intent: [intent.yaml]\n", encoding="utf-8")
    (home / "intent.yaml").write_text(INTENT, encoding="utf-8")
    values = {"hardware.gpuType": "H100", "vllm.maxModelLen": 4096, "autoscaling.enabled": False, "vllm.dtype": "bf16"}
    facts = {
        key: {"value": value, "source": {"type": "k8s_api"}, "dataConfidence": "high"} for key, value in values.items()
    }
    CLAIMS["objects"][0]["facts"] = facts
    (home / "claims.json").write_text(json.dumps(CLAIMS), encoding="utf-8")
    done = rackside("scan", "--json", "--claims", str(home / "claims.json"), RACKSIDE_HOME=str(home))
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert isinstance(found, dict)
    return found


def of(told: dict[str, Any], name: str) -> dict[str, Any]:
    return next(one for one in told["workloads"] if one["workload"] == f"deployment/{name}")


def states(one: dict[str, Any]) -> dict[str, str]:
    return {each["what"]: each["state"] for each in one["coverage"]}


def test_every_inference_workload_is_listed_with_what_it_is(told: dict[str, Any], fleet: Fleet) -> None:
    names = {one["workload"] for one in told["workloads"]}
    assert names == {
        f"deployment/{name}" for name in ("chat/busy", "chat/quiet", "chat/spare", "lab/large", "staging/busy")
    }
    busy = of(told, "chat/busy")
    assert busy["model"]["value"] == "meta-llama/Llama-3.1-8B-Instruct"
    assert (busy["engine"]["value"], busy["version"]["value"]) == ("vllm", "0.11.0")
    assert busy["model"]["source"] == "Kubernetes API"
    assert busy["model"]["query"].startswith("GET /api/v1/pods")
    assert (busy["model"]["confidence"], busy["owner"]["value"]) == ("high", "chat-team")
    held = fleet.prometheus.query('count by (exported_namespace, namespace) (DCGM_FI_DEV_FB_USED{exported_pod=~"busy-.*"} or DCGM_FI_DEV_FB_USED{pod=~"busy-.*"})', fleet.at)  # fmt: skip
    mine = [float(row["value"][1]) for row in held if "chat" in row["metric"].values()]
    assert busy["gpus"]["held"]["value"] == sum(mine) == 2
    assert busy["gpus"]["kind"]["value"] == "H100 SXM 80 GB"
    assert busy["gpus"]["memory_gib"]["value"] == pytest.approx(79.6, abs=1)
    assert busy["gpus"]["nodes"] == ["big-1"]
    assert (busy["replicas_wanted"]["value"], busy["replicas_ready"]["value"]) == (2.0, 2.0)


def test_settings_say_where_they_come_from(told: dict[str, Any]) -> None:
    settings = {one["name"]: one for one in of(told, "chat/busy")["settings"]}
    assert settings["max_model_len"]["value"] == 8192
    assert settings["max_model_len"]["origin"].startswith("argument --max-model-len")
    assert settings["max_model_len"]["confidence"] == "high"
    assert settings["gpu_memory_utilization"]["origin"] == "default of vLLM 0.11.0"
    assert settings["gpu_memory_utilization"]["confidence"] == "medium"
    unknown = [one for one in settings.values() if one["value"] is None]
    assert unknown
    assert all(one["confidence"] is None and one["origin"].startswith("unknown") for one in unknown)
    assert "hunter2" not in json.dumps(told)


def test_objectives_are_the_declared_ones_with_what_was_measured(told: dict[str, Any], fleet: Fleet) -> None:
    first, second = of(told, "chat/busy")["objectives"]
    assert (first["name"], first["declared"]) == ("time to first token, p95", 2.0)
    assert first["source"] == "intent.yaml line 3"
    assert 0 < first["measured"]["value"] < 2
    assert 0 <= first["measured"]["age_s"] < 120
    assert fleet.prometheus.query(first["measured"]["query"], fleet.at)
    assert second["measured"]["value"] is None
    assert second["measured"]["why"]
    assert of(told, "chat/quiet")["objectives"] == []


def test_coverage_is_told_in_three_states(told: dict[str, Any]) -> None:
    assert set(states(of(told, "chat/busy")).values()) == {"detected"}
    # No pod of it is up, so nobody could look.
    assert states(of(told, "lab/large"))["engine metrics"] == "unknown"
    assert {one["what"]: one["state"] for one in told["coverage"]}["GPU exporter on GPU nodes"] == "detected"


def test_claims_are_held_against_what_was_seen_and_never_taken_over(told: dict[str, Any]) -> None:
    held = {one["key"]: one for one in of(told, "chat/busy")["claims"]}
    assert held["hardware.gpuType"]["held"] == "agrees"
    assert (held["vllm.maxModelLen"]["held"], held["vllm.maxModelLen"]["why"]) == ("contradicts", "8192 was seen")
    assert held["autoscaling.enabled"]["held"] == "distrusted"
    assert "piqc 1.2.0" in held["hardware.gpuType"]["source"]
    assert of(told, "chat/quiet")["claims"] == []


def test_without_prometheus_nothing_is_called_absent(rackside: Command) -> None:
    done = rackside("scan", "--json", RACKSIDE_PROMETHEUS_URL="http://127.0.0.1:9")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    busy = of(found, "chat/busy")
    assert states(busy)["engine metrics"] == "unknown"
    assert states(busy)["latencies"] == "unknown"
    assert states(busy)["GPU metrics"] == "unknown"
    assert states(busy)["readiness"] == "detected"
    assert busy["model"]["value"] == "meta-llama/Llama-3.1-8B-Instruct"


def test_where_pods_are_forbidden_the_series_still_tell_of_engines(rackside: Command, fleet: Fleet) -> None:
    for kind in ("pods", "nodes", "deployments"):
        fleet.api.faults.forbid(kind)
    try:
        done = rackside("scan", "--json")
    finally:
        fleet.api.faults.heal()
    found = json.loads(done.stdout)
    busy = of(found, "chat/busy")
    assert (busy["engine"]["value"], busy["engine"]["confidence"]) == ("vllm", "low")
    assert busy["model"]["value"] is None
    assert "forbidden" in busy["model"]["why"]
    assert busy["settings"] == []


def test_what_runs_is_written_as_modelspec_that_reads_back(rackside: Command) -> None:
    done = rackside("scan", "--modelspec", "-n", "chat")
    assert done.returncode == 0, done.stderr
    back = {one.spec.selector.workload: one for one in read_intents(done.stdout, "scan.yaml")}
    assert set(back) == {"busy", "quiet", "spare"}
    spec = back["busy"].spec
    assert spec.selector.namespace == "chat"
    assert spec.engine is not None
    assert (spec.engine.name, spec.engine.max_model_len) == ("vllm", 8192)
    assert all(one["kind"] == "ModelSpec" for one in yaml.safe_load_all(done.stdout))


@pytest.mark.parametrize(("columns", "more"), [("80", ()), ("120", ("-v",))])
def test_the_table_fits_and_tells(rackside: Command, columns: str, more: tuple[str, ...]) -> None:
    done = rackside("scan", *more, COLUMNS=columns)
    assert done.returncode == 0, done.stderr
    assert "vllm 0.11.0" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= int(columns)
    if more:
        assert "argument --max-model-len" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-n", "nowhere"), "no such workload is known"),
        (("--json", "--modelspec"), "choose one"),
        (("--claims", "/nowhere.json"), "cannot be read"),
    ],
)
def test_bad_usage_is_a_sentence(rackside: Command, arguments: tuple[str, ...], said: str) -> None:
    done = rackside("scan", *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_a_bundle_that_is_none_is_a_sentence(rackside: Command, tmp_path: Path) -> None:
    (tmp_path / "facts.json").write_text('{"schemaVersion": "x"}', encoding="utf-8")
    done = rackside("scan", "--claims", str(tmp_path / "facts.json"))
    assert done.returncode == 2
    assert "schemaVersion must be piqc-scan.v0.1" in done.stderr


def test_with_nothing_to_see_it_says_so(rackside: Command) -> None:
    done = rackside("scan", RACKSIDE_PROMETHEUS_URL="", KUBECONFIG="/nowhere")
    assert done.returncode == 3
    assert "No inference workload was seen" in done.stdout
    assert "no source answered" in done.stderr


def test_the_json_is_what_its_schema_says(rackside: Command, told: dict[str, Any]) -> None:
    schema = json.loads(rackside("schema", "scan").stdout)
    assert schema["$id"] == "rackside/scan/v1"
    jsonschema.validate(told, schema)
