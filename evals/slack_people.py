"""What people do in Slack beside writing: bodies of commands, clicks, shortcuts and modals as Slack sends them.

Deliver one with `SlackStandIn.push_acknowledged(body, kind="slash_commands" or "interactive")` or `post_signed(..., kind=)`.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

from evals.slack_web import TEAM, Json

if TYPE_CHECKING:
    from evals.slack_workspace import Workspace

_triggers = itertools.count(1)


def _trigger() -> str:
    return f"{next(_triggers)}.100.standin"


def _respond(slack: Workspace) -> str:
    return slack.api_url.removesuffix("/api") + f"/respond/{next(_triggers)}"


def command(slack: Workspace, text: str, *, channel: str = "C1", user: str = "U1", name: str = "/rackside") -> Json:
    """A slash command."""
    return {
        "command": name, "text": text, "channel_id": channel, "channel_name": "general", "user_id": user,
        "user_name": user.lower(), "team_id": slack.team, "team_domain": "standin", "api_app_id": "A0STANDIN",
        "trigger_id": _trigger(), "response_url": _respond(slack), "token": "deprecated", "is_enterprise_install": "false",
    }  # fmt: skip


def click(
    slack: Workspace, message: Json, action: Json, *, channel: str = "C1", user: str = "U1", value: str | None = None
) -> Json:
    """A click on a button of a message; `action` is the element, `value` the one of a feedback button."""
    said = {"type": action["type"], "action_id": action["action_id"], "block_id": action.get("block_id", "b")}
    said["value"] = action.get("value", "") if value is None else value
    return {
        "type": "block_actions", "user": {"id": user, "username": user.lower(), "team_id": slack.team}, "api_app_id": "A0STANDIN",
        "token": "deprecated", "trigger_id": _trigger(), "response_url": _respond(slack), "team": {"id": slack.team, "domain": "standin"},
        "container": {"type": "message", "message_ts": message["ts"], "channel_id": channel, "is_ephemeral": False},
        "channel": {"id": channel, "name": "general"}, "message": message, "state": {"values": {}},
        "actions": [{**said, "action_ts": slack.stamp()}],
    }  # fmt: skip


def home_click(slack: Workspace, view: Json, action: Json, *, user: str = "U1") -> Json:
    """A click on a button of App Home or of a modal."""
    said = {"type": action["type"], "action_id": action["action_id"], "block_id": "b", "value": action.get("value", "")}
    return {
        "type": "block_actions", "user": {"id": user, "username": user.lower(), "team_id": slack.team}, "api_app_id": "A0STANDIN",
        "token": "deprecated", "trigger_id": _trigger(), "team": {"id": slack.team, "domain": "standin"},
        "container": {"type": "view", "view_id": view["id"]}, "view": view, "actions": [{**said, "action_ts": slack.stamp()}],
    }  # fmt: skip


def submit(view: Json, values: Json, *, user: str = "U1", team: str = TEAM) -> Json:
    """A modal sent; `values` is state.values."""
    return {
        "type": "view_submission", "user": {"id": user, "username": user.lower(), "team_id": team}, "api_app_id": "A0STANDIN",
        "token": "deprecated", "trigger_id": _trigger(), "team": {"id": team, "domain": "standin"}, "response_urls": [],
        "view": {**view, "state": {"values": values}},
    }  # fmt: skip


def shortcut(
    slack: Workspace, callback_id: str, *, message: Json | None = None, channel: str = "C1", user: str = "U1"
) -> Json:
    """A global shortcut, or a message shortcut on a message."""
    body: Json = {
        "type": "shortcut" if message is None else "message_action", "callback_id": callback_id, "trigger_id": _trigger(),
        "user": {"id": user, "username": user.lower(), "team_id": slack.team}, "team": {"id": slack.team, "domain": "standin"},
        "token": "deprecated", "action_ts": slack.stamp(),
    }  # fmt: skip
    if message is not None:
        body |= {
            "channel": {"id": channel, "name": "general"}, "message": message, "message_ts": message["ts"],
            "response_url": _respond(slack),
        }  # fmt: skip
    return body
