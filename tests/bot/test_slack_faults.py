"""Faults of Slack and of clocks: a storm of 429s, a token that is taken back, a clock that is wrong. Nothing lost, nothing answered twice."""

from __future__ import annotations

import time
from dataclasses import replace
from threading import Event
from typing import Any

import pytest

from bot.blocks import plain
from bot.slack_thread import SlackThread
from bot.store.records import Ask
from evals.slack_standin import BOT_TOKEN, BOT_USER, Fault
from tests.bot.conftest import Room

ME = f"<@{BOT_USER}>"
DONE = ["white_check_mark"]


@pytest.mark.parametrize("streams", [True, False])
def test_a_storm_of_429s_loses_nothing_and_answers_nothing_twice(room: Room, streams: bool) -> None:
    slack = room.slack
    slack.streams = streams
    storm = Fault(status=429, error="ratelimited", retry_after=0, times=40)
    limited = (
        "chat.startStream",
        "chat.appendStream",
        "chat.stopStream",
        "chat.update",
        "chat.postMessage",
        "reactions.add",
    )
    try:
        for method in limited:
            slack.fail(method, replace(storm))
        asked = []
        for number in range(12):
            body = slack.say(f"C{number}", "U1", f"{ME} question {number}?")
            slack.push_acknowledged(body)
            asked.append((f"C{number}", str(body["event"]["ts"])))
        slack.wait(lambda: all(len(slack.answers(*one)) == 1 for one in asked), "twelve answers", 60.0)
        posted = [slack.answers(*one)[0]["text"] for one in asked]
        slack.wait(
            lambda: (
                [slack.answers(*one)[0]["text"] for one in asked] == [f"You asked: question {n}?" for n in range(12)]
            ),
            f"{posted}",
        )
        slack.heal()
        later = slack.say("C99", "U1", f"{ME} and now?")
        slack.push_acknowledged(later)
        slack.wait(lambda: len(slack.answers("C99")) == 1, "the answer after the storm")
        assert [len(slack.answers(*one)) for one in asked] == [1] * 12
    finally:
        slack.streams = False


def test_a_token_that_is_taken_back_is_waited_for_and_the_answer_comes_once(room: Room) -> None:
    slack = room.slack
    held = slack.fail("assistant.threads.setStatus", Fault(hold=True))
    body = slack.say("C1", "U1", f"{ME} why?")
    slack.push_acknowledged(body)
    assert held.arrived.wait(30)
    slack.revoke(BOT_TOKEN)
    held.release.set()
    before = slack.count("chat.postMessage")
    slack.wait(lambda: slack.count("chat.postMessage") >= before + 3, "tries with the dead token")
    assert not slack.answers("C1")
    with slack.changed:
        # Installed again with the same token, as Slack gives it to an app that was not removed.
        slack.tokens[BOT_TOKEN] = slack
        slack.revoked.discard(BOT_TOKEN)
    slack.wait(lambda: slack.reactions("C1", body["event"]["ts"])[-1:] == DONE, "the answer")
    assert len(slack.answers("C1")) == 1


@pytest.mark.parametrize("ahead", [-3000.0, 0.0, 3000.0])
def test_with_a_clock_that_is_far_off_what_was_posted_is_found_again(room: Room, ahead: float) -> None:
    """An answer of its own in a channel is looked for by time: an hour of difference makes no second one."""
    slack = room.slack
    thread = SlackThread(BOT_TOKEN, slack.api_url + "/", Event(), 0.01)
    ask = Ask("T1", "C1", "", "", "U1", "why?", name="command:1")
    slack.fail("chat.postMessage", Fault(status=500, error="internal_error", after=True))
    ts = thread.deliver(ask, "effect", plain("The answer."), look_first=False, since=time.time() + ahead)
    assert [one["ts"] for one in slack.answers("C1")] == [ts]


def test_events_out_of_order_and_twice_are_answered_once_each(room: Room) -> None:
    slack = room.slack
    bodies: list[dict[str, Any]] = [slack.say("C1", "U1", f"{ME} question {n}?") for n in range(4)]
    follow = slack.say("C1", "U1", "and since when?", str(bodies[0]["event"]["ts"]))
    for body in (*reversed(bodies), *bodies):
        slack.push_acknowledged(slack.twin(body))
        slack.push_acknowledged(body, retry=1)
    slack.wait(lambda: all(slack.reactions("C1", one["event"]["ts"]) == DONE for one in bodies), "four answers")
    slack.push_acknowledged(follow, retry=2)
    slack.wait(lambda: slack.reactions("C1", follow["event"]["ts"]) == DONE, "the follow-up")
    assert len(slack.answers("C1")) == 5
