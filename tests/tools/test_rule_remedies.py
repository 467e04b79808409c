"""What rules give to copy is YAML that a manifest takes, and names what it is put under."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.tools.scenes import SUBJECTS, scene, snapshot
from tools.casebook import rules
from tools.check import Now
from tools.diagnose import run
from tools.outcomes import Verdict
from tools.rules import NONE, lacks, names, paste

COPY = re.compile(r"Copy: `([^`]+)`")
# A remedy of a Slack message is cut beyond this.
LONGEST = 350


def remedies(check: str) -> tuple[str, ...]:
    told = scene(check)
    subject = SUBJECTS[told.get("about", "workload")]
    replicas = max((len(value) for value in told["fires"].values() if isinstance(value, list)), default=2)
    outcomes = run(snapshot(told["fires"], subject, replicas=replicas), {}, rules=True)
    found = next(one for one in outcomes if one.case.id == check and one.subject == subject)
    assert found.verdict is Verdict.FIRES
    return tuple(remedy.text for remedy in found.remedies)


def test_most_rules_give_something_to_copy() -> None:
    having = [check for check in rules() if any(COPY.search(text) for text in remedies(check))]
    assert len(having) >= 50


@pytest.mark.parametrize("check", list(rules()))
def test_what_is_copied_is_a_mapping_of_yaml(check: str) -> None:
    for text in remedies(check):
        assert len(text) <= LONGEST
        assert text.count("`") % 2 == 0
        for fragment in COPY.findall(text):
            found = yaml.safe_load(fragment)
            assert isinstance(found, dict)
            assert all(isinstance(key, str) and value is not None for key, value in found.items())
            assert "alert" not in found or {"expr", "for", "labels"} - {"labels"} <= set(found)


def test_a_fragment_stands_behind_what_to_do() -> None:
    made = paste("Bound it.", "spec: {a: 1}", "It is bound.", "gpu/idle-gpus", change=("a", "0", "1"))
    one: Any = None
    remedy = made(one, {})[0]
    assert remedy.text == "Bound it. Copy: `spec: {a: 1}`"
    assert remedy.change is not None
    assert (remedy.change.from_, remedy.change.to) == ("0", "1")
    assert (remedy.verify, remedy.cites) == ("It is bound.", ("gpu/idle-gpus",))


def test_a_rule_that_lacks_fires_on_none_alone_and_one_that_names_on_any_text() -> None:
    from tests.tools.scenes import WORKLOAD
    from tools.present import Present
    from tools.vocabulary.readiness import BARE

    def said(value: str, empty: bool) -> bool:
        now: Now = Present(snapshot({"pod.bare now": value}, WORKLOAD), WORKLOAD)
        rule = lacks if empty else names
        return rule(BARE.now, "{found}")(now, {}) is not None

    assert (said(NONE, True), said("", True), said("x", True)) == (True, False, False)
    assert (said("", False), said("x", False)) == (False, True)
