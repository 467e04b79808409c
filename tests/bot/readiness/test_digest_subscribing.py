"""Subscribing on the command line, editing on the due day, and what is said when a place or a channel is gone."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa
from typer.testing import CliRunner

import bot.cli.digest
import bot.store.database
from bot.answering import Answering
from bot.audit_run import NoSuchWorkload
from bot.blocks import plain
from bot.cli import app
from bot.desk import Bench, composed
from bot.desks.digest import open_desk
from bot.digest import make
from bot.digest.schedule import due, key_of, last_due
from bot.settings import Settings
from bot.slack_thread import SlackThread
from bot.store.database import open_engine
from bot.store.readiness import DAY_S, Place
from bot.store.records import Ask, Store
from bot.store.subscriptions import Subscription, Subscriptions
from evals.slack_standin import BOT_TOKEN, Fault, SlackStandIn
from tests.bot.conftest import echo

MONDAY = datetime(2026, 11, 16, tzinfo=UTC).timestamp()
HOUR = 3600.0


@pytest.fixture
def at(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[float, str], str]:
    """Run a command at a moment of Monday 16 November 2026, given in hours UTC."""
    monkeypatch.setattr(Subscriptions.__init__, "__defaults__", (lambda: time.time(),))  # noqa: PLW0108 - the patched one
    monkeypatch.setenv("RACKSIDE_HOME", str(tmp_path))
    monkeypatch.setenv("RACKSIDE_DATABASE_URL", f"sqlite:///{tmp_path / 'x.db'}")

    def run(hours: float, line: str) -> str:
        monkeypatch.setattr(time, "time", lambda: MONDAY + hours * HOUR)
        done = CliRunner().invoke(app, line.split())
        assert done.exit_code == 0, done.output
        return done.stdout

    return run


def posted(engine: sa.Engine, hours: float) -> list[str]:
    """What the chore hands in at a moment and nobody has taken yet; it is taken."""
    store = Store(engine, lambda: MONDAY + hours * HOUR)
    asks = [
        Ask("", "C0123456789", "", "", "", "", "digest", payload, key)
        for key, payload in due(Subscriptions(engine).all(), MONDAY + hours * HOUR)
    ]
    return [ask.key for ask in asks if store.accept(ask)]


def test_edited_on_its_day_it_comes_once_a_week_and_says_when(at: Callable[[float, str], str], tmp_path: Path) -> None:
    line = "digest subscribe C0123456789 --day monday --zone UTC --time"
    assert "the next one comes on Monday 16 Nov 2026 09:00 (UTC)" in at(-48, f"{line} 09:00")
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    assert "Monday 16 Nov 2026 10:00" in at(8.5, f"{line} 10:00"), "later on the same day"
    assert posted(engine, 9.5) == []
    assert "Monday 23 Nov 2026 09:00" in at(9.5, f"{line} 09:00"), (
        "a time of today that is past counts from next week on"
    )
    assert posted(engine, 10.5) == []
    at(10.6, f"{line} 11:00")
    assert len(posted(engine, 11)) == 1
    assert "Monday 23 Nov 2026 12:00" in at(11.5, f"{line} 12:00"), "this week has had its digest"
    assert posted(engine, 12.5) == []
    assert "Friday 27 Nov 2026 09:00" in at(12.6, "digest subscribe C0123456789 --day friday --zone UTC --time 09:00")
    assert posted(engine, 4 * 24 + 10) == [], "nor a second one on another day of it"
    assert len(posted(engine, 11 * 24 + 10)) == 1
    engine.dispose()


def test_unmuted_nothing_that_fell_due_meanwhile_is_made_up_for(
    at: Callable[[float, str], str], tmp_path: Path
) -> None:
    name = at(-48, "digest subscribe C0123456789 --zone UTC").split(":")[0]
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    store = Subscriptions(engine, lambda: MONDAY + 50 * HOUR)
    assert store.mute(name)
    assert due(store.all(), MONDAY + 50 * HOUR) == []
    assert store.mute(name, muted=False)
    assert due(store.all(), MONDAY + 51 * HOUR) == [], "late, and for a reason that is not so"
    assert len(due(store.all(), MONDAY + 7 * DAY_S + 9 * HOUR)) == 1
    engine.dispose()


@pytest.mark.parametrize(
    ("state", "said"),
    [
        ("answered", "last 2026-W47 posted"),
        ("waiting", "last 2026-W47 being made, or Slack is not reached"),
        ("undeliverable", "last 2026-W47 not posted: Slack refuses the channel (archived, or Rackside is not in it)"),
    ],
)
def test_the_list_says_what_became_of_the_last(
    at: Callable[[float, str], str], tmp_path: Path, state: str, said: str
) -> None:
    name = at(-48, "digest subscribe C0123456789 --zone UTC").split(":")[0]
    assert "last" not in at(-48, "digest subscriptions")
    engine = open_engine(f"sqlite:///{tmp_path / 'x.db'}")
    (key,) = posted(engine, 9.1)
    if state == "answered":
        Store(engine).answered(key, "1.0")
    elif state == "undeliverable":
        Store(engine).undeliverable(key)
    told = at(9.5, "digest subscriptions")
    assert said in told
    assert "next Monday 23 Nov 2026 09:00 (UTC)" in told
    (row,) = json.loads(at(9.5, "digest subscriptions --json"))
    assert (row["id"], f"last {row['last']}") == (name, said)
    assert set(bot.cli.digest._BECAME) == {"answered", "waiting", "undeliverable"}
    engine.dispose()


def test_an_archived_channel_is_given_up_and_keeps_nobody_else_waiting(slack: SlackStandIn, engine: sa.Engine) -> None:
    store = Store(engine)
    ask = Ask("T1", "C1", "", "", "", "", "digest", {}, "digest:s1:2026-W47")
    assert store.accept(ask)
    slack.fail("chat.postMessage", Fault(error="is_archived"))
    thread = SlackThread(BOT_TOKEN, f"{slack.api_url}/", threading.Event(), first_wait=0.01)
    assert not Answering(store, thread, {}).deliver(ask.key, composed(plain("the digest")))
    letter = store.letter(ask.key)
    assert letter is not None
    assert letter.state == "undeliverable"
    assert slack.count("chat.postMessage") == 1


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (Place("default", "gone"), "Nothing runs in default/gone any more that could be audited"),
        (Place("nowhere"), "could not be made: there is no cluster 'nowhere' in the settings"),
    ],
)
def test_a_place_that_is_gone_is_said_with_the_way_to_end_it(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: Place, said: str
) -> None:
    one: Subscription = Subscriptions(engine).subscribe("C1", place, 0, 540, "UTC")

    def gone(*_: object, **__: object) -> None:
        raise NoSuchWorkload("no such workload is known")

    if place.namespace:
        monkeypatch.setattr(make, "judged", gone)
    bench = Bench(echo, Store(engine), tmp_path, "T1", Settings(home=tmp_path))
    payload = {"subscription": one.id, "due": last_due(one, time.time()).at}
    told = open_desk(bench)(Ask("T1", "C1", "", "", "", "", "digest", payload, key_of(one, "2026-W47")), lambda _: None)
    assert said in told["text"]
    assert f"`rackside digest unsubscribe {one.id}`" in told["blocks"][0]["text"]["text"]
    assert not told["good"]


def test_a_locked_database_is_a_sentence_and_nothing_is_changed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"sqlite:///{tmp_path / 'x.db'}"
    monkeypatch.setenv("RACKSIDE_HOME", str(tmp_path))
    monkeypatch.setenv("RACKSIDE_DATABASE_URL", url)
    held = open_engine(url)
    # As long as the product waits, a test does not.
    monkeypatch.setattr(bot.store.database, "BUSY_S", 0.05)
    with held.connect() as connection:
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        done = CliRunner().invoke(app, ["digest", "subscribe", "C0123456789"])
        assert done.exit_code == 2
        assert "rackside: the database is locked: another process has been writing to it" in done.stderr
        assert not isinstance(done.exception, sa.exc.SQLAlchemyError)
        listed = CliRunner().invoke(app, ["digest", "subscriptions"])
        assert (listed.exit_code, listed.stdout) == (0, ""), "whoever only reads need not wait"
    assert Subscriptions(held).all() == []
    held.dispose()
