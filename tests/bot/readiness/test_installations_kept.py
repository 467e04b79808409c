"""Installations, states and what belongs to a workspace, on both databases."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from slack_sdk.oauth.installation_store.models.installation import Installation

from bot.store.alerts import AlertBook
from bot.store.database import _MIGRATIONS
from bot.store.installations import Installations, States
from bot.store.mutes import Mutes
from bot.store.readiness import Place
from bot.store.records import Ask, Store
from bot.store.subscriptions import Subscriptions
from bot.store.watches import Watches
from bot.triage.plan import Triage
from bot.triage.settings import AlertSettings
from bot.triage.webhook import read
from tests.bot.triage.bodies import NOON, alert, raw


def installation(team: str, token: str, **other: Any) -> Installation:
    chosen: dict[str, Any] = {
        "user_id": "U1", "team_id": team, "team_name": f"Team {team}", "bot_token": token, "bot_id": "B1", "bot_user_id": "UBOT",
        "bot_scopes": ["chat:write", "commands"],
    }  # fmt: skip
    return Installation(**(chosen | other))


def test_the_last_token_of_a_workspace_is_kept_and_no_persons(engine: sa.Engine) -> None:
    now = [100.0]
    kept = Installations(engine, lambda: now[0])
    assert kept.workspace("T1") is None
    kept.save(installation("T1", "xoxb-first", user_token="xoxp-person", enterprise_id="E1"))
    now[0] = 200.0
    kept.save(installation("T2", "xoxb-other"))
    kept.save(installation("T1", "xoxb-second"))
    found = kept.workspace("T1")
    assert found is not None
    assert (found.bot_token, found.enterprise, found.scopes) == ("xoxb-second", "", "chat:write,commands")
    assert found.installed_at == 200.0
    assert "xoxb" not in repr(found)
    assert [one.team for one in kept.all()] == ["T1", "T2"]
    with engine.connect() as connection:
        rows = str(connection.execute(sa.text("select * from slack_installation")).all())
    assert "xoxb-first" not in rows
    assert "xoxp" not in rows


def test_what_is_removed_is_of_that_workspace_alone(engine: sa.Engine) -> None:
    kept = Installations(engine, lambda: 1000.5)
    store, subscriptions, watches, mutes = Store(engine), Subscriptions(engine), Watches(engine), Mutes(engine)
    triage = Triage(store, AlertSettings(), "", lambda: NOON + 60)
    for team in ("T1", "T2"):
        kept.save(installation(team, f"xoxb-{team}"))
        store.accept(Ask(team, "C1", "1.1", "1.1", "U1", "waits"))
        store.accept(Ask(team, "C1", "2.1", "2.1", "U1", "answered"))
        store.answered(f"{team}:C1:2.1", "2.2")
        subscriptions.subscribe("C1", Place(), 0, 540, "UTC", team=team)
        watch = watches.watch("expiry", "C1", Place(), "", 14.0, [], team=team)
        watches.say(watch.id, ["node/a"], 1.0)
        mutes.mute(team, "C1", None, "U1")
        list(triage.take(replace(read(raw(alert()), "alertmanager"), team=team, channel="C1")))
    assert not kept.remove("T1", told_at=999.0), "told of an earlier installation"
    assert kept.remove("T1", told_at=1000.0), "Slack tells whole seconds"
    assert not kept.remove("T1")
    assert not kept.remove("")
    assert [one.team for one in kept.all()] == ["T2"]
    states = {key: letter.state for key in ("T1:C1:1.1", "T1:C1:2.1", "T2:C1:1.1") if (letter := store.letter(key))}
    assert states == {"T1:C1:1.1": "withdrawn", "T1:C1:2.1": "answered", "T2:C1:1.1": "waiting"}
    assert [one.team for one in subscriptions.all()] == ["T2"]
    (left,) = watches.all()
    assert left.team == "T2"
    assert watches.said(left.id)
    assert mutes.muted("T2", "C1")
    assert not mutes.muted("T1", "C1")
    assert {one.team for one in AlertBook(engine).firing()} == {"T2"}
    with engine.connect() as connection:
        for table in ("watch_said", "alert_item"):
            assert connection.execute(sa.text(f"select count(*) from {table}")).scalar() == 1, table


def test_a_state_is_taken_once_by_whoever_comes_first(engine: sa.Engine) -> None:
    states = States(engine)
    state = states.issue()
    taken: list[bool] = []
    together = threading.Barrier(6)

    def take() -> None:
        together.wait(20)
        taken.append(states.consume(state))

    threads = [threading.Thread(target=take) for _ in range(6)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    assert sorted(taken) == [False] * 5 + [True]
    with engine.connect() as connection:
        assert connection.execute(sa.text("select count(*) from slack_oauth_state")).scalar() == 0


def test_a_subscription_from_before_is_of_the_only_workspace(engine: sa.Engine) -> None:
    subscriptions, watches = Subscriptions(engine), Watches(engine)
    before = subscriptions.subscribe("C1", Place(), 0, 540, "UTC", "Kim")
    subscriptions.subscribe("C1", Place(), 0, 540, "UTC", team="T2")
    watch = watches.watch("idle", "C1", Place(), "4h", 0.95, ["chat/*"])
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS))
    for move, revision in ((command.downgrade, "0012"), (command.upgrade, "heads")):
        with engine.begin() as connection:
            config.attributes["connection"] = connection
            move(config, revision)
    assert subscriptions.all() == [before], "those of several workspaces cannot be told apart by the older version"
    assert watches.all() == [watch]
    assert subscriptions.subscribe("C1", Place(), 1, 540, "UTC").id == before.id
    assert subscriptions.subscribe("C1", Place(), 1, 540, "UTC", team="T2").id != before.id
