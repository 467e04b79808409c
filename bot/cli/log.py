"""`rackside log`: who asked what in Slack, what was read for it, and what was answered or why not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli import moments

if TYPE_CHECKING:
    from bot.store.audit import Logged


def log(
    person: Annotated[
        str, typer.Option(help="Of this user id only; T0123/U0456 where there are several workspaces.")
    ] = "",
    channel: Annotated[str, typer.Option(help="In this channel id only; T0123/C0456 where there are several.")] = "",
    workspace: Annotated[str, typer.Option(help="In this workspace (T...) only.")] = "",
    outcome: Annotated[
        Literal["answered", "refused", "failed"] | None, typer.Option(help="With this outcome only.")
    ] = None,
    since: Annotated[str, typer.Option(help="Since a time: 2026-11-21T03:10:00Z or -7d.")] = "-7d",
    limit: Annotated[int, typer.Option(min=1, max=100_000, help="At most so many, the newest.")] = 100,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object per line.")] = False,
) -> None:
    """Print the access log, newest first."""
    from dataclasses import asdict

    from bot.settings import load_settings
    from bot.store.audit import AuditLog
    from bot.store.database import database_url, open_engine
    from bot.workspaces_output import log_line

    settings = load_settings()
    begin = moments.parse(since, time.time()) or 0.0
    of_person, _, person = person.strip().rpartition("/")
    of_channel, _, channel = channel.strip().rpartition("/")
    teams = {workspace.strip(), of_person, of_channel} - {""}
    if len(teams) > 1:
        raise typer.BadParameter(f"these are of different workspaces: {', '.join(sorted(teams))}")
    engine = open_engine(database_url(settings.database_url, settings.home))
    try:
        found = AuditLog(engine).entries(
            since=begin, team="".join(teams), person=person, channel=channel, outcome=outcome or "", limit=limit
        )
        rows = list(found)
    finally:
        engine.dispose()
    if as_json:
        for row in rows:
            print(json.dumps(asdict(log_line(row)), ensure_ascii=False))
        return
    _table(rows, several=bool(settings.slack_client_id) or len({row.team for row in rows}) > 1)


def _table(rows: list[Logged], *, several: bool) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe
    from bot.workspaces_output import moment

    console = Console(highlight=False)
    if not rows:
        console.print("Nobody asked anything in that time.")
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("at", "who", "where", "asked", "outcome", "read"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        asked = row.question or f"({row.kind})"
        became = row.outcome if row.outcome == "answered" else f"{row.outcome}: {row.reason}"
        # Ids alone do not tell workspaces apart: written as everywhere where there are several.
        where = f"{row.team}/{row.channel}" if several else row.channel
        cells = (moment(row.at), row.person or "-", where, asked[:200], became, str(len(row.sources)))
        table.add_row(*(Text(safe(cell)) for cell in cells))
    console.print(table)
