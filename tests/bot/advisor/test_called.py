"""What is told of whom a named workload calls: only where nothing is wrong with itself, and nothing that its calls do not feel."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from bot.access.narrow import narrowed
from bot.advisor.advisor import Advisor
from bot.advisor.grounding import assert_grounded
from bot.advisor.question import Allowed, Answer, Question
from knowledge.search import Library
from tests.tools.pairs import APP, OTHER, two
from tests.tools.scenes import NOW, scene
from tools.addressing import Addressing
from tools.readers import Listed
from tools.reading import Blind, Reason, Subject
from tools.snapshot import Snapshot
from tools.topology import Pod

UNSET = Blind(Reason.NOT_SET, "nothing is set")
GATE = Subject("deployment", "edge", "gate")
FULL, DEAD = scene("kv_saturation_queueing")["fires"], scene("engine_dead")["fires"]
ASKED = "why do calls through gate time out?"


def taken(*told: tuple[Subject, dict[str, Any]], calls: Iterable[str] = ("http://app.team:8000",)) -> Snapshot:
    """Two engines in namespaces of their own, and a gate in a third; it and the first engine name the hosts of `calls`."""
    world = two(*(one for one in told if one[0] != GATE))
    gate = Pod("edge", "gate-0", "n9", GATE, "Running", ready=True)
    topology = replace(world.topology, pods={**world.topology.pods, gate.key: gate})
    container = {"name": "gate", "image": "gate:1", "args": list(calls)}
    pods: list[dict[str, Any]] = []
    services = []
    for one in (GATE, APP, OTHER):
        labels = {"app": one.name}
        spec = {} if one == OTHER else {"containers": [container]}
        pods.append({"metadata": {"namespace": one.namespace, "name": f"{one.name}-0", "labels": labels}, "spec": spec})
        services.append({"metadata": {"namespace": one.namespace, "name": one.name}, "spec": {"selector": labels}})
    listed = Listed(NOW, {"pods": pods, "services": services}, topology.pods)
    return replace(world, topology=topology, addressing=Addressing(listed))


def ask(library: Library, monkeypatch: pytest.MonkeyPatch, world: Snapshot, text: str = ASKED) -> Answer:
    monkeypatch.setattr("bot.advisor.advisor.survey", lambda *_, **__: world)
    answer = Advisor(lambda _: (UNSET, UNSET, ""), library, clock=lambda: NOW).answer(Question(text))
    assert_grounded(answer)
    return answer


def roots(answer: Answer) -> list[str]:
    return [finding.key for finding in answer.findings if finding.root]


def test_what_ails_whom_it_calls_is_told_and_that_nothing_ails_itself(
    library: Library, monkeypatch: pytest.MonkeyPatch
) -> None:
    answer = ask(library, monkeypatch, taken((APP, FULL), (OTHER, DEAD)))
    assert roots(answer) == [f"kv_saturation_queueing@{APP}"]
    said = "Nothing that I check for fires on edge/gate itself, but part of it could not be seen. What it calls: deployment/team/app"
    assert answer.verdict.startswith(said)
    assert answer.scope.workload == "gate"
    assert answer.blind


@pytest.mark.parametrize(
    ("world", "calls"),
    [
        (FULL, ["http://elsewhere.example.com"]),
        ({}, ["http://app.team:8000"]),
        (scene("spec_decode_low_acceptance")["fires"], ["http://app.team:8000"]),
        ({}, []),
    ],
    ids=["it calls somebody else", "all is well", "what costs and harms nobody", "it calls nobody"],
)
def test_where_nothing_ails_those_either_the_answer_stays_about_who_was_named(
    library: Library, monkeypatch: pytest.MonkeyPatch, world: dict[str, Any], calls: list[str]
) -> None:
    answer = ask(library, monkeypatch, taken((APP, world), calls=calls))
    assert answer.findings == ()
    assert answer.verdict == "Nothing that I check for fires on edge/gate, but part of it could not be seen."


def test_what_is_told_of_a_machine_makes_no_caller_fail(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    node = Subject("node", "", "n1")
    answer = ask(library, monkeypatch, taken((node, scene("node_problem_reported")["fires"])))
    assert answer.findings == ()
    assert answer.verdict.startswith("Nothing that I check for fires on edge/gate,")


def test_all_that_it_calls_is_told_worst_first(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = ["http://app.team:8000", "http://other.lab:8000"]
    answer = ask(library, monkeypatch, taken((APP, FULL), (OTHER, DEAD), calls=calls))
    assert roots(answer) == [f"engine_dead@{OTHER}", f"kv_saturation_queueing@{APP}"]


def test_a_cause_of_its_own_stands_alone(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    world = taken((APP, FULL), (OTHER, DEAD), calls=["http://other.lab:8000"])
    assert roots(ask(library, monkeypatch, world, "why is app in team slow?")) == [f"kv_saturation_queueing@{APP}"]


def test_several_that_are_named_lead_to_whom_they_call(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    world = taken((APP, DEAD))
    answer = ask(library, monkeypatch, world, "why do calls from other through gate fail?")
    assert roots(answer) == [f"engine_dead@{APP}"]
    assert answer.verdict.startswith("Nothing that I check for fires on those that you name")
    assert "What they call: " in answer.verdict


def test_who_may_not_see_whom_it_calls_is_told_nothing_of_it(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = Allowed(namespaces=("edge",))
    answer = ask(library, monkeypatch, narrowed(taken((APP, FULL)), allowed))
    assert answer.findings == ()
    assert "team/app" not in answer.text
