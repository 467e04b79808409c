"""Declared intent: every mistake at once with its line, hostile files refused, ModelSpec and scanner bundles taken as what they are."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tools.intent import Intent, only_one_each, read_intents
from tools.intent_bundle import DISTRUSTED, read_bundle
from tools.intent_modelspec import exported
from tools.intent_text import IntentError
from tools.reading import Subject

GOOD = """\
apiVersion: rackside/v1
kind: Intent
metadata: {name: chat}
spec:
  selector: {namespace: chat, workload: llama-70b-chat}
  owner: ml-platform
  model: {id: meta-llama/Llama-3.3-70B-Instruct}
  engine: {name: vllm, version: "0.11", maxModelLen: 16384, tensorParallel: 2, prefixCaching: true}
  gpus: {type: h100, count: 2}
  replicas: {min: 2, max: 6}
  objectives: {ttftP95Seconds: 2, availabilityPercent: 99.9}
  budgetUsdPerHour: 60
  warmStandby: false
  canary: {workload: llama-70b-next}
"""


def problems(text: str | bytes) -> tuple[str, ...]:
    with pytest.raises(IntentError) as wrong:
        read_intents(text, "intent.yaml")
    return wrong.value.problems


def test_a_file_is_read_and_knows_whom_it_means() -> None:
    (one,) = read_intents(GOOD, "intent.yaml")
    assert one.name == "chat"
    assert one.source == "intent.yaml line 3"
    assert one.spec.engine is not None
    assert (one.spec.engine.version, one.spec.engine.max_model_len) == ("0.11", 16384)
    assert one.spec.objectives is not None
    assert one.spec.objectives.availability_percent == 99.9
    assert one.spec.canary is not None
    assert one.spec.canary.min_requests == 500
    assert one.means(Subject("deployment", "chat", "llama-70b-chat"))
    assert not one.means(Subject("deployment", "other", "llama-70b-chat"))
    assert not one.means(Subject("deployment", "chat", "llama-70b"))


def test_several_documents_and_empty_ones() -> None:
    text = f"---\n{GOOD}\n---\n\n---\n{GOOD.replace('workload: llama-70b-chat', 'workload: other')}"
    assert [one.spec.selector.workload for one in read_intents(text, "f")] == ["llama-70b-chat", "other"]


def test_all_mistakes_are_told_at_once_with_their_lines() -> None:
    text = (
        GOOD.replace("min: 2", "min: 9")
        .replace("99.9", "100")
        .replace("budgetUsdPerHour: 60", "budgetUsdPerHour: -3\n  colour: blue")
        .replace("maxModelLen: 16384", "maxModelLen: many")
        .replace("metadata: {name: chat}", "metadata: {}")
        .replace('version: "0.11"', "version: 0.11")
    )
    told = problems(text)
    for part in (
        "line 3: metadata.name is missing",
        "line 8: spec.engine.maxModelLen must be a whole number, not 'many'",
        "line 8: spec.engine.version must be a text, not '0.11'; put it in quotes",
        "line 10: spec.replicas: min (9) is more than max (6)",
        "line 11: spec.objectives.availabilityPercent",
        "line 12: spec.budgetUsdPerHour",
        "line 13: spec.colour is not known here; take it out",
    ):
        assert any(part in one for one in told), (part, told)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "there is nothing in it"),
        ("---\n---\n", "there is nothing in it"),
        ("- a\n- b\n", "a document is a mapping"),
        ("just words", "a document is a mapping"),
        ("a: [1, 2", "this is not YAML"),
        ("a: &x [1]\nb: *x\n", "line 2: aliases"),
        ("a: 1\na: 2\n", "line 2: 'a' stands here twice"),
        ("a: !!python/object/apply:os.system [id]\n", "the tag"),
        ("a: !secret x\n", "the tag"),
        ("<<: {a: 1}\n", "a key must be a word"),
        ("? [a]\n: 1\n", "a key must be a word"),
        ("[" * 100 + "]" * 100, "nested deeper"),
        ("a: " + "x" * (1024 * 1024), "larger than"),
        (b"\xff\xfe\x00a", "not UTF-8"),
        ("a: \x07", "not YAML"),
        ("a: " + "9" * 5000 + "\n", "cannot be read"),
        (GOOD.replace("rackside/v1", "rackside/v2"), "apiVersion must be 'rackside/v1', not 'rackside/v2'"),
        (GOOD.replace("maxModelLen", "maxModelLenn"), "intent.yaml line 8: spec.engine.maxModelLenn is not known here; did you mean maxModelLen?"),
        (GOOD.replace("kind: Intent", "kind: Wish"), "kind must be 'Intent'"),
        (GOOD.replace("ttftP95Seconds: 2", "ttftP95Seconds: .nan"), "ttftP95Seconds"),
        (GOOD.replace("budgetUsdPerHour: 60", "budgetUsdPerHour: .inf"), "budgetUsdPerHour"),
        (GOOD.replace("owner: ml-platform", 'owner: "a\\u202Eb"'), "spec.owner holds characters that cannot be seen"),
        (GOOD.replace("llama-70b-chat}", "Llama_70B}"), "has not the form"),
        (GOOD.replace("warmStandby: false", 'warmStandby: "no"'), "must be true or false"),
    ],
)  # fmt: skip
def test_what_is_no_intent_is_a_sentence(text: str | bytes, said: str) -> None:
    told = problems(text)
    assert any(said in one for one in told), told
    assert all("\x07" not in one and "\u202e" not in one and len(one) < 500 for one in told)


def test_a_bomb_of_aliases_is_not_unfolded() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{after}: &{after} [{', '.join(['*' + before] * 9)}]\n" for before, after in zip("abcdefghi", "bcdefghij", strict=True)
    )  # fmt: skip
    assert any("aliases" in one for one in problems(bomb))


def test_a_thousand_mistakes_are_not_a_thousand_lines() -> None:
    text = GOOD + "".join(f"  odd{i}: 1\n" for i in range(1000))
    told = problems(text)
    assert len(told) == 51
    assert told[-1].endswith("more")


def test_two_intents_for_one_workload_are_a_mistake() -> None:
    intents = (*read_intents(GOOD, "a.yaml"), *read_intents(GOOD, "b.yaml"))
    with pytest.raises(IntentError, match=r"b.yaml line 3: workload/chat/llama-70b-chat is declared in a.yaml line 3"):
        only_one_each(intents)


MODELSPEC: dict[str, Any] = {
    "apiVersion": "piqc.ai/v1alpha1",
    "kind": "ModelSpec",
    "metadata": {"name": "chat-70b-prod", "annotations": {"rackside.dev/workload": "llama", "rackside.dev/namespace": "chat"}},
    "spec": {
        "identity": {"model": {"id": "llama-3-70b", "family": "llama3", "task": "text-generation", "framework": "vllm",
                               "precision": "bf16", "artifacts": {"modelUri": "hf://meta-llama/Llama-3.3-70B-Instruct"}}},
        "runtime": {"accelerator": {"vendor": "nvidia", "type": "h100", "count": 2}, "batch": {"maxBatchSize": 64, "maxSequenceLengthTokens": 4096}},
        "operations": {"scaling": {"minReplicas": 2, "maxReplicas": 4, "targetLatencyMsP95": 800}},
        "governance": {"compliance": {"governance": {"owner": "ml-platform"}}},
    },
}  # fmt: skip


def modelspec(**changes: Any) -> Intent:
    (one,) = read_intents(yaml.safe_dump({**MODELSPEC, **changes}), "m.yaml")
    return one


def test_a_modelspec_is_taken_as_intent_and_what_is_not_compared_is_said() -> None:
    one = modelspec()
    spec = one.spec
    assert (spec.selector.workload, spec.selector.namespace) == ("llama", "chat")
    assert spec.model is not None
    assert spec.model.id == "meta-llama/Llama-3.3-70B-Instruct"
    assert spec.engine is not None
    assert (spec.engine.name, spec.engine.dtype, spec.engine.max_num_seqs, spec.engine.max_model_len) == (
        "vllm",
        "bf16",
        64,
        4096,
    )
    assert spec.gpus is not None
    assert (spec.gpus.type, spec.gpus.count) == ("h100", 2)
    assert spec.replicas is not None
    assert (spec.replicas.min, spec.replicas.max) == (2, 4)
    assert spec.owner == "ml-platform"
    assert spec.objectives is None
    assert any("which latency" in remark for remark in one.remarks)
    unnamed = modelspec(metadata={"name": "chat-70b-prod"})
    assert unnamed.spec.selector.workload == "chat-70b-prod"
    assert any("names no workload" in remark for remark in unnamed.remarks)


def test_a_modelspec_that_lacks_what_it_must_have_says_all_of_it() -> None:
    told = problems(yaml.safe_dump({**MODELSPEC, "spec": {"runtime": {"accelerator": {"vendor": "nvidia"}}}}))
    for field in ("identity.model.id", "identity.model.task", "accelerator.type", "accelerator.count"):
        assert any(f"{field} is missing" in one for one in told), field
    told = problems(yaml.safe_dump({**MODELSPEC, "metadata": {"name": "No Name"}}))
    assert any("no name of a workload" in one for one in told)
    wrong = {
        **MODELSPEC,
        "spec": {**MODELSPEC["spec"], "operations": {"scaling": {"minReplicas": 9, "maxReplicas": 1}}},
    }
    assert any("min (9) is more than max (1)" in one for one in problems(yaml.safe_dump(wrong)))
    wrong = {
        **MODELSPEC,
        "spec": {**MODELSPEC["spec"], "runtime": {"accelerator": {"vendor": "n", "type": "h100", "count": {"a": 1}}}},
    }
    assert any("accelerator.count is missing or no plain value" in one for one in problems(yaml.safe_dump(wrong)))


def test_what_runs_is_written_as_a_modelspec_that_reads_back() -> None:
    told = {
        "model": "org/m",
        "engine": "vllm",
        "gpu": "h100-sxm",
        "gpus": 2,
        "batch": 64,
        "length": 4096,
        "min": 1,
        "max": 3,
    }
    (back,) = read_intents(yaml.safe_dump(exported("app", "team", told)), "m.yaml")
    assert back.spec.selector.workload == "app"
    assert back.spec.engine is not None
    assert back.spec.engine.max_num_seqs == 64
    empty = exported("app", "team", {})
    assert empty["spec"]["identity"]["model"]["id"] == "unknown"
    assert empty["spec"]["runtime"]["accelerator"]["count"] == 1


def bundle(**facts: Any) -> dict[str, Any]:
    return {
        "schemaVersion": "piqc-scan.v0.1", "generatedAt": "2026-11-20T10:00:00+00:00", "tool": {"name": "piqc", "version": "1.2"},
        "objects": [{"workloadId": "ns/chat/Deployment/llama", "kind": "Deployment", "name": "llama", "namespace": "chat", "facts": facts}],
        "factErrors": [{"workloadId": "ns/chat/Deployment/llama", "factKey": "vllm.dtype", "error": "not set"}],
    }  # fmt: skip


def claim(value: Any, **more: Any) -> dict[str, Any]:
    return {
        "value": value,
        "source": {"type": "k8s_api"},
        "dataConfidence": "high",
        "observedAt": "2026-11-20T09:59:00Z",
        **more,
    }


def test_a_bundles_facts_are_claims_and_known_wrong_ones_are_distrusted() -> None:
    told = read_bundle(
        json.dumps(bundle(**{"hardware.gpuType": claim("H100"), "autoscaling.enabled": claim(False), "hardware.gpuCount": claim(2)})),
        "facts.json",
    )  # fmt: skip
    by_key = {one.key: one for one in told.of(Subject("deployment", "chat", "llama"))}
    assert by_key["hardware.gpuType"].distrust == ""
    assert by_key["hardware.gpuType"].source == "k8s_api"
    assert by_key["hardware.gpuCount"].value == 2.0
    assert "no autoscaler is ever read" in by_key["autoscaling.enabled"].distrust
    assert told.missing == ("ns/chat/Deployment/llama: vllm.dtype (not set)",)
    assert told.of(Subject("deployment", "chat", "other")) == ()
    assert {"obs.vllm.kvCacheUsagePct", "obs.rps.avg", "obs.tpot.p95Ms"} <= set(DISTRUSTED)


def test_odd_facts_are_left_out_and_counted() -> None:
    odd = {
        "a": 7,
        "b": claim(None),
        "c": claim([1]),
        "d": claim(float("inf")),
        "e": claim(10**400),
        "f": claim("x\x1b[31m\u202e" * 99),
    }
    told = read_bundle(json.dumps(bundle(**odd)), "facts.json")
    assert [one.key for one in told.claims] == ["f"]
    assert len(str(told.claims[0].value)) <= 120
    assert "\x1b" not in str(told.claims[0].value)
    assert told.missing[-1] == "5 entries are no facts and were left out"


def test_an_object_that_names_no_workload_is_left_out_and_counted() -> None:
    told = bundle(**{"hardware.gpuType": claim("H100")})
    told["objects"] += [{"workloadId": "node/n1", "facts": {}}, 7, {"workloadId": "ns/chat/Deployment/x", "facts": []}]
    read = read_bundle(json.dumps(told), "facts.json")
    assert len(read.claims) == 1
    assert read.missing[-1] == "3 entries are no facts and were left out"


def test_the_file_of_the_page_is_one() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "intent.md").read_text(encoding="utf-8")
    (one,) = read_intents(page.split("```yaml\n")[1].split("```")[0], "docs/intent.md")
    assert one.spec.canary is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("{", "not JSON"),
        ("[]", "is an object"),
        ("[" * 100_000, "not JSON"),
        ("{}", "schemaVersion must be"),
        ('{"schemaVersion": "piqc-scan.v0.1"}', "`objects` must be a list"),
        ('{"schemaVersion": "piqc-scan.v0.1", "objects": {}}', "`objects` must be a list"),
    ],
)
def test_what_is_no_bundle_is_a_sentence(text: str, said: str) -> None:
    with pytest.raises(IntentError, match=said):
        read_bundle(text, "facts.json")
