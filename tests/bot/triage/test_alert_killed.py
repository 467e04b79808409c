"""The process dies at every point of telling an alert; after the next start there is one message with one diagnosis."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from evals.slack_standin import Fault, SlackStandIn
from tests.bot.triage.bodies import alert, raw
from tests.bot.triage.conftest import CHANNEL, TOKEN, post

ROOT = Path(__file__).parents[3]


class Process:
    """One `serve` that can be killed."""

    def __init__(self, slack: SlackStandIn, home: Path, number: int) -> None:
        self.slack = slack
        port = home / f"port{number}"
        command = [sys.executable, str(ROOT / "tests/bot/triage/alert_process.py"), slack.api_url, str(home), str(port)]
        self.process = subprocess.Popen(command, env={**os.environ, "PYTHONPATH": str(ROOT)})
        deadline = time.monotonic() + 40
        while not port.exists():
            assert self.process.poll() is None, "serve ended"
            assert time.monotonic() < deadline, "serve never got ready"
            time.sleep(0.05)
        self.url = f"http://127.0.0.1:{port.read_text()}/alerts/alertmanager"

    def tell(self, *alerts: dict[str, Any]) -> int:
        return post(self.url, raw(*alerts), {"Authorization": f"Bearer {TOKEN}"})[0]

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(timeout=20)


@pytest.fixture
def spawn(slack: SlackStandIn, tmp_path: Path) -> Iterator[Callable[[], Process]]:
    started: list[Process] = []

    def begin() -> Process:
        started.append(Process(slack, tmp_path, len(started)))
        return started[-1]

    yield begin
    for one in started:
        one.process.kill()
        one.process.wait(timeout=20)


POINTS = [
    pytest.param("chat.postMessage", 0, False, id="before posting the message"),
    pytest.param("chat.postMessage", 0, True, id="message posted, not recorded"),
    pytest.param("chat.postMessage", 1, False, id="before posting the diagnosis"),
    pytest.param("chat.postMessage", 1, True, id="diagnosis posted, not recorded"),
]


@pytest.mark.parametrize(("method", "earlier", "after"), POINTS)
def test_killed_while_an_alert_is_told(
    slack: SlackStandIn, spawn: Callable[[], Process], method: str, earlier: int, after: bool
) -> None:
    for _ in range(earlier):
        slack.fail(method, Fault(after=True))
    held = slack.fail(method, Fault(hold=True, after=after))
    now = time.time()
    first = spawn()
    assert first.tell(alert(at=now)) == 200
    assert held.arrived.wait(30), f"{method} was never called"
    first.kill()
    held.release.set()
    second = spawn()
    # Alertmanager tells it again, as it does.
    assert second.tell(alert(at=now)) == 200
    slack.wait(lambda: len(slack.answers(CHANNEL)) == 2, "the message and its diagnosis")
    ended = alert(at=now, state="resolved", ended=now + 30)
    # Told again, it need not wait for the next look at what is due.
    deadline = time.monotonic() + 30
    while not any("Resolved after" in one["text"] for one in roots(slack)):
        assert time.monotonic() < deadline, "the end was never told"
        assert second.tell(ended) == 200
        time.sleep(0.2)
    slack.wait(lambda: len(slack.answers(CHANNEL)) == 3, "the end in the thread")
    [root] = roots(slack)
    below = slack.answers(CHANNEL, root["ts"])
    assert ["KV cache" in one["text"] for one in below] == [True, False]


def test_killed_in_the_middle_of_a_storm(slack: SlackStandIn, spawn: Callable[[], Process], tmp_path: Path) -> None:
    first = spawn()
    now = time.time()
    for number in range(20):
        content = raw(alert(f"R{number}", at=now), group=f"g{number}")
        assert post(first.url, content, {"Authorization": f"Bearer {TOKEN}"})[0] == 200
        if number == 10:
            first.kill()
            first = spawn()
    slack.wait(lambda: len(roots(slack)) == 6, "five alerts and a storm")
    with contextlib.closing(sqlite3.connect(tmp_path / "rackside.db")) as database:
        [(told,)] = database.execute("SELECT count(*) FROM alert_group WHERE storm <> ''").fetchall()
        [(storms,)] = database.execute("SELECT count(*) FROM alert_storm").fetchall()
    assert (told, storms) == (15, 1)
    assert len(roots(slack)) == 6


def roots(slack: SlackStandIn) -> list[dict[str, Any]]:
    return [one for one in slack.answers(CHANNEL) if not one.get("thread_ts")]
