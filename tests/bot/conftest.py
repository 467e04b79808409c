"""Rackside's Slack edge, served in this process or in one that can be killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bot.advisor.question import Answer, Question, Scope
from bot.desk import Answerer
from bot.settings import Settings
from bot.slack_app import SlackSettings, serve
from evals.slack_standin import APP_TOKEN, BOT_TOKEN, SlackStandIn

Start = Callable[..., "Serving"]


def echo(question: Question, progress: Callable[[str], None]) -> Answer:
    """Answer with the question, so that a test sees what arrived."""
    progress("reads the metrics")
    return Answer(question.text, "live", Scope(workload="llama"), f"You asked: {question.text}")


class Serving:
    """`serve` in a thread; stopped at the end of the test."""

    def __init__(self, settings: SlackSettings, answer: Callable[..., Answer], full: Settings | None = None) -> None:
        """Start and wait until events can arrive, or until it gave up."""
        self.stop_now = threading.Event()
        self.port: int | None = None
        self.status: int | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=self._run, args=(settings, answer, full))
        self._thread.start()
        assert self._ready.wait(30), "serve neither got ready nor gave up"

    def _run(self, settings: SlackSettings, answer: Callable[..., Answer], full: Settings | None) -> None:
        try:
            self.status = serve(settings, answer, full=full, stop=self.stop_now, ready=self._got_ready)
        finally:
            self._ready.set()

    def _got_ready(self, port: int | None) -> None:
        self.port = port
        self._ready.set()

    @property
    def url(self) -> str:
        """Where Slack delivers in HTTP mode."""
        return f"http://127.0.0.1:{self.port}/slack/events"

    def stop(self) -> None:
        """Stop and wait for the end."""
        self.stop_now.set()
        self._thread.join(30)
        assert not self._thread.is_alive(), "serve did not stop"


@pytest.fixture
def start() -> Iterator[Start]:
    """Start `serve`; stopped when the test ends."""
    started: list[Serving] = []

    def begin(settings: SlackSettings, answer: Callable[..., Answer] = echo, full: Settings | None = None) -> Serving:
        started.append(Serving(settings, answer, full))
        return started[-1]

    yield begin
    for serving in started:
        serving.stop()


@pytest.fixture
def slack() -> Iterator[SlackStandIn]:
    """Our own stand-in for Slack."""
    with SlackStandIn() as stand_in:
        yield stand_in


class Room:
    """One Rackside in Socket Mode for many tests; `answer` is what it answers with."""

    def __init__(self, slack: SlackStandIn, home: Path) -> None:
        """Start it."""
        self.slack = slack
        self.answer: Answerer = echo
        self.serving = Serving(settings(slack, home), self._answer)

    def _answer(self, question: Question, progress: Callable[[str], None]) -> Answer:
        return self.answer(question, progress)


@pytest.fixture(scope="module")
def _shared_room(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Room]:
    with SlackStandIn() as slack:
        room = Room(slack, tmp_path_factory.mktemp("home"))
        yield room
        room.serving.stop()


@pytest.fixture
def room(_shared_room: Room) -> Room:
    """The shared Rackside, with nothing said yet."""
    _shared_room.answer = echo
    _shared_room.slack.reset()
    return _shared_room


def settings(slack: SlackStandIn, home: Path, **other: object) -> SlackSettings:
    """Settings for the stand-in, in Socket Mode unless told otherwise."""
    chosen: dict[str, object] = {
        "bot_token": BOT_TOKEN, "app_token": APP_TOKEN, "signing_secret": None, "home": home,
        "api_url": slack.api_url, "host": "127.0.0.1", "port": None, "first_wait": 0.05,
    }  # fmt: skip
    return SlackSettings(**(chosen | other))  # type: ignore[arg-type]


@pytest.fixture
def settings_for(tmp_path: Path) -> Callable[..., SlackSettings]:
    """Settings with a home of the test's own."""
    return lambda slack, **other: settings(slack, tmp_path, **other)
