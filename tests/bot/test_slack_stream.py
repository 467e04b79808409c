"""Work in sight: streams with task cards, the fallback, the hand-over, Stop, and death at every point of it."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot import slack_stream
from bot.advisor.question import Answer, Question
from evals import slack_people
from evals.slack_standin import BOT_USER, Fault, SlackStandIn
from tests.bot.conftest import Room, Start, echo
from tests.bot.test_slack_killed import Spawn, kill

ME = f"<@{BOT_USER}>"
ROOT = Path(__file__).parents[2]


@pytest.fixture
def streaming(room: Room) -> Iterator[Room]:
    room.slack.streams = True
    yield room
    room.slack.streams = False


def ask(slack: SlackStandIn, text: str, channel: str = "C1") -> str:
    body = slack.say(channel, "U1", f"{ME} {text}")
    slack.push_acknowledged(body)
    return str(body["event"]["ts"])


def done(slack: SlackStandIn, ts: str, mark: str = "white_check_mark", channel: str = "C1") -> None:
    slack.wait(lambda: slack.reactions(channel, ts) == [mark], f"{mark} on {ts}")


def buttons(message: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for block in message.get("blocks", ()) if block["type"] == "actions" for one in block["elements"]]


class Held:
    """An answer that waits between its two steps, and after them where somebody has to see the second."""

    def __init__(self, *, seen: bool = True) -> None:
        self.first, self.go, self.seen = threading.Event(), threading.Event(), threading.Event()
        if seen:
            self.seen.set()

    def __call__(self, question: Question, progress: Callable[[str], None]) -> Answer:
        progress("Reading metrics")
        self.first.set()
        assert self.go.wait(30)
        progress("Checking every failure mode")
        assert self.seen.wait(30)
        return echo(question, lambda _title: None)


def test_steps_are_streamed_and_the_same_message_becomes_the_answer(streaming: Room) -> None:
    slack = streaming.slack
    streaming.answer = held = Held(seen=False)
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the stream")
    (shown,) = slack.answers("C1", ts)
    plan = shown["blocks"][0]
    assert plan["title"] == slack_stream.TITLE
    assert [(task["title"], task["status"]) for task in plan["tasks"]] == [("Reading metrics", "in_progress")]
    held.go.set()
    slack.wait(lambda: slack.count("chat.appendStream") == 1, "the second step")
    held.seen.set()
    done(slack, ts)
    (answer,) = slack.answers("C1", ts)
    assert answer["ts"] == shown["ts"]
    assert answer["text"] == "You asked: why?"
    assert "plan" not in {block["type"] for block in answer["blocks"]}
    assert not buttons(answer), "nothing is left to be stopped"
    assert slack.count("chat.postMessage") == 0
    appended = next(args for name, args in slack.calls if name == "chat.appendStream")
    assert '"complete"' in str(appended["chunks"]).replace("'", '"')
    assert [name for name, _ in slack.calls if "tream" in name][-1] == "chat.stopStream"


def test_stop_stops(streaming: Room) -> None:
    slack = streaming.slack
    streaming.answer = held = Held()
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the stream")
    (shown,) = slack.answers("C1", ts)
    (stop,) = buttons(shown)
    click = slack_people.click(slack, shown, stop, user="U2")
    slack.push_acknowledged(click, kind="interactive")
    done(slack, ts, "warning")
    (answer,) = slack.answers("C1", ts)
    assert answer["text"].startswith("Stopped by <@U2>.")
    slack.push_acknowledged(click, kind="interactive")
    slack.wait(lambda: bool(slack.kept.get("whispers")), "the reply to a late press")
    held.go.set()
    assert len(slack.answers("C1", ts)) == 1


def test_stopped_in_slack_itself(streaming: Room) -> None:
    slack = streaming.slack
    streaming.answer = held = Held()
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the stream")
    with slack.changed:
        slack.answers("C1", ts)[0]["streaming_state"] = "stopped_by_user"
    again = threading.Event()

    def answer(question: Question, progress: Callable[[str], None]) -> Answer:
        again.set()
        return echo(question, progress)

    streaming.answer = answer
    held.go.set()
    slack.wait(lambda: len(slack.reactions("C1", ts)) == 1 and slack.reactions("C1", ts) != ["eyes"], "an end")
    assert len(slack.answers("C1", ts)) == 1


@pytest.mark.parametrize("error", ["message_not_in_streaming_state", "internal_error"])
def test_a_stream_that_breaks_costs_no_answer(streaming: Room, error: str) -> None:
    slack = streaming.slack
    slack.fail("chat.appendStream", Fault(error=error, times=9))
    slack.fail("chat.stopStream", Fault(error="message_not_in_streaming_state"))
    streaming.answer = held = Held()
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the stream")
    with slack.changed:
        slack.answers("C1", ts)[0]["streaming_state"] = "completed"
    held.go.set()
    done(slack, ts)
    assert [one["text"] for one in slack.answers("C1", ts)] == ["You asked: why?"]


def test_a_begin_that_worked_but_looked_failed_is_found_again(streaming: Room) -> None:
    slack = streaming.slack
    slack.fail("chat.startStream", Fault(status=500, error="internal_error", after=True))
    streaming.answer = held = Held()
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the stream")
    held.go.set()
    done(slack, ts)
    assert [one["text"] for one in slack.answers("C1", ts)] == ["You asked: why?"]


def test_before_its_life_ends_a_stream_is_handed_over(streaming: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slack_stream, "STREAM_LIFE", 0.0)
    slack = streaming.slack
    streaming.answer = held = Held()
    ts = ask(slack, "why?")
    slack.wait(lambda: slack.count("chat.update") == 1, "the hand-over")
    (shown,) = slack.answers("C1", ts)
    assert shown["streaming_state"] == "completed"
    assert "Reading metrics" in str(shown["blocks"])
    assert buttons(shown), "it can still be stopped"
    held.go.set()
    done(slack, ts)
    assert [one["text"] for one in slack.answers("C1", ts)] == ["You asked: why?"]


def test_without_streams_long_work_is_posted_and_updated(slack: SlackStandIn, settings_for: Any, start: Start, monkeypatch: pytest.MonkeyPatch) -> None:  # fmt: skip
    monkeypatch.setattr(slack_stream, "SHOW_AFTER", 0.0)
    held = Held()
    start(settings_for(slack), held)
    ts = ask(slack, "why?")
    slack.wait(lambda: bool(slack.answers("C1", ts)), "the working message")
    (shown,) = slack.answers("C1", ts)
    assert "Reading metrics" in str(shown["blocks"])
    assert buttons(shown)
    held.go.set()
    done(slack, ts)
    (answer,) = slack.answers("C1", ts)
    assert (answer["ts"], answer["text"]) == (shown["ts"], "You asked: why?")
    assert slack.count("chat.postMessage") == 1


POINTS = [
    pytest.param("chat.startStream", False, id="before the stream"),
    pytest.param("chat.startStream", True, id="begun, not recorded"),
    pytest.param("chat.stopStream", False, id="composed, still streaming"),
    pytest.param("chat.stopStream", True, id="stopped, not the answer yet"),
    pytest.param("chat.update", False, id="before the answer"),
    pytest.param("chat.update", True, id="answered, not recorded"),
]


@pytest.fixture
def spawn(slack: SlackStandIn, tmp_path: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(*more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests/bot/slack_process.py"), slack.api_url, str(tmp_path), *more]
        started.append(subprocess.Popen(command, env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=20)


@pytest.mark.parametrize(("method", "after"), POINTS)
def test_killed_in_the_middle_of_it(slack: SlackStandIn, spawn: Spawn, method: str, after: bool) -> None:
    slack.streams = True
    held = slack.fail(method, Fault(hold=True, after=after))
    first = spawn()
    body = slack.say("C1", "U1", f"{ME} why?")
    ts = str(body["event"]["ts"])
    slack.push_acknowledged(body)
    assert held.arrived.wait(30), f"{method} was never called"
    kill(first, slack)
    held.release.set()
    spawn()
    done(slack, ts)
    later = ask(slack, "and now?")
    done(slack, later)
    assert [answer["text"] for answer in slack.answers("C1", ts)] == ["You asked: why?"]
    assert all(one.get("streaming_state") != "in_progress" for one in slack.answers("C1"))
