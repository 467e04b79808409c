"""Two Racksides share a real PostgreSQL: what both hear is answered once, and one finishes what the other left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from evals.slack_standin import BOT_USER, Fault, SlackStandIn
from tests.bot.readiness.conftest import postgresql

ROOT = Path(__file__).parents[2]
ME = f"<@{BOT_USER}>"
Spawn = Callable[[], "subprocess.Popen[bytes]"]


@pytest.fixture(scope="module")
def database() -> Iterator[str]:
    with postgresql() as url:
        yield f"{url}/postgres"


@pytest.fixture
def spawn(slack: SlackStandIn, database: str, tmp_path: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[bytes]] = []

    def begin() -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests/bot/slack_process.py"), slack.api_url, str(tmp_path)]
        env = {**os.environ, "PYTHONPATH": str(ROOT), "RACKSIDE_DATABASE_URL": database}
        started.append(subprocess.Popen(command, env=env))
        slack.wait(lambda: slack.connections == len(started), "the connection of the process")
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=20)


def test_what_two_replicas_hear_is_answered_once(slack: SlackStandIn, spawn: Spawn) -> None:
    spawn()
    spawn()
    asked = []
    for number in range(5):
        body = slack.say(f"C{number}", "U1", f"{ME} question {number}?")
        asked.append((f"C{number}", body["event"]["ts"]))
        sent = [slack.push(event, to=to) for to in (0, 1) for event in (body, slack.twin(body))]
        slack.wait(lambda sent=sent: set(sent) <= set(slack.acks), "all four acknowledged")  # type: ignore[misc]
    for channel, ts in asked:
        slack.wait(lambda where=(channel, ts): slack.reactions(*where) == ["white_check_mark"], f"{channel} answered")  # type: ignore[misc]
        assert len(slack.answers(channel, ts)) == 1, channel


@pytest.mark.parametrize("after", [False, True], ids=["before posting", "posted, not recorded"])
def test_the_other_replica_finishes_what_a_killed_one_left(slack: SlackStandIn, spawn: Spawn, after: bool) -> None:
    first = spawn()
    held = slack.fail("chat.postMessage", Fault(hold=True, after=after))
    body = slack.say("C9", "U1", f"{ME} why?")
    slack.push(body)
    assert held.arrived.wait(30), "never posted"
    spawn()
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=20)
    held.release.set()
    ts = body["event"]["ts"]
    slack.wait(lambda: slack.reactions("C9", ts) == ["white_check_mark"], "the answer of the one that lives")
    assert [answer["text"] for answer in slack.answers("C9", ts)] == ["You asked: why?"]
