"""Questions that are edited or deleted after they were asked, and more questions than can be taken on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.advisor.question import Answer, Question
from bot.listeners import BUSY, Deps, accepted, afterwards
from bot.store.database import open_engine
from bot.store.records import Store
from evals.slack_standin import BOT_USER, SlackStandIn
from tests.bot.conftest import Room, echo

ME = f"<@{BOT_USER}>"


def ask(slack: SlackStandIn, text: str) -> dict[str, Any]:
    body = slack.say("C1", "U1", f"{ME} {text}")
    slack.push_acknowledged(body)
    return dict(body["event"])


def edited(
    slack: SlackStandIn, event: dict[str, Any], text: str, *, stamp: str = "77.1", user: str = "U1"
) -> dict[str, Any]:
    before = {name: event[name] for name in ("type", "user", "text", "ts")}
    after = {**before, "user": user, "text": text, "edited": {"user": user, "ts": stamp}}
    told = {"type": "message", "subtype": "message_changed", "channel": "C1", "channel_type": "channel", "hidden": True}
    return slack.event({**told, "message": after, "previous_message": before, "ts": "77.2", "event_ts": "77.2"})


def deleted(slack: SlackStandIn, event: dict[str, Any]) -> dict[str, Any]:
    told = {"type": "message", "subtype": "message_deleted", "channel": "C1", "channel_type": "channel", "hidden": True}
    return slack.event({**told, "deleted_ts": event["ts"], "ts": "77.3", "event_ts": "77.3"})


def test_an_edited_question_is_answered_in_place(room: Room) -> None:
    slack = room.slack
    event = ask(slack, "why slow?")
    slack.wait(lambda: slack.reactions("C1", event["ts"]) == ["white_check_mark"], "the answer")
    change = edited(slack, event, f"{ME} why slow in prod?")
    for _ in range(2):
        slack.push_acknowledged(change)
    slack.wait(lambda: slack.answers("C1")[0]["text"] == "You asked: why slow in prod?", "the new answer")
    slack.push_acknowledged(edited(slack, event, event["text"], stamp="78.1"))
    slack.push_acknowledged(edited(slack, event, f"{ME} hijacked?", stamp="79.1", user="U2"))
    later = ask(slack, "and now?")
    slack.wait(lambda: slack.reactions("C1", later["ts"]) == ["white_check_mark"], "the next answer")
    assert [one["text"] for one in slack.answers("C1")] == ["You asked: why slow in prod?", "You asked: and now?"]


def test_what_is_edited_late_is_left(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(afterwards, "SOON_S", -1.0)
    slack = room.slack
    event = ask(slack, "why slow?")
    slack.wait(lambda: slack.reactions("C1", event["ts"]) == ["white_check_mark"], "the answer")
    slack.push_acknowledged(edited(slack, event, f"{ME} why fast?"))
    later = ask(slack, "and now?")
    slack.wait(lambda: slack.reactions("C1", later["ts"]) == ["white_check_mark"], "the next answer")
    assert [one["text"] for one in slack.answers("C1")] == ["You asked: why slow?", "You asked: and now?"]


@pytest.mark.parametrize("how", ["edited", "deleted"])
def test_a_question_that_is_overtaken_gets_no_answer(room: Room, how: str) -> None:
    slack = room.slack
    slack.streams = True
    begun, go = threading.Event(), threading.Event()

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        if question.text == "why slow?":
            progress("Reading metrics")
            begun.set()
            assert go.wait(30)
        return echo(question, progress)

    room.answer = answer
    event = ask(slack, "why slow?")
    assert begun.wait(30)
    slack.wait(lambda: bool(slack.answers("C1")), "the stream")
    slack.push_acknowledged(edited(slack, event, f"{ME} why fast?") if how == "edited" else deleted(slack, event))
    expected = ["You asked: why fast?"] if how == "edited" else []
    slack.wait(lambda: [one["text"] for one in slack.answers("C1")] == expected, "nothing but the newer answer")
    left = ["white_check_mark"] if how == "edited" else []
    slack.wait(lambda: slack.reactions("C1", event["ts"]) == left, "the mark of the newer answer, or no reaction")
    go.set()
    slack.streams = False


def test_an_answer_stays_when_its_question_goes(room: Room) -> None:
    slack = room.slack
    event = ask(slack, "why slow?")
    slack.wait(lambda: slack.reactions("C1", event["ts"]) == ["white_check_mark"], "the answer")
    slack.push_acknowledged(deleted(slack, event))
    assert len(slack.answers("C1")) == 1


def test_when_too_many_wait_a_further_one_is_declined_politely(tmp_path: Path, slack: SlackStandIn) -> None:
    store = Store(open_engine(f"sqlite:///{tmp_path / 'x.db'}"))
    deps = Deps(store, None, BOT_USER, most=2)  # type: ignore[arg-type]
    found = [accepted(slack.say(f"C{n}", "U1", f"{ME} why {n}?"), deps) for n in range(3)]
    assert [one.kind for one in found if one is not None] == ["question", "question", "busy"]
    third = slack.messages["C2"][0]
    again = slack.event({**third, "channel": "C2"})
    assert accepted(again, deps) is None, "its twin says nothing more"
    assert [letter.ask.channel for letter in store.waiting()] == ["C0", "C1"]
    store.answered(store.waiting()[0].ask.key, "1.1")
    assert accepted(slack.say("C3", "U1", f"{ME} why 3?"), deps) is not None
    store.close()


def test_busy_is_said_to_the_person_alone(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Store, "crowded", lambda _store, _most: True)
    slack = room.slack
    event = ask(slack, "why?")
    slack.wait(lambda: bool(slack.kept.get("whispers")), "the polite no")
    assert [one["text"] for one in slack.kept["whispers"]] == [BUSY]
    assert not slack.answers("C1", event["ts"])
    assert slack.reactions("C1", event["ts"]) == []
