"""Rackside with alerts on, in Socket Mode on our stand-in, and whoever posts to its webhooks."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.advisor.question import Answer, Question, Scope
from bot.settings import Settings
from bot.slack_app import serve
from evals.slack_standin import SlackStandIn
from tests.bot.conftest import settings as slack_settings

TOKEN = "s3cret-token"
CHANNEL = "C0ALERTS"


class Yard:
    """`serve` in a thread, with a webhook. `asked` are the questions that its advisor got."""

    def __init__(self, slack: SlackStandIn, home: Path, token: str = TOKEN, **alerts: Any) -> None:
        """Start it and wait until it listens."""
        self.slack = slack
        self.home = home
        self.heard_at: set[float] = set()
        self.asked: list[Question] = []
        self.answer: Callable[[Question], Answer] = lambda question: Answer(
            question.text, "live", Scope(None, "chat", None), "The KV cache is full."
        )
        full = Settings(home=home, alerts={"channel": CHANNEL, **alerts}, alerts_token=token or None)
        self._stop, ready = threading.Event(), threading.Event()
        self.port = 0

        def got(port: int | None) -> None:
            self.port = port or 0
            ready.set()

        chosen = slack_settings(slack, home, port=0)
        self._thread = threading.Thread(
            target=serve, args=(chosen, self._answer), kwargs={"full": full, "stop": self._stop, "ready": got}
        )
        self._thread.start()
        assert ready.wait(30), "serve did not start"

    def _answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        progress("reads the metrics")
        self.asked.append(question)
        return self.answer(question)

    def post(self, raw: bytes, source: str = "alertmanager", **headers: str) -> tuple[int, dict[str, Any]]:
        """POST a body; with the token unless headers say otherwise."""
        return post(
            f"http://127.0.0.1:{self.port}/alerts/{source}", raw, headers or {"Authorization": f"Bearer {TOKEN}"}
        )

    def finished(self, count: int) -> None:
        """Wait until this many pieces of work are done, to the last record."""
        deadline = time.monotonic() + 30
        with contextlib.closing(sqlite3.connect(self.home / "rackside.db.work")) as database:
            while True:
                query = "SELECT count(*) FROM workflow_status WHERE status = 'SUCCESS' AND name = 'answer_event'"
                if database.execute(query).fetchone()[0] >= count:
                    return
                assert time.monotonic() < deadline, f"{count} pieces of work were never done"
                time.sleep(0.05)

    def roots(self) -> list[dict[str, Any]]:
        """Our messages in the channel that are no replies."""
        return [one for one in self.slack.answers(CHANNEL) if not one.get("thread_ts")]

    def stop(self) -> None:
        """Stop and wait for the end."""
        self._stop.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "serve did not stop"


def post(url: str, raw: bytes, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """POST; the status and the JSON that came back."""
    request = urllib.request.Request(url, raw, {"content-type": "application/json", **headers})
    try:
        with urllib.request.urlopen(request, timeout=30) as response:
            return response.status, json.load(response)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


@pytest.fixture
def yard_with(slack: SlackStandIn, tmp_path: Path) -> Iterator[Callable[..., Yard]]:
    """Start a yard with settings of the test's own."""
    started: list[Yard] = []

    def begin(**alerts: Any) -> Yard:
        started.append(Yard(slack, tmp_path, **alerts))
        return started[-1]

    yield begin
    for one in started:
        one.stop()


@pytest.fixture
def yard(yard_with: Callable[..., Yard]) -> Yard:
    """A yard as most have it."""
    return yard_with()
