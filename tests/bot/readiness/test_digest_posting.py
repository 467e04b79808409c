"""One digest a week in the channel: killed before and after posting, two replicas racing, slept over; and its buttons."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from bot.audit_history import to_keep
from bot.chores.digest import open_chore
from bot.desk import Bench
from bot.desks.digest import open_desk
from bot.digest.schedule import DAYS, last_due
from bot.listeners.digest import pressed, report_ask
from bot.settings import Settings
from bot.slack_app import do
from bot.slack_files import Attachments
from bot.store.answers import Answers
from bot.store.database import database_url, open_engine
from bot.store.readiness import DAY_S, Place, Readiness
from bot.store.records import Ask, Store
from bot.store.subscriptions import Subscription, Subscriptions
from evals.slack_people import click
from evals.slack_standin import BOT_TOKEN, Fault, SlackStandIn
from tests.bot.conftest import echo
from tests.bot.readiness.worlds_of_items import judged, report

ROOT = Path(__file__).parents[3]
Spawn = Callable[..., "subprocess.Popen[bytes]"]


def subscribe(engine: sa.Engine, ago_s: float = 3600.0) -> Subscription:
    """Subscribe channel C1, so that a digest fell due so long ago."""
    then = time.gmtime(time.time() - ago_s)
    subscriptions = Subscriptions(engine, lambda: time.time() - 30 * DAY_S)
    return subscriptions.subscribe("C1", Place(), then.tm_wday, then.tm_hour * 60 + then.tm_min, "UTC")


def bench(engine: sa.Engine, home: Path, clock: Callable[[], float] = time.time) -> Bench:
    return Bench(echo, Store(engine), home, "T1", Settings(home=home), clock)


@pytest.fixture
def spawn(slack: SlackStandIn, tmp_path: Path) -> Iterator[Spawn]:
    started: list[subprocess.Popen[bytes]] = []

    def begin(**env: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, str(ROOT / "tests/bot/readiness/digest_process.py"), slack.api_url, str(tmp_path)]
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RACKSIDE_")}
        env = {**clean, "PYTHONPATH": str(ROOT), "KUBECONFIG": str(tmp_path / "none"), **env}
        started.append(subprocess.Popen(command, env=env))
        return started[-1]

    yield begin
    for process in started:
        process.kill()
        process.wait(timeout=20)


def patiently(slack: SlackStandIn, condition: Callable[[], bool], what: str) -> None:
    """Wait for what follows a start of `serve` and a whole audit: on a busy machine longer than the stand-in has patience."""
    for _ in range(3):
        with contextlib.suppress(AssertionError):
            slack.wait(condition, what)
            return
    slack.wait(condition, what)


def roots(slack: SlackStandIn) -> list[dict[str, Any]]:
    """Rackside's own messages of the channel that are in no thread."""
    return [one for one in slack.answers("C1") if not one.get("thread_ts")]


def pictures(slack: SlackStandIn) -> list[str]:
    """The names of the pictures in the channel's threads."""
    shared = [file["name"] for one in slack.answers("C1") for file in one.get("files") or ()]
    return [name for name in shared if name.startswith("digest-")]


@pytest.mark.parametrize("after", [False, True], ids=["before posting", "posted, not recorded"])
def test_killed_around_posting_there_is_one_digest_with_one_picture(
    slack: SlackStandIn, spawn: Spawn, tmp_path: Path, after: bool
) -> None:
    engine = open_engine(database_url(None, tmp_path))
    one = subscribe(engine)
    last = to_keep(report(judged("pass"), at=time.time() - 7 * DAY_S), f"digest:{one.id}:last-week")
    assert Readiness(engine).keep(last)
    held = slack.fail("chat.postMessage", Fault(hold=True, after=after))
    first = spawn()
    assert held.arrived.wait(60), "nothing was ever posted"
    first.send_signal(signal.SIGKILL)
    first.wait(timeout=20)
    held.release.set()
    spawn()
    key = f"digest:{one.id}:{last_due(one, time.time()).period}"
    store = Store(engine)
    patiently(
        slack, lambda: (letter := store.letter(key)) is not None and letter.state == "answered", "the digest recorded"
    )
    assert len(roots(slack)) == 1
    assert "Nothing could be seen" in roots(slack)[0]["text"]
    patiently(slack, lambda: bool(pictures(slack)), "the picture")
    # A step that runs again finds the picture.
    letter = store.letter(key)
    assert letter is not None
    Attachments(BOT_TOKEN, f"{slack.api_url}/", Answers(engine)).share(letter)
    assert pictures(slack) == [f"digest-{letter.effect}.png"]
    assert len(Readiness(engine).runs(Place())) == 2, "the audit is taken once"
    engine.dispose()


def test_two_replicas_race_on_postgresql_and_post_one(slack: SlackStandIn, spawn: Spawn, fresh_database: str) -> None:
    engine = open_engine(database_url(fresh_database, Path()))
    one = subscribe(engine)
    for _ in range(2):
        spawn(RACKSIDE_DATABASE_URL=fresh_database)
    key = f"digest:{one.id}:{last_due(one, time.time()).period}"
    store = Store(engine)
    patiently(
        slack, lambda: (letter := store.letter(key)) is not None and letter.state == "answered", "the digest recorded"
    )
    patiently(slack, lambda: slack.count("auth.test") >= 2, "both replicas")
    # A second subscription that is served shows that nothing is left to come for the first.
    other = Subscriptions(engine, lambda: time.time() - 30 * DAY_S).subscribe(
        "C2", Place(), one.weekday, one.minute, "UTC"
    )
    second = f"digest:{other.id}:{last_due(one, time.time()).period}"
    patiently(
        slack, lambda: (letter := store.letter(second)) is not None and letter.state == "answered", "the second digest"
    )
    assert len(roots(slack)) == 1
    engine.dispose()


def test_many_at_once_begin_one(engine: sa.Engine, tmp_path: Path) -> None:
    one = subscribe(engine)
    began: list[str] = []
    ready = threading.Barrier(8)

    class Work:
        def begin(self, ask: Ask) -> None:
            began.append(ask.key)

    def run(_: int) -> None:
        chore = open_chore(bench(engine, tmp_path))
        ready.wait(20)
        for _ in range(3):
            do(chore, bench(engine, tmp_path), Work())  # type: ignore[arg-type]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(run, range(8)))
    assert began == [f"digest:{one.id}:{last_due(one, time.time()).period}"]


def test_slept_over_for_weeks_there_is_one_and_it_says_so(engine: sa.Engine, tmp_path: Path) -> None:
    subscribe(engine, ago_s=2 * DAY_S)
    here = bench(engine, tmp_path)
    asks = list(open_chore(here)(time.time()))
    assert len(asks) == 1
    told = open_desk(here)(asks[0], lambda _: None)
    assert "Late: this digest was due on" in str(told["blocks"])
    assert "48 hours ago" in str(told["blocks"])


def test_the_same_key_tells_the_same_again(engine: sa.Engine, tmp_path: Path) -> None:
    subscribe(engine)
    now = time.time()
    (ask,) = open_chore(bench(engine, tmp_path))(now)
    first = open_desk(bench(engine, tmp_path, lambda: now))(ask, lambda _: None)
    assert open_desk(bench(engine, tmp_path, lambda: now + 3600))(ask, lambda _: None) == first
    assert len(Readiness(engine).runs(Place())) == 1


def test_a_subscription_that_ended_meanwhile_and_one_by_hand(engine: sa.Engine, tmp_path: Path) -> None:
    here = bench(engine, tmp_path)
    told = open_desk(here)(
        Ask("T1", "C1", "", "", "", "", "digest", {"place": {"cluster": "default"}}, "digest:here:1"), lambda _: None
    )
    assert "Full report" in str(told["blocks"])
    assert "Mute" not in str(told["blocks"]), "there is no subscription to mute"


def test_buttons_report_once_snooze_and_mute(slack: SlackStandIn, spawn: Spawn, tmp_path: Path) -> None:
    engine = open_engine(database_url(None, tmp_path))
    one = subscribe(engine)
    spawn()
    patiently(slack, lambda: len(roots(slack)) == 1, "the digest")
    message = roots(slack)[0]
    report, snooze, mute = message["blocks"][-1]["elements"]
    for _ in range(2):
        slack.push_acknowledged(click(slack, message, report), kind="interactive")
    patiently(
        slack,
        lambda: any("Full report" in str(part.get("blocks")) for part in slack.answers("C1", message["ts"])),
        "it",
    )
    slack.push_acknowledged(click(slack, message, snooze), kind="interactive")
    patiently(slack, lambda: len(slack.kept.get("responses", [])) == 1, "an answer to the snooze")
    slack.push_acknowledged(click(slack, message, mute), kind="interactive")
    patiently(slack, lambda: len(slack.kept.get("responses", [])) == 2, "an answer to the mute")
    said = [answer["text"] for answer in slack.kept["responses"]]
    assert said[0].startswith("Silent until")
    assert said[1].startswith("Muted.")
    found = Subscriptions(engine).subscription(one.id)
    assert found is not None
    assert found.muted_at is not None
    assert found.snoozed_until is not None
    assert found.snoozed_until > time.time() + 6 * DAY_S
    reports = [part for part in slack.answers("C1", message["ts"]) if "*Full report of" in str(part.get("blocks"))]
    assert len(reports) == 1
    engine.dispose()


@pytest.mark.parametrize(
    "body",
    [{}, {"actions": []}, {"actions": [{"value": "no json"}]}, {"actions": [{"value": "[1]"}]}, {"actions": "x"}, {"actions": [{"value": '{"key": "k"}'}]}],
)  # fmt: skip
def test_broken_presses_ask_for_nothing(body: dict[str, Any]) -> None:
    assert report_ask(body) is None
    assert "subscription" not in pressed(body)


def test_subscriptions_are_kept_changed_and_ended(engine: sa.Engine) -> None:
    store = Subscriptions(engine)
    one = store.subscribe("C1", Place("prod", "chat"), 0, 540, "Europe/Berlin", "Kim\0")
    assert store.mute(one.id)
    again = store.subscribe("C1", Place("prod", "chat"), 4, 600, "UTC", "Lee")
    assert again.id == one.id, "one subscription a channel and place"
    assert (again.weekday, again.minute, again.zone, again.muted_at) == (4, 600, "UTC", None)
    other = store.subscribe("C2", Place("prod", "chat"), 0, 540, "UTC")
    assert {found.id for found in store.all()} == {one.id, other.id}
    assert store.unsubscribe(other.id)
    assert not store.unsubscribe(other.id)
    assert not store.snooze("nobody", 1.0)
    assert not store.mute("nobody")
    assert store.subscription("nobody") is None
    assert DAYS[again.weekday] == "friday"
