"""Rackside is taken out of one of several workspaces: its installation goes, with all that is owed to it, before Slack is told.

The others go on. With one workspace, whose token is in the settings, there is nothing to be done.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from slack_bolt import App, BoltRequest, BoltResponse

from bot.listeners import Deps

log = logging.getLogger("rackside.slack")

EVENTS: dict[str, str] = {"app_uninstalled": "", "tokens_revoked": ""}


def attach(app: App, deps: Deps) -> None:
    """Listen."""

    def hear(req: BoltRequest, next_: Callable[[], None]) -> BoltResponse | None:
        event = req.body.get("event")
        if req.body.get("type") != "event_callback" or not isinstance(event, dict) or event.get("type") not in EVENTS:
            next_()
            return None
        team = str(req.body.get("team_id") or "")
        if deps.workspaces is not None and gone(event):
            told_at = req.body.get("event_time")
            at = float(told_at) if isinstance(told_at, int | float) else None
            if deps.workspaces.installations.remove(team, told_at=at):
                log.warning("Rackside was removed from the workspace %s: what was owed there is dropped", team)
        return BoltResponse(status=200, body="")

    app.use(hear)


def gone(event: dict[str, Any]) -> bool:
    """Is our bot out, and not only a person's own authorization?"""
    if event.get("type") == "app_uninstalled":
        return True
    tokens = event.get("tokens")
    return isinstance(tokens, dict) and bool(tokens.get("bot"))
