"""Alerts that other bots post in watched channels, and what is asked in incident threads: by mention or with a button.

A message of a bot is only heard where the settings name its channel and the bot, never in a thread, and never when it is ours: two
bots cannot keep each other talking. What is heard is persisted before it is acknowledged.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from slack_bolt import Ack, App, BoltRequest, BoltResponse
from slack_sdk import WebClient

from bot.listeners import BUSY, Deps
from bot.listeners.clicked import clicked, whisper
from bot.listeners.incoming import incoming
from bot.listeners.wording import mentioned, question_text
from bot.store.records import Ask
from bot.triage.alert import Notice
from bot.triage.intake import start, triage
from bot.triage.message import ACTION, BUTTONS
from bot.triage.posted import read
from bot.triage.settings import AlertSettings

log = logging.getLogger("rackside.alerts")
TAKEN = "It comes in this thread."
_ASKED = {
    "catch_up": re.compile(
        r"(please )?(catch me up|what did i miss|bring me up to (speed|date)|tl;?dr)\b", re.IGNORECASE
    ),
    "timeline": re.compile(r"(please )?((show|give|make|write)( me| us)? )?(the |a )?time ?line\b", re.IGNORECASE),
    "handover": re.compile(r"(please )?((show|give|make|write)( me| us)? )?(the |a )?hand[- ]?over\b", re.IGNORECASE),
    "closing": re.compile(
        r"(please )?((show|give|make|write)( me| us)? )?(the |a )?(closing (summary|note)|post[- ]?mortem|wrap[- ]up)\b",
        re.IGNORECASE,
    ),
}


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    settings = deps.bench.settings.alerts if deps.bench and deps.bench.settings else AlertSettings()
    taking = triage(deps.bench) if deps.bench else None
    # What is accepted is begun beside the acknowledgement, which may not wait for it.
    beside = ThreadPoolExecutor(max_workers=2, thread_name_prefix="alerts")

    def hear(req: BoltRequest, next_: Callable[[], None]) -> BoltResponse | None:
        if req.body.get("type") == "event_callback":
            me = deps.mine(str(req.body.get("team_id") or ""))
            notice = alert_in(req.body, settings, me)
            if notice is not None and taking is not None:
                start(taking.take(notice), deps.store, deps.work)
                return BoltResponse(status=200, body="")
            ask = incident_in(req.body, me)
            # When too much waits, the mention goes on to where that is said.
            if ask is not None and not deps.busy(ask):
                if deps.store.accept(ask):
                    beside.submit(_begin, deps, ask)
                return BoltResponse(status=200, body="")
        next_()
        return None

    def pressed(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        click = clicked(body)
        what = click.action.removeprefix(ACTION)
        actions = body.get("actions") or [{}]
        key = f"incident:{click.team}:{click.channel}:{click.root}:{what}:{click.person}:{actions[0].get('action_ts', '')}"
        ask = Ask(
            click.team,
            click.channel,
            click.root,
            click.root,
            click.person,
            BUTTONS[what],
            "incident",
            {"what": what},
            key,
        )
        if deps.busy(ask):
            ack()
            whisper(client, click, BUSY)
            return
        new = deps.store.accept(ask)
        ack()
        if new:
            deps.work.begin(ask)
            if what != "catch_up":
                whisper(client, click, TAKEN)

    app.use(hear)
    for name in BUTTONS:
        app.action(f"{ACTION}{name}")(pressed)


def _begin(deps: Deps, ask: Ask) -> None:
    try:
        deps.work.begin(ask)
    except Exception:
        log.exception("%s is kept and will be begun later", ask.key)


def alert_in(body: dict[str, Any], settings: AlertSettings, me: str) -> Notice | None:
    """The alert in a message of a bot that is watched in its channel; None for every other event."""
    event = body.get("event")
    if not isinstance(event, dict) or event.get("type") != "message":
        return None
    changed = event.get("subtype") == "message_changed"
    message = event.get("message") if changed else event
    if not isinstance(message, dict) or (not changed and event.get("subtype") not in {None, "bot_message"}):
        return None
    channel, ts = str(event.get("channel") or ""), str(message.get("ts") or "")
    profile = message.get("bot_profile")
    app_id = str(profile.get("app_id") or "") if isinstance(profile, dict) else str(message.get("app_id") or "")
    team = str(body.get("team_id") or "")
    watched = settings.watched(channel) | settings.watched(f"{team}/{channel}")
    ids = {str(message.get("bot_id") or ""), str(message.get("user") or ""), app_id} - {""}
    ours = me in ids or app_id == str(body.get("api_app_id") or "-")
    threaded = message.get("thread_ts") not in {None, "", ts}
    if ours or threaded or not message.get("bot_id") or not ids & watched:
        return None
    try:
        at = float(str(event.get("event_ts") or ts))
        notice = read(message, at)
    except ValueError:
        return None
    return replace(notice, team=team, channel=channel, thread_ts=ts) if notice is not None else None


def incident_in(body: dict[str, Any], me: str) -> Ask | None:
    """What a mention in a thread asks of the incident; None for everything else."""
    message = incoming(body, me)
    if message is None or message.thread_ts is None or me not in mentioned(message.text):
        return None
    said = question_text(message.text, me)
    for what, asked in _ASKED.items():
        found = asked.match(said)
        # `Timeline of the autoscaler?` is a question about something else.
        if found and len(said) - found.end() <= 20 and "?" not in said[found.end() :].rstrip("?! ."):
            return replace(message.ask(said, "incident"), payload={"what": what})
    return None
