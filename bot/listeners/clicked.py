"""A click, a shortcut or a sent modal, read once; and what a listener says to one person alone."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

log = logging.getLogger("rackside.slack")

METHODS: dict[str, str] = {"chat_postEphemeral": "chat:write", "views_open": "", "conversations_open": "im:write"}


@dataclass(frozen=True, slots=True)
class Click:
    """Who acted on what. `message` is the ts of the message, `root` the thread that it is in or starts; both '' outside messages."""

    team: str
    channel: str
    message: str
    root: str
    person: str
    action: str
    value: str
    trigger: str
    text: str = ""


def clicked(body: dict[str, Any]) -> Click:
    """Read an interaction's body; what is not there is ''."""
    message = _dict(body, "message")
    container = _dict(body, "container")
    ts = str(container.get("message_ts") or body.get("message_ts") or message.get("ts") or "")
    actions = body.get("actions")
    action = actions[0] if isinstance(actions, list) and actions and isinstance(actions[0], dict) else {}
    person = _dict(body, "user")
    return Click(
        team=str(_dict(body, "team").get("id") or person.get("team_id") or ""),
        channel=str(_dict(body, "channel").get("id") or container.get("channel_id") or ""),
        message=ts,
        root=str(message.get("thread_ts") or container.get("thread_ts") or ts),
        person=str(person.get("id") or ""),
        action=str(action.get("action_id") or body.get("callback_id") or ""),
        value=str(action.get("value") or ""),
        trigger=str(body.get("trigger_id") or ""),
        text=words(message),
    )


def words(message: dict[str, Any], limit: int = 3000) -> str:
    """What a message says: its text, and the titles, texts and fields of attachments, in which other bots put theirs."""
    said = [str(message.get("text") or "")]
    for attachment in message.get("attachments") or ():
        if isinstance(attachment, dict):
            said += [str(attachment.get(name) or "") for name in ("pretext", "title", "text")]
            fields = [field for field in attachment.get("fields") or () if isinstance(field, dict)]
            said += [f"{field.get('title', '')}: {field.get('value', '')}" for field in fields]
    if not any(part.strip() for part in said):
        said = list(_block_texts(message.get("blocks")))
    return "\n".join(part for part in said if part.strip())[:limit]


def _block_texts(blocks: Any) -> list[str]:
    found = []
    for block in blocks if isinstance(blocks, list) else ():
        text = block.get("text") if isinstance(block, dict) else None
        if isinstance(text, dict):
            found.append(str(text.get("text") or ""))
        elif isinstance(text, str):
            found.append(text)
    return found


def whisper(client: WebClient, click: Click, text: str, blocks: list[dict[str, Any]] | None = None) -> None:
    """Say something to the person alone, beside what they clicked on; a failure is only logged."""
    args: dict[str, Any] = {"channel": click.channel, "user": click.person, "text": text}
    if click.root:
        args["thread_ts"] = click.root
    if blocks:
        args["blocks"] = blocks
    try:
        client.chat_postEphemeral(**args)
    except (SlackClientError, OSError) as error:
        log.info("%s was not told (%s)", click.action or "somebody", type(error).__name__)


def show(client: WebClient, click: Click, view: dict[str, Any]) -> bool:
    """Open a modal; False where Slack does not (the trigger is three seconds old, for instance)."""
    try:
        client.views_open(trigger_id=click.trigger, view=view)
    except (SlackClientError, OSError) as error:
        log.warning("a window could not be opened (%s)", error)
        return False
    return True


def _dict(body: dict[str, Any], name: str) -> dict[str, Any]:
    found = body.get(name)
    return found if isinstance(found, dict) else {}
