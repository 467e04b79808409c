"""The button that stops work under way: kept before Slack is told; whoever works on it sees it within a second.

Who may not ask may not end what others asked either.
"""

from __future__ import annotations

from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient

from bot.blocks_actions import STOP
from bot.listeners import Deps
from bot.listeners.clicked import clicked, whisper
from bot.store.records import Ask

KIND = "stop"
DONE = "That is done already."


def attach(app: App, deps: Deps) -> None:
    """Listen."""

    def stop(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        click = clicked(body)
        refused = deps.refusal(
            Ask(click.team, click.channel, "", "", click.person, "", KIND, name=f"{KIND}:{click.value}")
        )
        if refused:
            ack()
            whisper(client, click, refused)
            return
        stopped = bool(click.value) and deps.store.stop(click.value, click.person)
        ack()
        if not stopped:
            whisper(client, click, DONE)

    app.action(STOP)(stop)
