"""`/rackside diagnose` where a channel is narrowed: refused in a sentence before anything is read, or narrowed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.access.guard import narrowing
from bot.access.rules import Access
from bot.access.visit import visiting
from bot.advisor.advisor import Advisor
from bot.advisor.question import Allowed, Answer, Question
from bot.desk import Bench
from bot.desks import sweep
from bot.store.answers import Answers
from bot.store.database import database_url, open_engine
from bot.store.records import Ask, Store
from tests.bot.conftest import echo

PROD, EAST = Allowed(None, ("prod",)), Allowed(("east",), None)


def nobody(cluster: str | None) -> object:
    raise AssertionError(f"{cluster} was asked")


@pytest.mark.parametrize(
    ("place", "allowed", "says"),
    [
        ({"namespace": "search"}, PROD, "namespace prod only"),
        ({"namespace": "search", "workload": "llama"}, PROD, "namespace prod only"),
        ({"cluster": "west"}, EAST, "cluster east only"),
        ({"namespace": "<!channel>"}, PROD, "namespace prod only"),
        ({}, Allowed(None, ()), "may see no namespace only"),
    ],
)
def test_a_place_that_may_not_be_seen_is_refused(
    tmp_path: Path, place: dict[str, str], allowed: Allowed, says: str
) -> None:
    store = Store(open_engine(database_url(None, tmp_path)))
    advisor = Advisor(nobody, None)  # type: ignore[arg-type]
    desk = sweep.open_desk(Bench(narrowing(advisor.answer, Access()), store, tmp_path))
    ask = Ask("T", "C1", "", "1.0", "U1", "", "sweep", dict(place))
    with visiting(allowed):
        told = desk(ask, lambda _: None)
    assert says in told["text"]
    assert "<!" not in str(told)
    assert not told["good"]
    assert Answers(store.engine).of(ask.key) is None, "nothing to follow up"


def test_the_whole_of_a_narrowed_channel_is_its_part(tmp_path: Path) -> None:
    seen: list[Question] = []

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        seen.append(question)
        return echo(question, progress)

    store = Store(open_engine(database_url(None, tmp_path)))
    desk = sweep.open_desk(Bench(narrowing(answer, Access()), store, tmp_path))
    with visiting(PROD):
        told = desk(Ask("T", "C1", "", "1.0", "U1", "", "sweep", {}), lambda _: None)
    assert seen == [Question(None, allowed=PROD)]
    assert told["good"]
