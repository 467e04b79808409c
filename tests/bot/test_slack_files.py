"""The picture of the evidence: shared once in the thread of the answer, found again by its key."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.advisor.question import Answer, Question
from bot.slack_files import Attachments
from bot.store.answers import Answers
from bot.store.database import open_engine
from bot.store.records import Ask, Letter
from evals.slack_standin import BOT_TOKEN, BOT_USER, Fault, SlackStandIn
from tests.bot import timed
from tests.bot.conftest import Room

ME = f"<@{BOT_USER}>"


def answer(_question: Question, _progress: Callable[[str], None]) -> Answer:
    return timed.answer()


def asked(room: Room) -> str:
    room.answer = answer
    body = room.slack.say("C1", "U1", f"{ME} why?")
    room.slack.push_acknowledged(body)
    ts = str(body["event"]["ts"])
    room.slack.wait(lambda: room.slack.reactions("C1", ts) == ["white_check_mark"], "the answer")
    return ts


def test_the_evidence_is_shared_as_a_picture_with_words(room: Room) -> None:
    ts = asked(room)
    room.slack.wait(lambda: len(room.slack.answers("C1", ts)) == 2, "the picture")
    said, shown = room.slack.answers("C1", ts)
    assert said["blocks"]
    (file,) = shown["files"]
    assert file["name"].startswith("evidence-")
    assert "KV cache" in file["alt_txt"]
    assert file["title"]
    (sent,) = room.slack.kept["uploads"]
    assert sent["content"].startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "method", ["files.getUploadURLExternal", "files.completeUploadExternal", "conversations.replies"]
)
def test_a_picture_that_fails_costs_no_answer(room: Room, method: str) -> None:
    room.slack.fail(method, Fault(error="missing_scope", times=5))
    ts = asked(room)
    room.slack.wait(lambda: room.slack.count(method) >= 1, "the try")
    assert len(room.slack.answers("C1", ts)) == 1


def test_shared_once_however_often_it_is_tried(slack: SlackStandIn, tmp_path: Path) -> None:
    answers = Answers(open_engine(f"sqlite:///{tmp_path / 'x.db'}"), lambda: timed.NOW)
    root = slack.say("C1", "U1", "why?")["event"]["ts"]
    ask = Ask("T", "C1", root, root, "U1", "why?")
    attachments = Attachments(BOT_TOKEN, f"{slack.api_url}/", answers)
    letter = Letter(ask, "effect1", 0.0, "answered", attempted=True)
    attachments.share(letter)
    assert not slack.answers("C1"), "nothing is kept for it"
    answers.keep(ask, timed.answer())
    for n in range(5):
        slack.say("C1", "U2", f"chatter {n}", root)
    for _ in range(3):
        attachments.share(letter)
    assert [one["files"][0]["name"] for one in slack.answers("C1")] == ["evidence-effect1.png"]
    answers.keep(ask, timed.answer(trace=None))
    attachments.share(Letter(ask, "effect2", 0.0, "answered", attempted=True))
    assert len(slack.answers("C1")) == 1, "nothing to draw"
