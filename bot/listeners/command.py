"""`/rackside`: read, persisted, acknowledged to the person alone, then worked on; the answer is a message that starts a thread."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from slack_bolt import Ack, App

from bot.digest.schedule import DAYS
from bot.listeners import BUSY, Deps
from bot.slack_command import USAGE, Command, CommandProblem, parse
from bot.store.mutes import Mutes
from bot.store.readiness import Place
from bot.store.records import Ask
from bot.store.subscriptions import Subscriptions

NAME = "/rackside"
COMMANDS: dict[str, dict[str, Any]] = {
    NAME: {
        "description": "Ask what is wrong with GPUs and LLM inference",
        "usage_hint": "[question | status WORKLOAD | diagnose | audit | digest | size | subscribe | mute | help]",
        "should_escape": True,
    }
}
LOOKING = "I am looking into it: the answer comes in this channel."
KINDS = {
    "ask": "question",
    "size": "question",
    "diagnose": "sweep",
    "status": "status",
    "audit": "audit",
    "digest": "digest",
}
UNDER_WAY = "That was taken already: the answer comes in this channel."


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    subscriptions, mutes = Subscriptions(deps.store.engine), Mutes(deps.store.engine)

    def command(ack: Ack, body: dict[str, Any]) -> None:
        try:
            told = parse(readable(str(body.get("text") or "")))
        except CommandProblem as problem:
            ack(text=str(problem), response_type="ephemeral")
            return
        if told.verb in AT_ONCE:
            refused = deps.refusal(at_once(told.verb, body))
            if refused:
                ack(text=refused, response_type="ephemeral")
                return
            done = AT_ONCE[told.verb](told, body, subscriptions, mutes, deps.workspaces is not None)
            ack(text=done, response_type="ephemeral")
            return
        ask = asked(told, body)
        if deps.busy(ask):
            ack(text=BUSY, response_type="ephemeral")
            return
        new = deps.store.accept(ask)
        ack(text=LOOKING if new else UNDER_WAY, response_type="ephemeral")
        if new:
            deps.work.begin(ask)

    app.command(NAME)(command)


def readable(text: str) -> str:
    """What was typed, as a person reads it: references named, entities undone."""
    from bot.listeners.wording import question_text

    return question_text(text, "")


def at_once(verb: str, body: dict[str, Any]) -> Ask:
    """A command that needs no work, for the gate alone."""
    team, channel = str(body.get("team_id") or ""), str(body.get("channel_id") or "")
    return Ask(team, channel, "", "", str(body.get("user_id") or ""), "", verb, {}, f"command:{body.get('trigger_id')}")


def asked(told: Command, body: dict[str, Any]) -> Ask:
    """What is owed for a command: a message of its own in its channel, one a trigger."""
    team, channel = str(body.get("team_id") or ""), str(body.get("channel_id") or "")
    place = {name: value for name, value in (("namespace", told.namespace), ("workload", told.workload)) if value}
    payload: dict[str, Any] = {"respond": str(body.get("response_url") or "")}
    payload |= {"place": {"cluster": "default", **place}} if told.verb == "digest" else place
    if told.verb == "status":
        payload["view"] = told.view
    words = told.rest or " ".join(part for part in (told.verb, "/".join(place.values())) if part)
    name = f"command:{team}:{channel}:{body.get('trigger_id') or ''}"
    return Ask(team, channel, "", "", str(body.get("user_id") or ""), words, KINDS[told.verb], payload, name)


def _help(_told: Command, _body: dict[str, Any], _subscriptions: Subscriptions, _mutes: Mutes, _many: bool) -> str:
    return USAGE


def _subscribe(told: Command, body: dict[str, Any], subscriptions: Subscriptions, _mutes: Mutes, many: bool) -> str:
    day, minute, zone = told.when
    made = subscriptions.subscribe(
        str(body.get("channel_id") or ""), Place(), day, minute, zone, str(body.get("user_id") or ""),
        team=str(body.get("team_id") or "") if many else "",
    )  # fmt: skip
    when = f"{DAYS[day].capitalize()} at {minute // 60:02}:{minute % 60:02} ({zone})"
    return f"This channel gets the digest every {when}. Invite me if I am not here. `rackside digest unsubscribe {made.id}` ends it."


def _mute(told: Command, body: dict[str, Any], _subscriptions: Subscriptions, mutes: Mutes, _many: bool) -> str:
    team, channel = str(body.get("team_id") or ""), str(body.get("channel_id") or "")
    mutes.mute(team, channel, told.seconds, str(body.get("user_id") or ""))
    if told.seconds is None:
        return "In this channel I answer only when I am mentioned, until `/rackside unmute`."
    import time

    until = datetime.fromtimestamp(time.time() + told.seconds, UTC).strftime("%-d %b %H:%M UTC")
    return f"In this channel I answer only when I am mentioned, until {until}."


def _unmute(_told: Command, body: dict[str, Any], _subscriptions: Subscriptions, mutes: Mutes, _many: bool) -> str:
    was = mutes.unmute(str(body.get("team_id") or ""), str(body.get("channel_id") or ""))
    return "I follow the threads of this channel again." if was else "I was not muted here."


# What needs no work: a write, and a sentence for the person alone. The last argument says whether there are several workspaces.
AT_ONCE: dict[str, Callable[[Command, dict[str, Any], Subscriptions, Mutes, bool], str]] = {
    "help": _help,
    "subscribe": _subscribe,
    "mute": _mute,
    "unmute": _unmute,
}
