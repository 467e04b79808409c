"""The log of who asked what: one row an ask, redacted, found again, forgotten in time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.advisor.question import Allowed
from bot.chores.access_log import open_chore
from bot.desk import Bench
from bot.store.audit import AuditLog, Entry
from bot.store.database import database_url, open_engine
from bot.store.records import Ask, Store
from tests.bot.conftest import echo

ASK = Ask("T1", "C1", "1.1", "1.1", "U1", "why is it slow?")
TOKEN = "hf_" + "aBcDeFgHiJkLmNoPqRsTuVwXyZ012345"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(open_engine(database_url(None, tmp_path)))
    yield opened
    opened.close()


def test_one_row_an_ask_with_its_last_outcome(store: Store) -> None:
    log = AuditLog(store.engine, lambda: 1000.0)
    log.note(ASK, Entry("failed", "TimeoutError"))
    read = (("prom", "up"), ("knowledge", "a/b"))
    log.note(ASK, Entry("answered", "live", Allowed(None, ("prod",)), read, "It is the queue.", "m", 1.23456))
    (row,) = log.entries()
    assert (row.outcome, row.reason, row.answer, row.model, row.seconds) == (
        "answered",
        "live",
        "It is the queue.",
        "m",
        1.235,
    )
    assert (row.at, row.team, row.channel, row.person, row.kind, row.question) == (
        1000.0,
        "T1",
        "C1",
        "U1",
        "question",
        ASK.text,
    )
    assert row.scope == {"namespaces": ["prod"]}
    assert row.sources == [("prom", "up"), ("knowledge", "a/b")]


def test_secrets_controls_and_broken_characters_do_not_reach_the_database(store: Store) -> None:
    log = AuditLog(store.engine)
    log.note(replace(ASK, text=f"is {TOKEN} fine?\0\ud800"), Entry("answered", answer=TOKEN, read=(("prom", TOKEN),)))
    (row,) = log.entries()
    assert TOKEN not in repr(row)
    assert "\0" not in row.question


def test_answers_need_not_be_kept(store: Store) -> None:
    log = AuditLog(store.engine, answers=False)
    log.note(ASK, Entry("answered", answer="It is the queue."))
    assert next(log.entries()).answer == ""


def test_it_is_searched_newest_first(store: Store) -> None:
    for n in range(5):
        log = AuditLog(store.engine, lambda n=n: float(n))  # type: ignore[misc]
        outcome = "refused" if n == 2 else "answered"
        log.note(replace(ASK, ts=str(n), person=f"U{n % 2}", channel=f"C{n}"), Entry(outcome))  # type: ignore[arg-type]
    log = AuditLog(store.engine)
    assert [row.at for row in log.entries()] == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert [row.at for row in log.entries(limit=2)] == [4.0, 3.0]
    assert [row.at for row in log.entries(since=3.0)] == [4.0, 3.0]
    assert [row.at for row in log.entries(person="U1")] == [3.0, 1.0]
    assert [row.at for row in log.entries(channel="C2", outcome="refused")] == [2.0]


def test_what_is_old_is_forgotten_once_an_hour(store: Store, tmp_path: Path) -> None:
    day = 86_400.0
    for n, at in enumerate((0.0, 50 * day, 99 * day)):
        AuditLog(store.engine, lambda at=at: at).note(replace(ASK, ts=str(n)), Entry("answered"))  # type: ignore[misc]
    tidy = open_chore(Bench(echo, store, tmp_path))
    assert list(tidy(100 * day)) == []
    log = AuditLog(store.engine)
    assert [row.at for row in log.entries()] == [99 * day, 50 * day]
    assert list(tidy(100 * day + 10)) == []
    tidy(200 * day)
    assert list(log.entries()) == []
