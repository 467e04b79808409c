"""`rackside workspaces`: which Slack workspaces installed Rackside, where there are several. No token is ever shown."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import audit_marks
from bot.cli.ask import Json

if TYPE_CHECKING:
    from bot.settings import Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)


@app.command("list")
def listed(as_json: Json = False) -> None:
    """List the workspaces that may install Rackside, and since when each has."""
    from bot.settings import load_settings
    from bot.store.installations import Installations
    from bot.workspaces_output import listing

    settings = load_settings()
    with audit_marks.opened(settings) as readiness:
        rows = listing(settings.workspaces, Installations(readiness.engine).all())
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
        return
    for row in rows:
        state = f"installed {row.installed_at} by {row.installed_by}" if row.installed_at else "not installed"
        print(f"{row.team}  {row.name}  {state}{'' if row.may_install else '  not under `workspaces` any more'}")
    if not rows:
        print("none: one workspace is served by RACKSIDE_SLACK_BOT_TOKEN; docs/slack.md says how to have several")


@app.command("remove")
def remove(team: Annotated[str, typer.Argument(help="The workspace's id (T...).")]) -> None:
    """Forget a workspace: its token, its digests and watchdogs, and what is owed to it."""
    from bot.settings import load_settings
    from bot.store.installations import Installations

    with audit_marks.opened(load_settings()) as readiness:
        done = Installations(readiness.engine).remove(team.strip())
    if not done:
        raise typer.BadParameter(f"Rackside is not installed in {team!r}; `rackside workspaces list` lists where it is")
    print(f"removed: {team}. In Slack, an administrator of it can also remove the app")


def addressed(settings: Settings, channel: str) -> tuple[str, str]:
    """A channel as it was typed, as its workspace ('' where there is one only) and its id."""
    from bot.slack_workspaces import split

    team, name = split(channel.strip())
    if not name:
        raise typer.BadParameter("say which channel, by its id")
    if not settings.slack_client_id:
        return "", name
    if team not in settings.workspaces:
        known = ", ".join(settings.workspaces) or "none"
        raise typer.BadParameter(f"write the channel with its workspace, like T0123/C0456; workspaces: {known}")
    return team, name
