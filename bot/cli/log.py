"""`rackside log`: who asked what in Slack, what was read for it, and what was answered or why not."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli import moments

if TYPE_CHECKING:
    from bot.store.audit import Logged

FORMAT = "%Y-%m-%dT%H:%M:%SZ"


def log(
    person: Annotated[str, typer.Option(help="Of this user id only.")] = "",
    channel: Annotated[str, typer.Option(help="In this channel id only.")] = "",
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

    settings = load_settings()
    begin = moments.parse(since, time.time()) or 0.0
    engine = open_engine(database_url(settings.database_url, settings.home))
    try:
        rows = list(
            AuditLog(engine).entries(since=begin, person=person, channel=channel, outcome=outcome or "", limit=limit)
        )
    finally:
        engine.dispose()
    if as_json:
        for row in rows:
            print(json.dumps({**asdict(row), "at": moment(row.at)}, ensure_ascii=False))
        return
    _table(rows)


def moment(at: float) -> str:
    """A time as it is printed, RFC 3339 UTC."""
    return time.strftime(FORMAT, time.gmtime(at))


def _table(rows: list[Logged]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe

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
        cells = (moment(row.at), row.person or "-", row.channel, asked[:200], became, str(len(row.sources)))
        table.add_row(*(Text(safe(cell)) for cell in cells))
    console.print(table)
