"""The same question asked at once by many is investigated once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from bot.advisor.question import Answer, Question, Scope
from bot.shared_work import Shared, arrived
from evals.slack_standin import BOT_USER
from tests.bot.conftest import Room, echo

Progress = Callable[[str], None]


class Slow:
    """An answerer that waits, and counts."""

    def __init__(self) -> None:
        self.asked: list[Question] = []
        self.begun, self.go = threading.Event(), threading.Event()

    def __call__(self, question: Question, progress: Progress) -> Answer:
        self.asked.append(question)
        self.begun.set()
        assert self.go.wait(30)
        if question.text == "fail?":
            raise RuntimeError("no")
        return Answer(question.text, "live", Scope(), "V.")


def at(moment: float, shared: Shared, question: Question, waits: threading.Event | None = None) -> Answer:
    arrived.set(moment)

    def progress(_title: str) -> None:
        if waits is not None:
            waits.set()

    return shared(question, progress)


def run(
    pool: ThreadPoolExecutor, shared: Shared, question: Question, moment: float, *, waits: bool = False
) -> Future[Answer]:
    waiting = threading.Event()
    future = pool.submit(at, moment, shared, question, waiting)
    if waits:
        assert waiting.wait(30), "it did not wait for the other"
    return future


def test_shared_while_it_overlaps_and_not_afterwards() -> None:
    slow, now = Slow(), [100.0]
    shared = Shared(slow, lambda: now[0])
    with ThreadPoolExecutor(8) as pool:
        first = run(pool, shared, Question("Why slow?"), 90.0)
        assert slow.begun.wait(30)
        second = run(pool, shared, Question("why  SLOW"), 95.0, waits=True)
        slow.go.set()
        assert first.result(30).question == "Why slow?"
        assert second.result(30).question == "why  SLOW", "everyone's own words"
        assert len(slow.asked) == 1
        # Asked before that answer was found, taken up after it: shared.
        assert run(pool, shared, Question("why slow?"), 99.0).result(30).verdict == "V."
        assert len(slow.asked) == 1
        # Asked after it: looked into anew.
        run(pool, shared, Question("why slow?"), 101.0).result(30)
        assert len(slow.asked) == 2


@pytest.mark.parametrize(
    "other",
    [Question("why slow?", namespace="prod"), Question("why fast?"), Question(None), Question("why slow?", at=1.0)],
)
def test_what_differs_is_not_shared(other: Question) -> None:
    slow = Slow()
    slow.go.set()
    shared = Shared(slow)
    for question in (Question("why slow?"), other):
        at(0.0, shared, question)
    assert len(slow.asked) == 2


def test_a_failure_is_nobody_elses() -> None:
    slow = Slow()
    shared = Shared(slow)
    with ThreadPoolExecutor(4) as pool:
        first = run(pool, shared, Question("fail?"), 0.0)
        assert slow.begun.wait(30)
        second = run(pool, shared, Question("fail?"), 0.0, waits=True)
        slow.go.set()
        for future in (first, second):
            with pytest.raises(RuntimeError):
                future.result(30)
    assert len(slow.asked) == 2


def test_many_in_slack_get_one_investigation(room: Room) -> None:
    slack = room.slack
    held, asked = threading.Event(), []

    def answer(question: Question, progress: Progress) -> Answer:
        asked.append(question.text)
        assert held.wait(30)
        return echo(question, progress)

    room.answer = answer
    for n in range(12):
        slack.push_acknowledged(slack.say(f"C{n}", f"U{n}", f"<@{BOT_USER}> why is everything slow?"))
    held.set()
    for n in range(12):
        slack.wait(lambda n=n: len(slack.answers(f"C{n}")) == 1, f"the answer in C{n}")  # type: ignore[misc]
    assert len(asked) == 1
