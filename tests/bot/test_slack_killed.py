"""The process dies at every point of the way; after the next start the thread holds exactly one answer.

On our own stand-in, with real processes and SIGKILL. The stand-in holds one call, so the moment of death is exact.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.answering import DECLINED
from bot.blocks import plain
from bot.slack_stream import TITLE
from bot.store import durable
from evals.slack_standin import BOT_USER, Fault, SlackStandIn
from tests.bot.conftest import Start

ROOT = Path(__file__).parents[2]
ME = f"<@{BOT_USER}>"
Spawn = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def spawn(slack: SlackStandIn, tmp_path: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(*more: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests/bot/slack_process.py"), slack.api_url, str(tmp_path), *more]
        started.append(subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)}))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=20)


def kill(process: subprocess.Popen[bytes], slack: SlackStandIn) -> None:
    process.send_signal(signal.SIGKILL)
    process.wait(timeout=20)
    slack.wait(lambda: not slack.connected, "the end of the killed process's connection")


POINTS = [
    pytest.param("reactions.add", 0, False, id="acknowledged, not queued yet"),
    pytest.param("assistant.threads.setStatus", 0, False, id="composing"),
    pytest.param("chat.postMessage", 0, False, id="before posting"),
    pytest.param("chat.postMessage", 0, True, id="posted, not recorded"),
    pytest.param("reactions.add", 1, False, id="recorded, before the check mark"),
    pytest.param("reactions.remove", 0, True, id="all done but the last record"),
]


@pytest.mark.parametrize(("method", "earlier", "after"), POINTS)
def test_killed_and_started_again(slack: SlackStandIn, spawn: Spawn, method: str, earlier: int, after: bool) -> None:
    for _ in range(earlier):
        slack.fail(method, Fault(after=True))
    held = slack.fail(method, Fault(hold=True, after=after))
    first = spawn()
    body = slack.say("C1", "U1", f"{ME} why?")
    ts = body["event"]["ts"]
    slack.push_acknowledged(body)
    assert held.arrived.wait(30), f"{method} was never called"
    kill(first, slack)
    held.release.set()
    spawn()
    # Slack may tell it again, too: the retry must change nothing.
    slack.push_acknowledged(body, retry=1)
    slack.wait(lambda: slack.reactions("C1", ts) == ["white_check_mark"], "the check mark")
    # A second question that is answered shows that nothing is left to come for the first.
    later = slack.say("C1", "U1", f"{ME} and now?")
    slack.push_acknowledged(later)
    slack.wait(lambda: slack.reactions("C1", later["event"]["ts"]) == ["white_check_mark"], "the second answer")
    assert [answer["text"] for answer in slack.answers("C1", ts)] == ["You asked: why?"]


def test_several_questions_in_flight_survive(slack: SlackStandIn, spawn: Spawn) -> None:
    held = slack.fail("chat.postMessage", Fault(hold=True, after=True, times=4))
    first = spawn()
    asked = []
    for n in range(12):
        body = slack.say(f"C{n}", "U1", f"{ME} question {n}?")
        slack.push_acknowledged(body)
        asked.append((f"C{n}", body["event"]["ts"]))
    assert held.arrived.wait(30)
    kill(first, slack)
    held.release.set()
    spawn()
    for channel, ts in asked:
        slack.wait(lambda where=(channel, ts): slack.reactions(*where) == ["white_check_mark"], f"{channel} answered")  # type: ignore[misc]
        assert len(slack.answers(channel, ts)) == 1, channel


def test_a_stop_signal_leaves_long_work_for_the_next_start(slack: SlackStandIn, spawn: Spawn) -> None:
    first = spawn("3600")
    body = slack.say("C1", "U1", f"{ME} why?")
    slack.push_acknowledged(body)
    slack.wait(lambda: slack.count("assistant.threads.setStatus") >= 1, "the question being worked on")
    first.send_signal(signal.SIGTERM)
    assert first.wait(timeout=30) == 0
    # On a slow machine the work may have been shown meanwhile: that is no answer, and the answer takes its place.
    assert {message["text"] for message in slack.answers("C1")} <= {TITLE}
    spawn()
    slack.wait(lambda: slack.reactions("C1", body["event"]["ts"]) == ["white_check_mark"], "the answer")
    assert [message["text"] for message in slack.answers("C1")] == ["You asked: why?"]


@pytest.mark.parametrize(("patience", "expected"), [(900.0, "You asked: why?"), (-1.0, plain(DECLINED).text)])
def test_work_of_an_older_version_is_begun_again_or_declined(
    slack: SlackStandIn,
    tmp_path: Path,
    settings_for: Any,
    start: Start,
    monkeypatch: pytest.MonkeyPatch,
    patience: float,
    expected: str,
) -> None:
    monkeypatch.setattr(durable, "VERSION", "0")
    older = start(settings_for(slack))
    slack.fail("chat.postMessage", Fault(status=503, error="service_unavailable", times=10_000))
    body = slack.say("C1", "U1", f"{ME} why?")
    slack.push_acknowledged(body)
    slack.wait(lambda: slack.count("chat.postMessage") >= 2, "tries to deliver")
    older.stop()
    slack.heal()
    monkeypatch.setattr(durable, "VERSION", "1")
    monkeypatch.setattr(durable, "_RERUN_WITHIN", patience)
    start(settings_for(slack))
    slack.wait(lambda: len(slack.answers("C1")) == 1, "the answer")
    assert slack.answers("C1")[0]["text"] == expected
    with contextlib.closing(sqlite3.connect(tmp_path / "rackside.db.work")) as database:
        left = database.execute("SELECT status FROM workflow_status WHERE workflow_uuid LIKE '0:%'").fetchall()
    assert left == [("CANCELLED",)], "the older version's work must not come back with a rollback"
