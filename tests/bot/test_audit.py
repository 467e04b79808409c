"""Checklists held against worlds: what passes, fails, is unknown, is to be attested or is not here."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.audit import Judged, audit, commonest, worst_first
from bot.audit_output import Report, as_json
from bot.audit_score import score
from bot.audit_text import as_markdown
from bot.cli.audit import print_as
from bot.store.readiness import Place
from knowledge.items import Item
from tests.bot.readiness.worlds_of_items import item
from tests.tools.scenes import NOW, WORKLOAD, scene, snapshot
from tools.casebook import cases
from tools.diagnose import Within, diagnose
from tools.outcomes import Outcome, Verdict
from tools.reading import Blind, Reading, Reason
from tools.snapshot import SourceState

RULE = "memory_limit_missing"


def judged(
    one: Item, world: dict[str, Any] | None = None, without: tuple[str, ...] = (), engine: str = "vllm"
) -> Judged:
    told = scene(RULE)["fires"] if world is None else world
    (found,) = audit([one], snapshot(told, WORKLOAD, without=without, engine=engine))
    return found


def near_miss() -> dict[str, Any]:
    told = scene(RULE)
    name, value = next(iter(told["quiet_if"].items()))
    return {**told["fires"], name: value}


def test_what_fires_fails_the_item_and_says_whom_and_what_to_do() -> None:
    found = judged(item(checks=(RULE,)))
    assert found.state == "fail"
    assert {broken.subject for broken in found.broken} == {str(WORKLOAD)}
    assert all(broken.check == RULE and broken.said and broken.remedy for broken in found.broken)
    assert found.why == "1 of 1 looked at does not hold it"


def test_what_is_quiet_passes_unless_a_person_must_show_the_rest() -> None:
    assert judged(item(checks=(RULE,)), near_miss()).state == "pass"
    rest = judged(item(checks=(RULE,), evidence="the drill's minutes"), near_miss())
    assert rest.state == "attest"
    assert "the drill's minutes" in rest.why


def test_what_cannot_be_seen_is_unknown_with_its_reason_and_never_a_pass() -> None:
    for name in scene(RULE)["fires"]:
        found = judged(item(checks=(RULE,)), without=(name,))
        assert found.state == "unknown", name
        assert found.why
        assert score([found]).held == 0.0
        assert score([found]).verified == 0.0


def test_one_failing_check_outweighs_a_blind_one() -> None:
    assert judged(item(checks=("latest_tag", RULE))).state == "fail"
    assert judged(item(checks=("latest_tag", RULE)), near_miss()).state == "unknown"


def test_without_a_check_a_person_attests() -> None:
    found = judged(item(evidence="the contract"))
    assert (found.state, found.why) == ("attest", "the contract")


def test_another_engines_item_is_not_about_this_fleet() -> None:
    found = judged(item(checks=(RULE,), applies=("sglang",)))
    assert found.state == "not_applicable"
    assert "sglang" in found.why
    assert judged(item(checks=(RULE,), applies=("sglang", "vllm"))).state == "fail"
    assert judged(item(checks=(RULE,), applies=("sglang",)), engine="sglang").state == "fail"


def test_a_scope_without_the_workload_has_nothing_to_judge() -> None:
    (found,) = audit([item(checks=(RULE,))], snapshot(scene(RULE)["fires"], WORKLOAD), Within("elsewhere"))
    assert found.state == "not_applicable"
    assert score([found]).held is None
    assert score([found]).verified is None


def test_with_a_source_down_nothing_is_said_not_to_be_here() -> None:
    seen = snapshot(scene(RULE)["fires"], WORKLOAD)
    down = SourceState("Kubernetes", Blind(Reason.SOURCE_DOWN, "refused"))
    half = replace(seen, sources=(*seen.sources, down))
    (found,) = audit([item(checks=(RULE,))], half, Within("elsewhere"))
    assert found.state == "unknown"
    assert found.why == "whether anything here is of its kind cannot be told (Kubernetes: source down: refused)"
    assert score([found]).held == 0.0


def test_a_check_with_nothing_to_look_at_is_written_down_by_subject() -> None:
    seen = snapshot(scene(RULE)["fires"], WORKLOAD)
    bare = next(one for one in diagnose(seen).outcomes if one.verdict is Verdict.NOT_APPLICABLE)
    (alone,) = audit([item(checks=(bare.case.id,))], seen)
    assert (alone.state, alone.silent) == ("not_applicable", {str(bare.subject): (bare.case.id,)})
    (both,) = audit([item(checks=(bare.case.id, RULE))], snapshot(near_miss(), WORKLOAD))
    assert (both.state, both.silent) == ("pass", {str(bare.subject): (bare.case.id,)})


def test_limits_of_the_settings_count() -> None:
    mode = "kv_saturation_queueing"
    world = snapshot(scene(mode)["fires"], WORKLOAD)
    (found,) = audit([item(checks=(mode,))], world)
    assert found.state == "fail"
    (other,) = audit([item(checks=(mode,))], world, limits={f"{mode}@{WORKLOAD}": {"full": 2.0}})
    assert other.state == "pass"


def test_failing_items_come_worst_first() -> None:
    items = [
        item("XX-01", "low", checks=(RULE,)),
        item("XX-02", "critical", checks=(RULE,)),
        item("XX-03", evidence="e"),
    ]
    found = audit(items, snapshot(scene(RULE)["fires"], WORKLOAD))
    assert [one.item.id for one in worst_first(found)] == ["XX-02", "XX-01"]


def test_the_forms_tell_the_same(capsys: pytest.CaptureFixture[str]) -> None:
    items = [
        item("XX-01", checks=(RULE,)),
        item("XX-02", evidence="e"),
        item("YY-01", pack="other", checks=("latest_tag",)),
    ]
    found = audit(items, snapshot(scene(RULE)["fires"], WORKLOAD))
    told = as_json(Report(tuple(found), Place(), NOW))
    assert [(one["id"], one["state"]) for one in told["items"]] == [
        ("XX-01", "fail"),
        ("XX-02", "attest"),
        ("YY-01", "unknown"),
    ]
    none = dict.fromkeys(("pass", "unknown", "attested", "expired", "waived", "not_applicable"), 0)
    assert told["checklists"][0] == {
        "id": "mine",
        "counts": {**none, "fail": 1, "attest": 1},
        "score": 0.0,
        "verified": 0.5,
    }
    whole = Report(tuple(found), Place(), NOW)
    print_as(whole, "json")
    assert json.loads(capsys.readouterr().out) == json.loads(json.dumps(told))
    assert "| mine | 0 | 1 | 0 | 0 | 0 | 1 | 0 | 0 | 0 % | 50 % |" in as_markdown(whole)
    print_as(whole, "table")
    shown = capsys.readouterr().out
    assert "XX-01" in shown
    assert "Could not be seen" in shown
    assert str(WORKLOAD) in shown


def test_text_from_a_cluster_starts_no_markup() -> None:
    found = judged(item(title="a|b <script>[x](http://evil) `x`\n# heading"))
    told = as_markdown(Report((found,), Place(), NOW))
    assert "<script>" not in told
    assert "[x](" not in told.replace("\\[x](", "")
    assert "\n# heading" not in told


def command(home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "bot", "audit", *arguments],
        capture_output=True, text=True, check=False, timeout=120,
        env={"RACKSIDE_HOME": str(home), "PATH": "/usr/bin:/bin", "KUBECONFIG": str(home / "none"), "NO_COLOR": "1"},
    )  # fmt: skip


def test_with_nothing_to_see_nothing_passes_and_it_says_so(tmp_path: Path) -> None:
    done = command(tmp_path, "--format", "json")
    assert done.returncode == 3, done.stderr
    told = json.loads(done.stdout)
    assert {one["state"] for one in told["items"]} == {"attest", "unknown"}
    assert "no source answered" in done.stderr
    assert all(one["counts"]["pass"] == 0 for one in told["checklists"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--pack", "groceries"), "no checklist 'groceries'"),
        (("--owner", "cook"), "no team 'cook'"),
    ],
)
def test_what_does_not_exist_is_said(tmp_path: Path, arguments: tuple[str, ...], said: str) -> None:
    done = command(tmp_path, *arguments)
    assert done.returncode == 2
    assert said in " ".join(done.stderr.split())
    assert "Traceback" not in done.stderr


def test_a_reason_is_told_once_with_how_many_more_there_are() -> None:
    def blind(why: str) -> Outcome:
        reading = Reading(
            name="Waiting",
            subject=WORKLOAD,
            value=None,
            unit="",
            source="",
            query="",
            at=0.0,
            blind=Blind(Reason.NO_SERIES, why),
        )
        return Outcome(next(iter(cases().values())), WORKLOAD, Verdict.BLIND, None, reading)

    one, other = "Waiting: no series: a", "Waiting: no series: b"
    assert commonest([blind("a")]) == one
    assert commonest([blind("a"), blind("a")]) == f"{one} (and 1 more like it)"
    assert (
        commonest([blind("b"), blind("a"), blind("b"), blind("b")])
        == f"{other} (and 2 more like it, 1 for other reasons)"
    )
    assert commonest([blind("a"), blind("b")]) == f"{one} (and 1 for other reasons)"
