"""What may not be seen is not in the snapshot, so nothing after it can tell of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.access.narrow import narrowed
from bot.access.visit import visiting
from bot.advisor.advisor import Advisor
from bot.advisor.question import Allowed, Answer, Question, Scope
from bot.desk import Bench
from bot.desks import status
from bot.settings import Settings
from bot.store.database import database_url, open_engine
from bot.store.records import Ask, Store
from evals.fleet.prometheus import Prometheus
from knowledge.home import default_home
from knowledge.search import Library
from tests.tools import worlds
from tools.casebook import asks
from tools.reading import Subject
from tools.signals import Per
from tools.snapshot import Snapshot
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource
from tools.survey import survey

LAB = Allowed(None, ("lab",))
TEAM = Allowed(None, ("team",))
# Logs of servers that are slow, and of those that a question names.
LOGS = {("team", "app-6c8d9f7b5-aaaaa", "engine", False): "", ("lab", "web-7f9c7f9c-abcde", "engine", False): ""}


@pytest.fixture(scope="module")
def sick() -> worlds.World:
    return worlds.build()["sick"]


@pytest.fixture(scope="module")
def prom(sick: worlds.World, tmp_path_factory: pytest.TempPathFactory) -> Iterator[PromSource]:
    path = tmp_path_factory.mktemp("sick") / "sick.om"
    worlds.write({"sick": sick}, path)
    with Prometheus([path]) as running:
        yield PromSource(running.url)


@pytest.fixture(scope="module")
def library() -> Iterator[Library]:
    opened = Library.open(default_home())
    yield opened
    opened.close()


def cluster(sick: worlds.World) -> FakeKube:
    pods = [
        worlds.pod("app-6c8d9f7b5-aaaaa", now=sick.at),
        worlds.pod("web-7f9c7f9c-abcde", namespace="lab", owner=("ReplicaSet", "web-7f9c7f9c"), now=sick.at),
    ]
    return FakeKube(worlds.listings(pods=pods, nodes=[worlds.node("n1", 2)]), LOGS)


@pytest.fixture
def advisor(library: Library, prom: PromSource, sick: worlds.World) -> Advisor:
    return Advisor(lambda _: (prom, cluster(sick), ""), library, clock=lambda: sick.at)


@pytest.fixture
def whole(prom: PromSource, sick: worlds.World) -> Snapshot:
    return survey(prom, cluster(sick), asks(), sick.at)


def spoken(answer: Answer) -> str:
    """All that an answer says of the fleet; queries go over the whole of it and name nobody."""
    return repr(
        replace(
            answer,
            findings=tuple(
                replace(f, evidence=tuple(replace(e, query="") for e in f.evidence)) for f in answer.findings
            ),
            traces={},
        )
    )


@pytest.mark.parametrize(
    "text",
    [
        None,
        "what is wrong right now?",
        "why is web slow?",
        "is anything else wrong in the cluster?",
        "why is app slow?",
    ],
)
def test_a_channels_answer_tells_nothing_of_other_namespaces(advisor: Advisor, text: str | None) -> None:
    answer = advisor.answer(Question(text, allowed=LAB))
    assert "team" not in spoken(answer)
    assert "app-6c8d9f7b5" not in spoken(answer)


def test_the_same_question_where_it_may_be_seen_finds_the_fault(advisor: Advisor) -> None:
    for allowed in (None, TEAM, Allowed(None, ("lab", "team"))):
        answer = advisor.answer(Question("what is wrong right now?", allowed=allowed))
        assert any("team/app" in finding.subject for finding in answer.findings)


def test_a_foreign_namespace_is_refused_before_anything_is_read(library: Library) -> None:
    def sources(_: str | None) -> object:
        raise AssertionError("nothing may be read")

    advisor = Advisor(sources, library)  # type: ignore[arg-type]
    for question in (
        Question("what is wrong in namespace team?", allowed=LAB),
        Question(None, namespace="team", allowed=LAB),
        Question("what is wrong?", "west", allowed=Allowed(("east",), None)),
        Question("what is wrong?", allowed=Allowed((), ())),
    ):
        answer = advisor.answer(question)
        assert answer.intent == "declined"
        assert "may see" in answer.verdict
        assert not answer.findings


def test_the_verdict_says_where_it_looked(advisor: Advisor) -> None:
    assert advisor.answer(Question("is anything wrong right now?", allowed=LAB)).scope.namespace == "lab"
    both = advisor.answer(Question("is anything wrong right now?", allowed=Allowed(None, ("lab", "nowhere"))))
    assert "namespaces lab, nowhere" in both.verdict


def test_a_snapshot_keeps_what_is_inside_and_nothing_else(whole: Snapshot) -> None:
    seen = narrowed(whole, LAB)
    assert {subject.namespace for subject in whole.topology.workloads} >= {"lab", "team"}
    assert {subject.namespace for subject in seen.topology.workloads} == {"lab"}
    assert set(seen.topology.pods) == {"lab/web-7f9c7f9c-abcde"}
    for ask, column in seen.columns.items():
        for part in column.parts:
            keys = {*part.values, *(part.fresh or ()), *part.not_a_number, *part.nothing, *part.unseen}
            if ask.signal.per is Per.REPLICA:
                assert all(key.startswith("lab/") for key in keys), ask
            if ask.signal.per is Per.WORKLOAD:
                assert all("/lab/" in key for key in keys), ask
            assert not any("team/" in value for value in part.values.values() if isinstance(value, str)), ask
    assert seen.happenings is not None
    assert not [one for one in seen.happenings.changes if one.subject.namespace == "team"]
    assert not [key for key in seen.happenings.states if key.startswith("team/")]


def test_a_status_is_of_what_may_be_seen(
    whole: Snapshot, tmp_path: Path, prom: PromSource, sick: worlds.World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.app.make_sources", lambda *_: (prom, cluster(sick), ""))
    store = Store(open_engine(database_url(None, tmp_path)))
    bench = Bench(
        lambda *_: Answer(None, "help", Scope(), ""), store, tmp_path, "T1", Settings(home=tmp_path), lambda: sick.at
    )
    compose = status.open_desk(bench)

    def told(workload: str, scope: Allowed, **place: str) -> str:
        ask = Ask("T1", "C1", "1.1", "1.1", "U1", "status", "status", {"workload": workload, **place})
        with visiting(scope):
            return compose(ask, lambda _: None)["text"] + str(compose(ask, lambda _: None)["blocks"])

    assert "team/app" in told("app", TEAM) + told("app", Allowed())
    assert "I see no workload called app" in told("app", LAB)
    assert "may see namespace lab only" in told("app", LAB, namespace="team")
    assert "may see cluster east only" in told("app", Allowed(("east",), None), cluster="west")
    store.close()


def test_where_everything_may_be_seen_it_is_the_same_snapshot(whole: Snapshot) -> None:
    assert narrowed(whole, None) is whole
    assert narrowed(whole, Allowed(("east",), None)) is whole


def test_gpus_that_others_hold_are_not_shown_and_idle_ones_on_our_nodes_are(whole: Snapshot) -> None:
    for allowed in (LAB, TEAM):
        seen = narrowed(whole, allowed).topology
        assert all(gpu.pod in {None, *seen.pods} for gpu in seen.gpus.values())
        assert {gpu.node for gpu in seen.gpus.values()} <= {pod.node for pod in seen.pods.values()}
    assert narrowed(whole, TEAM).topology.gpus
    assert narrowed(whole, Allowed(None, ("nobody",))).topology.gpus == {}


def test_gpus_that_are_another_namespaces_workloads_are_not_shown(whole: Snapshot) -> None:
    web = Subject("deployment", "lab", "web")
    owned = {key: replace(gpu, pod=None, workload=web) for key, gpu in whole.topology.gpus.items()}
    taken = replace(whole, topology=replace(whole.topology, gpus=owned))
    assert narrowed(taken, TEAM).topology.gpus == {}
    assert narrowed(taken, LAB).topology.gpus
    assert narrowed(whole, Allowed(None, ("nobody",))).topology.nodes == ()
