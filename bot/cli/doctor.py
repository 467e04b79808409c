"""`rackside doctor`: can it see what it needs, and what to do where it cannot?"""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Annotated

import typer

BLIND = 3


def doctor(
    cluster: Annotated[str | None, typer.Option(help="A cluster of the settings file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
) -> None:
    """Ask each source a real question and say what it shows."""
    from rich.console import Console
    from rich.text import Text

    from bot.doctor import examine
    from bot.settings import load_settings

    rows = []
    console = Console(highlight=False)
    marks = {"ok": ("✓", "green"), "blind": ("✗", "bold red"), "not set": ("·", "yellow")}
    for seen in examine(load_settings(), cluster):
        rows.append(seen)
        if as_json:
            continue
        mark, colour = marks[seen.state]
        console.print(Text.assemble((f" {mark} ", colour), (f"{seen.what:<27} ", "bold"), seen.detail))
        if seen.todo:
            console.print(Text(f"   {'':<28}{seen.todo}", style="dim"))
    if as_json:
        print(json.dumps([asdict(row) for row in rows], ensure_ascii=False))
    if not any(row.state == "ok" for row in rows if row.what.startswith(("Prometheus", "Kubernetes"))):
        raise typer.Exit(BLIND)
