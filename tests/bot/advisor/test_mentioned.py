"""A rule whose words only tell of what ails is not asked for; a second question is."""

from __future__ import annotations

import pytest

from bot.advisor.mentioned import only_of_what_ails
from tests.tools.pairs import APP, two
from tests.tools.scenes import scene
from tools.diagnose import Diagnosis, diagnose

SAME = "The other replicas run the identical image digest, so is it surely not our build?"
RULE = "image_without_digest"


def judged(mode: str = "engine_dead", rule: str = RULE) -> Diagnosis:
    return diagnose(two((APP, {**scene(mode)["fires"], **scene(rule)["fires"]})), asked_for=[rule])


@pytest.mark.parametrize(
    ("question", "only"),
    [
        (SAME, True),
        ("Two things about app: it dies after every start, and is its image pinned?", False),
        ("(1) why does app die? (2) is its image pinned?", False),
        ("why does app die? also, is its image pinned?", False),
    ],
)
def test_words_of_a_rule_beside_a_grave_fault_of_the_same_workload(question: str, *, only: bool) -> None:
    told = judged()
    assert {one.id for one in told.findings if one.root} >= {"engine_dead", RULE}
    assert only_of_what_ails(question, told, {RULE}) is only


def test_where_nothing_grave_is_wrong_or_nothing_was_asked_for_it_is_asked() -> None:
    alone = diagnose(two((APP, scene(RULE)["fires"])), asked_for=[RULE])
    assert not only_of_what_ails(SAME, alone, {RULE})
    assert not only_of_what_ails(SAME, judged(), set())
