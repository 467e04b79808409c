"""What is posted, and what is not: one thread a group, changes once, storms in one message, holds kept. On a clock of the test's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.desks.incident import gathered
from bot.store.database import open_engine
from bot.store.records import Ask, Store
from bot.triage.incident import catch_up
from bot.triage.quiet import Held
from bot.triage.webhook import read
from tests.bot.triage.bodies import NOON, alert, raw, stamp
from tests.bot.triage.planning import Desk


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    kept = Store(open_engine(f"sqlite:///{tmp_path / 'rackside.db'}"))
    yield kept
    kept.close()


@pytest.fixture
def desk(store: Store) -> Desk:
    return Desk(store)


def what(asks: list[Ask]) -> list[dict[str, Any]]:
    return [
        {name: value for name, value in ask.payload.items() if name not in {"group", "episode", "storm"}}
        for ask in asks
    ]


def test_a_group_gets_one_message_however_often_it_is_told(desk: Desk) -> None:
    first = desk.tell(alert())
    assert [(ask.kind, ask.channel, ask.thread_ts, ask.text) for ask in first] == [
        ("alert", "C0ALERTS", "", "KVCacheFull on chat/llama-70b-chat")
    ]
    assert what(first) == [{"diagnose": True}]
    for seconds in (1, 300, 3600):
        desk.now += seconds
        assert desk.tell(alert()) == []
        assert desk.again()


def test_a_change_updates_the_message_and_diagnoses_only_what_is_new(desk: Desk) -> None:
    desk.tell(alert())
    assert what(desk.tell(alert(), alert(deployment="other"))) == [{"replaces": "1", "diagnose": True}]
    # The same rule and object on another pod: nothing that anybody has to hear.
    assert desk.tell(alert(), alert(deployment="other"), alert(uid="2", at=NOON + 5)) == []
    gone = desk.tell(alert(), alert("KVCacheFull", "resolved", deployment="other", ended=desk.now))
    assert what(gone) == [{"replaces": "1", "diagnose": False}]
    back = desk.tell(alert(), alert(deployment="other", at=desk.now + 1))
    assert what(back) == [{"replaces": "1", "diagnose": False}], "diagnosed once an episode"


def test_a_resolved_group_says_so_once_and_a_later_one_begins_anew(desk: Desk) -> None:
    desk.tell(alert())
    desk.now += 600
    assert what(desk.tell(alert(state="resolved", ended=desk.now))) == [
        {"replaces": "1", "diagnose": False, "turned": "resolved"}
    ]
    assert desk.group().ended_at - desk.group().started_at == 660
    assert desk.tell(alert(state="resolved", ended=desk.now)) == []
    desk.now += 29 * 60
    assert what(desk.tell(alert(at=desk.now))) == [{"replaces": "1", "diagnose": False, "turned": "firing"}]
    desk.tell(alert(state="resolved", at=desk.now, ended=desk.now + 5))
    desk.now += 31 * 60
    again = desk.tell(alert(at=desk.now))
    assert what(again) == [{"diagnose": True}], "half an hour later it is a new incident"
    assert again[0].thread_ts == ""
    assert desk.group().episode == 2


def test_what_arrives_late_or_was_over_before_it_was_told_changes_nothing(desk: Desk) -> None:
    assert desk.tell(alert(state="resolved")) == []
    desk.tell(alert())
    desk.tell(alert(state="resolved", ended=desk.now))
    # The firing notification of the same alert overtaken by its end.
    assert desk.tell(alert()) == []
    assert desk.group().state == "resolved"
    assert desk.group().opened == 0


def test_the_end_of_an_earlier_time_that_arrives_late_ends_nothing(desk: Desk) -> None:
    desk.tell(alert(at=NOON + 50))
    assert desk.tell(alert(state="resolved", at=NOON, ended=NOON + 40)) == []
    assert desk.group().state == "firing"
    # Alertmanager may join two times into one that began earlier.
    assert len(desk.tell(alert(state="resolved", at=NOON, ended=NOON + 55))) == 1


def test_an_alert_from_the_future_began_now_and_ends(desk: Desk) -> None:
    desk.tell(alert(at=NOON + 9000))
    assert desk.group().started_at == desk.now
    desk.now += 60
    assert what(desk.tell(alert(state="resolved", at=desk.now, ended=desk.now + 500)))[0]["turned"] == "resolved"
    assert desk.group().ended_at == desk.now


def test_an_alert_that_is_not_told_any_more_has_ended(desk: Desk) -> None:
    desk.tell(alert(), alert(deployment="other"))
    assert what(desk.tell(alert(deployment="other"))) == [{"replaces": "1", "diagnose": False}]
    # A cut notification says nothing of those that are left out.
    desk.tell(alert(), alert(deployment="other"), group="cut")
    assert desk.tell(alert(deployment="other"), group="cut", truncatedAlerts=1) == []


def test_changes_wait_for_the_message_before_and_are_told_together(desk: Desk) -> None:
    desk.delivers = False
    root = desk.tell(alert())[0]
    assert desk.tell(alert(), alert(deployment="b")) == []
    assert desk.tell(alert(), alert(deployment="b"), alert(deployment="c")) == []
    assert desk.wait(15) == []
    desk.deliver(root)
    desk.again()
    assert what(desk.wait(15)) == [{"replaces": "1", "diagnose": True}]
    assert desk.wait(15) == []


def test_a_message_that_slack_never_takes_is_not_tried_again(desk: Desk) -> None:
    desk.delivers = False
    desk.store.undeliverable(desk.tell(alert())[0].key)
    assert desk.tell(alert(), alert(deployment="b")) == []
    assert desk.wait(15) == []
    assert desk.group().asked == desk.group().wanted


def test_reminders_come_every_few_hours_and_end_with_the_alert(desk: Desk) -> None:
    desk.tell(alert())
    assert desk.wait(3.9 * 3600) == []
    assert what(desk.wait(0.2 * 3600)) == [{"replaces": "1", "diagnose": False, "remind": True}]
    assert desk.wait(3.9 * 3600) == []
    assert what(desk.wait(0.2 * 3600)) == [{"replaces": "1", "diagnose": False, "remind": True}]
    desk.tell(alert(state="resolved", ended=desk.now))
    assert desk.wait(9 * 3600) == []


def test_a_storm_is_five_threads_and_one_message_that_is_kept_current(desk: Desk) -> None:
    for n in range(150):
        desk.now += 0.3
        desk.tell(alert(f"Rule{n % 7}", pod=f"p-{n}", deployment=""), group=f"g{n}")
    kinds = [ask.kind for ask in desk.asks]
    assert kinds.count("alert") == 5
    assert kinds.count("alert_storm") <= 3, "its message, then a change every half a minute"
    assert sum(bool(ask.payload.get("diagnose")) for ask in desk.asks) <= 6
    assert len({ask.payload.get("replaces") for ask in desk.asks if ask.kind == "alert_storm"}) == 2
    book = desk.triage.book
    [storm] = book.storms()
    assert len(book.in_storm(storm.id)) == 145
    assert len(book.alerts_in_storm(storm.id)) == 145
    # The storm's thread can be asked as any other.
    asked = Ask("T1", "C0ALERTS", "9.9", desk.store.letter(storm.root).answer_ts, "U1", "catch me up", "incident")  # type: ignore[union-attr]
    case = gathered(book, asked, desk.now)
    assert len(case.alerts) == 145
    assert "alerts fire" in str(catch_up(case).blocks)
    # Their end changes the one message.
    count = len(desk.asks)
    for n in range(5, 150):
        desk.tell(alert(f"Rule{n % 7}", "resolved", pod=f"p-{n}", deployment="", ended=desk.now), group=f"g{n}")
    desk.wait(31)
    desk.wait(6 * 60)
    assert {ask.kind for ask in desk.asks[count:]} == {"alert_storm"}
    assert len(desk.asks) - count <= 3
    assert book.storms() == []
    assert book.storm(storm.id).ended_at  # type: ignore[union-attr]
    # After it, a group has a thread of its own again.
    assert [ask.kind for ask in desk.tell(alert("Rule6", pod="p-6", deployment="", at=desk.now), group="g6")] == [
        "alert"
    ]


def test_a_restart_does_not_refill_the_budget(desk: Desk) -> None:
    for n in range(12):
        desk.tell(alert(), group=f"g{n}")
        desk.again()
    assert [ask.kind for ask in desk.asks].count("alert") == 5


def test_diagnoses_have_a_budget_and_what_is_owed_is_made_up_for(store: Store) -> None:
    desk = Desk(store, storm={"threads_per_minute": 10, "diagnoses_per_minute": 2})
    for n in range(4):
        desk.tell(alert(deployment=f"d{n}"), group=f"g{n}")
    assert [ask.payload["diagnose"] for ask in desk.asks] == [True, True, False, False]
    assert desk.wait(15) == []
    later = desk.wait(61)
    assert [ask.payload["diagnose"] for ask in later] == [True, True]
    assert desk.wait(61) == []


def test_maintenance_keeps_an_alert_until_it_ends(store: Store) -> None:
    desk = Desk(
        store,
        maintenance=[
            {"match": {"namespace": "chat"}, "from": stamp(NOON), "until": stamp(NOON + 3600), "why": "new driver"}
        ],
    )
    assert desk.tell(alert()) == []
    assert desk.wait(60) == []
    assert len(desk.tell(alert(namespace="other"), group="g2")) == 1
    both = alert(), alert(namespace="other")
    assert len(desk.tell(*both, group="g3")) == 1, "one alert outside the window is enough"
    later = desk.wait(3600)
    assert [ask.text for ask in later] == ["KVCacheFull on chat/llama-70b-chat"]


def test_what_ends_within_its_maintenance_is_never_posted(store: Store) -> None:
    desk = Desk(store, maintenance=[{"match": {}, "from": stamp(NOON), "until": stamp(NOON + 3600)}])
    desk.tell(alert())
    desk.tell(alert(state="resolved", ended=desk.now))
    desk.wait(7200)
    assert desk.asks == []


def test_a_silence_after_the_message_shows_in_it(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    from bot.triage import plan

    desk.tell(alert())
    monkeypatch.setattr(plan, "held", lambda *_: Held("silenced by ann", NOON + 9000))
    desk.triage._silences.active = lambda: (object(),)  # type: ignore[method-assign, assignment]
    assert what(desk.wait(61)) == [{"replaces": "1", "diagnose": False}]
    assert desk.group().held == "silenced by ann"
    assert desk.wait(61) == []


def test_a_muted_channel_gets_its_alerts_when_it_is_not_muted_any_more(desk: Desk) -> None:
    desk.store.mutes.mute("T1", "C0ALERTS", None, "U1")
    assert desk.tell(alert()) == []
    assert desk.wait(61) == []
    desk.store.mutes.unmute("T1", "C0ALERTS")
    assert len(desk.wait(61)) == 1


def test_routes_choose_the_channel(store: Store) -> None:
    desk = Desk(store, routes=[{"match": {"namespace": "~train.*"}, "channel": "C0TRAIN"}])
    desk.tell(alert(namespace="training"), group="a")
    desk.tell(alert(), group="b")
    assert [ask.channel for ask in desk.asks] == ["C0TRAIN", "C0ALERTS"]


def test_diagnosing_can_be_switched_off(store: Store) -> None:
    desk = Desk(store, diagnose=False)
    assert what(desk.tell(alert())) == [{"diagnose": False}]


def test_an_interrupted_decision_is_made_again_under_the_same_name(desk: Desk) -> None:
    notice = replace(read(raw(alert()), "alertmanager"), channel="C0ALERTS")
    taken = desk.triage.take(notice)
    ask = next(taken)
    assert desk.store.accept(ask)
    taken.close()  # the process dies here: accepted, not noted
    desk.again()
    assert desk.wait(15) == [], "the inbox has it"
    assert desk.store.letter(ask.key) is not None
    group = desk.triage.book.group(str(ask.payload["group"]))
    assert group is not None
    assert group.root == ask.name


def test_what_ended_long_ago_is_forgotten(desk: Desk) -> None:
    desk.tell(alert())
    desk.tell(alert(state="resolved", ended=desk.now))
    key = desk.group().id
    desk.wait(91 * 86400.0)
    assert desk.triage.book.group(key) is None
    assert desk.triage.book.items(key, 1) == []
