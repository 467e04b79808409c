"""The buttons of the help, the window to ask in, and the shortcuts: each becomes an ask, once.

A prompt is answered in the thread of the message that holds the button; a message that is to be explained, in its own thread; a
question out of the global shortcut, in the direct conversation of whoever asked.
"""

from __future__ import annotations

import logging
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.blocks_actions import OPEN_ASK, PROMPT, PROMPTS
from bot.listeners import BUSY, Deps
from bot.listeners.clicked import Click, clicked, show, whisper
from bot.listeners.wording import question_text
from bot.slack_modals import ASK_VIEW, ask_view, typed, where
from bot.store.records import Ask

log = logging.getLogger("rackside.slack")

EXPLAIN, ASK = "explain_this", "ask_rackside"
SHORTCUTS: dict[str, dict[str, str]] = {
    EXPLAIN: {"name": "Explain this", "type": "message", "description": "What a message is about, and what is wrong"},
    ASK: {"name": "Ask Rackside", "type": "global", "description": "Ask what is wrong, answered in your conversation"},
}
TAKEN = "I am looking into it: the answer comes in this thread."
KNOWN = "You asked for that already: the answer is, or soon will be, in this thread."
NOTHING = "There are no words in this message that I could explain."
IN_THREAD, IN_DIRECT = "The answer comes in the thread.", "The answer comes in our direct conversation."
NO_CONVERSATION = "Slack does not let me write to you directly: ask me in a channel instead."
EMPTY = "Please type a question."


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    for name in PROMPTS:
        app.action(f"{PROMPT}:{name}")(_take(deps, prompted))
    app.shortcut({"type": "message_action", "callback_id": EXPLAIN})(
        _take(deps, lambda c: explained(c, deps.mine(c.team)))
    )

    def open_window(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        click = clicked(body)
        place = {"channel": click.channel, "root": click.root} if click.channel and click.root else {}
        show(client, click, ask_view(place, IN_THREAD if place else IN_DIRECT))

    def send(ack: Ack, body: dict[str, Any], view: dict[str, Any], client: WebClient) -> None:
        ask = sent(body, view)
        if not ask.text:
            ack(response_action="errors", errors={"question": EMPTY})
            return
        if not ask.channel:
            channel = _conversation(client, ask.person)
            if not channel:
                ack(response_action="errors", errors={"question": NO_CONVERSATION})
                return
            ask = Ask(ask.team, channel, "", "", ask.person, ask.text, ask.kind, {}, ask.name)
        if deps.busy(ask):
            # The window stays, with what was typed.
            ack(response_action="errors", errors={"question": BUSY})
            return
        new = deps.store.accept(ask)
        ack()
        if new:
            deps.work.begin(ask)

    app.action(OPEN_ASK)(open_window)
    app.shortcut({"type": "shortcut", "callback_id": ASK})(open_window)
    app.view(ASK_VIEW)(send)


def _take(deps: Deps, made: Any) -> Any:
    """A listener that persists, acknowledges, says so to the person alone, and puts to work."""

    def take(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        click = clicked(body)
        ask = made(click)
        if ask is not None and deps.busy(ask):
            ack()
            whisper(client, click, BUSY)
            return
        new = ask is not None and deps.store.accept(ask)
        ack()
        if ask is None:
            whisper(client, click, NOTHING)
        elif new:
            deps.work.begin(ask)
            whisper(client, click, TAKEN)
        else:
            whisper(client, click, KNOWN)

    return take


def prompted(click: Click) -> Ask | None:
    """The ask of a help's button: one a person, message and button."""
    name = click.action.removeprefix(f"{PROMPT}:")
    if name not in PROMPTS or not click.message:
        return None
    key = f"click:{click.team}:{click.channel}:{click.message}:{click.person}:{name}"
    return Ask(click.team, click.channel, click.message, click.root, click.person, PROMPTS[name][1], name=key)


def explained(click: Click, me: str) -> Ask | None:
    """The ask of `Explain this`: one a message and person. The message is data: only its words are taken."""
    said = question_text(click.text, me)
    if not said or not click.message:
        return None
    key = f"explain:{click.team}:{click.channel}:{click.message}:{click.person}"
    return Ask(click.team, click.channel, click.message, click.root, click.person, said, name=key)


def sent(body: dict[str, Any], view: dict[str, Any]) -> Ask:
    """The ask of the window, without a channel where it was opened by the global shortcut."""
    click, place = clicked(body), where(view)
    key = f"window:{click.team}:{click.person}:{view.get('id', '')}"
    root = place.get("root", "")
    question = typed(view, "question").strip()
    return Ask(click.team, place.get("channel", ""), root, root, click.person, question, name=key)


def _conversation(client: WebClient, person: str) -> str:
    try:
        opened: Any = client.conversations_open(users=person)
    except (SlackClientError, OSError) as error:
        log.warning("no direct conversation with a person could be opened (%s)", error)
        return ""
    return str((opened.get("channel") or {}).get("id") or "")
