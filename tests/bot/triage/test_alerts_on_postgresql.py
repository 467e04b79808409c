"""Alerts on a real PostgreSQL: the same as on a file, from two processes at once, and with texts that it does not keep as they are."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from bot.desks.incident import gathered
from bot.store.database import open_engine
from bot.store.records import Ask, Store
from tests.bot.readiness.conftest import postgresql
from tests.bot.triage.bodies import alert
from tests.bot.triage.planning import Desk


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with postgresql() as found:
        yield f"{found}/postgres".replace("postgresql://", "postgresql+psycopg://")


def test_a_group_lives_and_ends(url: str) -> None:
    store = Store(open_engine(url))
    desk = Desk(store)
    odd = "a\x00b\ud800"
    assert len(desk.tell(alert(note=odd), group="one\x00")) == 1
    assert desk.tell(alert(note=odd), group="one\x00") == []
    key = desk.group().id
    desk.triage.book.note("k", key, 1, desk.now, "diagnosis", {"at": desk.now, "verdict": odd})
    desk.triage.book.note("k", key, 1, desk.now, "diagnosis", {"at": desk.now, "verdict": "again"})
    assert [one.content["verdict"] for one in desk.triage.book.events(key, 1)] == ["again"]
    case = gathered(desk.triage.book, Ask("T1", "C0ALERTS", "5.5", "1", "U1", "", "incident"), desk.now)
    assert case.group is not None
    assert len(desk.tell(alert(state="resolved", ended=desk.now, note=odd), group="one\x00")) == 1
    for n in range(9):
        desk.tell(alert(), group=f"g{n}")
    assert [ask.kind for ask in desk.asks].count("alert_storm") == 1
    desk.wait(91 * 86400.0)
    assert desk.triage.book.group(key) is None
    store.close()


def test_two_processes_that_hear_the_same_ask_for_the_same(url: str) -> None:
    stores = [Store(open_engine(url)) for _ in range(2)]
    desks = [Desk(store, channel="C0TWO") for store in stores]
    with ThreadPoolExecutor(8) as pool:
        told = list(pool.map(lambda n: desks[n % 2].tell(alert(), group=f"both{n // 2}"), range(8)))
    names = [ask.key for asks in told for ask in asks]
    assert len(names) == len(set(names))
    assert sum(ask.kind == "alert" for asks in told for ask in asks) == 4
    for store in stores:
        store.close()
