"""What the doctor says of several workspaces: who may install Rackside, who did, and whether each one's token still works."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from bot.seen import Seen
from bot.settings import Settings

if TYPE_CHECKING:
    from bot.store.installations import Workspace

# From a token, and what its rows are to be called, to rows that tell whether it works.
Asked = Callable[[str, str], Iterator[Seen]]


def workspaces(settings: Settings, asked: Asked) -> Iterator[Seen]:
    """Rows for the settings, then for each workspace."""
    from bot.slack_workspaces import TEAM, unqualified
    from bot.store.database import DatabaseError, database_url, open_engine
    from bot.store.installations import Installations
    from bot.store.sealing import HOW, NAME, KeyProblemError, Seal

    what = "Slack: workspaces"
    if settings.slack_bot_token is not None:
        todo = "Unset RACKSIDE_SLACK_BOT_TOKEN for several workspaces, or RACKSIDE_SLACK_CLIENT_ID for one"
        yield Seen(what, "blind", "both a bot token and a client id are set: there is one workspace, or several", todo)
        return
    if settings.slack_client_secret is None:
        yield Seen(what, "blind", "RACKSIDE_SLACK_CLIENT_SECRET is not set", "Copy it from Basic Information")
        return
    if not settings.workspaces or not all(map(TEAM.fullmatch, settings.workspaces)):
        todo = "Name them in the settings file, `workspaces: {T0123: Name}` (docs/slack.md)"
        yield Seen(what, "blind", "no workspace may install Rackside, or one has no id like T0123", todo)
        return
    unclear = unqualified(settings)
    if unclear:
        todo = "Write each with its workspace, like T0123/C0456"
        yield Seen(what, "blind", f"ids that could be of any workspace: {', '.join(unclear[:10])}", todo)
    try:
        seal = Seal(settings.slack_token_key.get_secret_value() if settings.slack_token_key is not None else None)
    except KeyProblemError as problem:
        yield Seen("Slack: token key", "blind", str(problem), "Set a key that can be used")
        return
    todo = "" if seal.locks else f"Set {NAME}; this makes a key: {HOW}"
    how = "encrypted" if seal.locks else "text"
    yield Seen(
        "Slack: token key", "ok" if seal.locks else "not set", f"workspaces' tokens are {how} in the database", todo
    )
    try:
        engine = open_engine(database_url(settings.database_url, settings.home))
    except DatabaseError as problem:
        yield Seen(what, "blind", str(problem), "Check RACKSIDE_DATABASE_URL")
        return
    try:
        found = {one.team: one for one in Installations(engine, seal=seal).all()}
    finally:
        engine.dispose()
    for team in dict.fromkeys((*settings.workspaces, *found)):
        yield from _one(settings, team, found.get(team), asked)


def _one(settings: Settings, team: str, one: Workspace | None, asked: Asked) -> Iterator[Seen]:
    name = f"Slack: {settings.workspaces.get(team) or team}"
    if one is None:
        yield Seen(name, "not set", f"{team} has not installed Rackside yet", "Open /slack/install there")
    elif team not in settings.workspaces:
        todo = f"Add {team} under `workspaces`, or run: rackside workspaces remove {team}"
        yield Seen(name, "blind", f"{team} is installed, but not one of `workspaces`: it is not answered", todo)
    elif one.sealed:
        todo = (
            f"Set the RACKSIDE_SLACK_TOKEN_KEY that it was encrypted with, or remove {team} and install it there again"
        )
        yield Seen(name, "blind", f"the token of {team} is encrypted with another key", todo)
    else:
        yield from asked(one.bot_token, name)
