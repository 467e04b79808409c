"""The buttons of a digest: its full report in the thread, silence for a week, silence until told otherwise."""

from __future__ import annotations

import json
import logging
import time
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App

from bot.digest.schedule import SNOOZE_S
from bot.digest.slack import MUTE, REPORT, SNOOZE
from bot.listeners import Deps
from bot.store.records import Ask
from bot.store.subscriptions import Subscriptions

log = logging.getLogger("rackside.slack")
GONE = "This subscription no longer exists: nothing to be silenced."


def attach(app: App, deps: Deps) -> None:
    """Listen to the buttons."""
    subscriptions = Subscriptions(deps.store.engine)

    def report(ack: Ack, body: dict[str, Any]) -> None:
        ask = report_ask(body)
        if ask is not None and deps.store.accept(ask):
            ack()
            deps.work.begin(ask)
            return
        ack()

    def snooze(ack: Ack, body: dict[str, Any], respond: Any) -> None:
        if refused(deps, ack, body, respond):
            return
        until = time.time() + SNOOZE_S
        done = subscriptions.snooze(pressed(body).get("subscription", ""), until)
        ack()
        day = datetime.fromtimestamp(until, UTC).strftime("%-d %b %Y")
        said = f"Silent until {day}: what falls due before then is left out." if done else GONE
        respond(text=said, response_type="ephemeral", replace_original=False)

    def mute(ack: Ack, body: dict[str, Any], respond: Any) -> None:
        if refused(deps, ack, body, respond):
            return
        name = pressed(body).get("subscription", "")
        done = subscriptions.mute(name)
        ack()
        said = f"Muted. `rackside digest unmute {name}` brings it back." if done else GONE
        respond(text=said, response_type="ephemeral", replace_original=False)

    app.action(REPORT)(report)
    app.action(SNOOZE)(snooze)
    app.action(MUTE)(mute)


def pressed(body: dict[str, Any]) -> dict[str, str]:
    """What the pressed button carries; nothing for what is none of ours."""
    actions = body.get("actions")
    value = actions[0].get("value") if isinstance(actions, list) and actions and isinstance(actions[0], dict) else None
    try:
        told = json.loads(value) if isinstance(value, str) else None
    except ValueError:
        told = None
    return {str(key): str(one) for key, one in told.items()} if isinstance(told, dict) else {}


def refused(deps: Deps, ack: Ack, body: dict[str, Any], respond: Any) -> bool:
    """Whether somebody who presses may not ask for silence here; then it is said to them alone."""
    container = body.get("container") or {}
    team, person = str((body.get("team") or {}).get("id", "")), str((body.get("user") or {}).get("id", ""))
    ask = Ask(team, str(container.get("channel_id") or ""), "", "", person, "", "mute", {}, "button")
    sentence = deps.refusal(ask)
    if sentence:
        ack()
        respond(text=sentence, response_type="ephemeral", replace_original=False)
    return bool(sentence)


def report_ask(body: dict[str, Any]) -> Ask | None:
    """The full report that a press asks for: one a digest, however often it is pressed."""
    key = pressed(body).get("key", "")
    container = body.get("container") or {}
    channel, ts = container.get("channel_id"), container.get("thread_ts") or container.get("message_ts")
    if not key or not channel or not ts:
        return None
    team = (body.get("team") or {}).get("id", "")
    person = (body.get("user") or {}).get("id", "")
    name = f"digest_report:{channel}:{ts}:{key}"
    return Ask(team, channel, "", ts, person, "full report", "digest_report", {"key": key}, name)
