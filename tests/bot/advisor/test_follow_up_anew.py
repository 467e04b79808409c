"""What a follow-up about another replica, pod or node asks anew is a question that the advisor answers in the same place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.advisor.advisor import Advisor
from bot.advisor.question import Answer, Question
from bot.follow_up_other import Other, admitted, anew
from evals.fleet.prometheus import Prometheus
from knowledge.home import default_home
from knowledge.search import Library
from tests.tools import worlds
from tools.sources.kube_fake import FakeKube
from tools.sources.prom import PromSource

# Logs of servers that are slow, and of those that a question names.
LOGS = {("team", "app-6c8d9f7b5-aaaaa", "engine", False): "", ("lab", "web-7f9c7f9c-abcde", "engine", False): ""}


@pytest.fixture(scope="module")
def advisor(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Advisor]:
    sick = worlds.build()["sick"]
    path = tmp_path_factory.mktemp("sick") / "sick.om"
    worlds.write({"sick": sick}, path)
    pods = [
        worlds.pod("app-6c8d9f7b5-aaaaa", now=sick.at),
        worlds.pod("web-7f9c7f9c-abcde", namespace="lab", owner=("ReplicaSet", "web-7f9c7f9c"), now=sick.at),
    ]
    kube = FakeKube(worlds.listings(pods=pods, nodes=[worlds.node("n1", 2)]), LOGS)
    library = Library.open(default_home())
    with Prometheus([path]) as running:
        prom = PromSource(running.url)
        yield Advisor(lambda _: (prom, kube, ""), library, clock=lambda: sick.at)
    library.close()


@pytest.fixture(scope="module")
def last(advisor: Advisor) -> Answer:
    return advisor.answer(Question("why is app slow?"))


@pytest.mark.parametrize(
    "other",
    [
        Other("replica"),
        Other("pod", "app-6c8d9f7b5-zzzzz"),
        Other("node", "n1"),
        Other("node", "gpu-99"),
    ],
)
def test_asked_anew_it_is_answered_in_its_place(advisor: Advisor, last: Answer, other: Other) -> None:
    assert (last.scope.namespace, last.scope.workload) == ("team", "app")
    answer = advisor.answer(anew(other, last))
    assert answer.intent == "live"
    assert {finding.key for finding in last.headlines} <= {finding.key for finding in answer.findings}
    assert not any("lab/web" in finding.subject for finding in answer.findings), "nobody asked about that one"
    assert "told nothing of" in admitted(other, last, answer)


def test_a_pod_of_somebody_else_is_found_by_its_name(advisor: Advisor, last: Answer) -> None:
    answer = advisor.answer(anew(Other("pod", "web-7f9c7f9c-abcde"), last))
    assert (answer.intent, answer.scope.namespace, answer.scope.workload) == ("live", "lab", "web")
