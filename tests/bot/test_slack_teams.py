"""Among several workspaces, ids mean nothing without their workspace: rules, digests, watchdogs, alerts and streams are kept apart."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from bot.access.decide import Person, Refused
from bot.access.guard import Gate, People
from bot.access.rules import Access
from bot.chores import digest as digest_chore
from bot.chores import watch as watch_chore
from bot.desk import Bench
from bot.settings import Settings
from bot.slack_stream import StreamDoor
from bot.slack_workspaces import split, unqualified
from bot.store.database import open_engine
from bot.store.readiness import DAY_S, Place
from bot.store.records import Ask, Store
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches
from bot.triage.intake import intake
from bot.triage.plan import Triage
from bot.triage.settings import AlertSettings
from bot.triage.webhook import read
from bot.watch.notice import Found, Looked
from tests.bot.conftest import echo
from tests.bot.triage.bodies import NOON, alert, raw


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    one = Store(open_engine(f"sqlite:///{tmp_path / 'x.db'}"))
    yield one
    one.close()


@dataclass
class Directory(People):
    """The people of one workspace; in T1, U1 is in the group S1."""

    team: str

    def person(self, team: str, user: str) -> Person:
        assert team == self.team, "asked of the wrong workspace"
        return Person(user, team)

    def shared(self, channel: str) -> bool:
        return channel == "C8" and self.team == "T2"

    def groups(self, user: str, among: Collection[str]) -> frozenset[str]:
        assert not any("/" in one for one in among), "Slack knows ids alone"
        return frozenset(among) if self.team == "T1" and user == "U1" else frozenset()


def entered(access: dict[str, Any], team: str, channel: str = "C1", person: str = "U1", kind: str = "question") -> str:
    gate = Gate(Access(**access), Directory(""), frozenset({"question", "audit"}), elsewhere=Directory)
    found = gate.enter(Ask(team, channel, "1.1", "1.1", person, "?", kind))
    return found.reason if isinstance(found, Refused) else found.told


def test_a_rule_is_for_the_channel_of_its_own_workspace() -> None:
    rules = {"channels": {"T1/C1": {"namespaces": ["prod"]}, "C2": {}}}
    assert "prod" in entered(rules, "T1")
    assert "prod" in entered(rules, "T1", person=""), "an alert, a digest"
    assert entered(rules, "T2") == "channel has no rule"
    assert entered(rules, "T1", "C2") == entered(rules, "T2", "C2") == "channel has no rule", "an id alone is nobody's"
    assert entered(rules, "T1", "D1") == "channel has no rule"
    assert entered({}, "T2", "C8") == "Slack Connect channel"
    assert entered({}, "T1", "C8") != "Slack Connect channel"


@pytest.mark.parametrize("who", [{"users": ["T1/U1"]}, {"groups": ["T1/S1"]}])
def test_people_and_groups_are_of_their_own_workspace(who: dict[str, Any]) -> None:
    rules = {"channels": {"T1/C1": {}, "T2/C1": {}}, "commands": {"audit": who}, "admins": who}
    assert entered(rules, "T1", kind="audit") != "command"
    assert entered(rules, "T2", kind="audit") == "command"
    assert entered(rules, "T1", "D1") != "channel has no rule", "an admin, in a direct message"
    assert entered(rules, "T2", "D1") == "channel has no rule"


def test_ids_without_their_workspace_are_named() -> None:
    who = {"users": ["U1", "T11/U2"], "groups": ["S1"]}
    settings = Settings(
        access={"channels": {"C1": {}, "T11/C2": {}}, "bots": ["B1"], "commands": {"audit": who}},  # type: ignore[arg-type]
        alerts={"channel": "T11/C33", "routes": [{"match": {"a": "b"}, "channel": "C44"}], "watch": [{"channel": "C55", "bots": ["B0X"]}]},  # type: ignore[arg-type]
        slack_admins=("T11/U1",),
    )  # fmt: skip
    assert unqualified(settings) == [
        "access.channels: C1", "access.bots: B1", "access.commands.audit: U1", "access.commands.audit: S1",
        "alerts.routes: C44", "alerts.watch: C55",
    ]  # fmt: skip
    assert split("T11/C1") == ("T11", "C1")
    assert split("C1") == ("", "C1")


def test_a_digest_and_a_watchdog_go_to_their_own_workspace(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = time.time()
    then = time.gmtime(now - 3600)
    when = (then.tm_wday, then.tm_hour * 60 + then.tm_min, "UTC")
    subscriptions = Subscriptions(store.engine, lambda: now - 30 * DAY_S)
    watches = Watches(store.engine)
    for team in ("T1", "T2", ""):
        subscriptions.subscribe("C1", Place(), *when, team=team)
        watches.watch("expiry", "C1", Place(), "", 14.0, [], team=team)
    bench = Bench(echo, store, tmp_path, "T0", Settings(home=tmp_path))
    due = list(digest_chore.open_chore(bench)(now))
    assert sorted(one.team for one in due) == ["T0", "T1", "T2"], "without a workspace it is the only one there is"
    assert len({one.key for one in due}) == 3
    looked = Looked((Found("node/a", "ends", "", "renew"),))
    monkeypatch.setattr(watch_chore, "look", lambda *_: looked)
    told = [ask for one in watches.all() for ask in watch_chore.asks(bench, watches, one, now)]
    assert sorted(one.team for one in told) == ["T0", "T1", "T2"]


def test_alerts_of_a_channel_are_told_in_its_own_workspace(store: Store) -> None:
    triage = Triage(store, AlertSettings(storm={"threads_per_minute": 1}), "", lambda: NOON + 60)  # type: ignore[arg-type]
    begun: list[Ask] = []
    for team in ("T1", "T2"):
        for rule in ("One", "Two", "Three"):
            notice = read(raw(alert(rule), groupKey=rule), "alertmanager")
            for ask in triage.take(replace(notice, team=team, channel="C1")):
                assert store.accept(ask)
                begun.append(ask)
    told = {(one.team, one.kind) for one in begun}
    assert told == {(team, kind) for team in ("T1", "T2") for kind in ("alert", "alert_storm")}, (
        "budgets are apart, too"
    )
    assert all(one.channel == "C1" for one in begun)


def test_a_webhook_goes_to_the_workspace_that_the_settings_name(store: Store, tmp_path: Path) -> None:
    begun: list[Ask] = []

    class Work:
        def begin(self, ask: Ask) -> None:
            begun.append(ask)

    alerts = {"channel": "T22/C22"}
    settings = Settings(home=tmp_path, alerts=alerts, alerts_token="t")  # type: ignore[arg-type]
    route = intake(Bench(echo, store, tmp_path, "", settings, lambda: NOON + 60), Work(), "alertmanager")
    status, _ = route({"authorization": "Bearer t"}, raw(alert()))
    assert status == 200
    assert [(one.team, one.channel) for one in begun] == [("T22", "C22")]


def test_a_workspace_without_streams_costs_the_others_nothing(store: Store) -> None:
    door = StreamDoor(lambda team: f"xoxb-{team}", "http://127.0.0.1:9/", store)
    door.refused("T1")
    assert not door.offered("T1")
    assert door.offered("T2")


def test_each_effect_asks_for_the_token_of_then(store: Store) -> None:
    given = {"T1": "xoxb-old"}
    door = StreamDoor(lambda team: given[team], "http://127.0.0.1:9/", store)
    store.accept(Ask("T1", "C1", "1.1", "1.1", "U1", "?"))
    (letter,) = store.waiting()
    client: Callable[[], Any] = lambda: door.client(letter)  # noqa: E731
    assert client().token == "xoxb-old"
    given["T1"] = "xoxb-new"
    assert client().token == "xoxb-new"
