"""A rule whose words only tell of what ails is not asked for; a second question is."""

from __future__ import annotations

import pytest

from bot.advisor.mentioned import only_of_what_ails
from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import scene
from tools.diagnose import Diagnosis, diagnose
from tools.reading import Subject

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


def test_a_fault_of_the_machine_is_as_grave_for_whom_it_hurts_and_words_of_a_rule_are_no_question_of_a_sibling() -> (
    None
):
    node = (Subject("node", "", "n1"), scene("node_problem_reported")["fires"])
    crash = {**scene("container_create_failed")["fires"], **scene(RULE)["fires"]}
    told = diagnose(two(node, (APP, crash), (OTHER, scene(RULE)["fires"])), asked_for=[RULE])
    roots = {one.key for one in told.findings if one.root}
    assert roots >= {"node_problem_reported@node/n1", f"{RULE}@{APP}", f"{RULE}@{OTHER}"}
    assert f"container_create_failed@{APP}" not in roots, "it comes of the node"
    assert only_of_what_ails(SAME, told, {RULE})


def test_a_rule_that_a_sibling_alone_breaks_is_asked_for() -> None:
    kept = {name: 1 if isinstance(value, float | int) else "" for name, value in scene(RULE)["fires"].items()}
    told = diagnose(
        two((APP, {**scene("engine_dead")["fires"], **kept}), (OTHER, scene(RULE)["fires"])), asked_for=[RULE]
    )
    assert {one.key for one in told.findings if one.id == RULE} == {f"{RULE}@{OTHER}"}
    assert not only_of_what_ails(SAME, told, {RULE})
