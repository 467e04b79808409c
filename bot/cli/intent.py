"""`rackside intent`: check files of declared intent, and hold what runs against them."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ask import SAW_NOTHING, Cluster

if TYPE_CHECKING:
    from rich.console import Console

    from bot.intent_file import DriftReport
    from tools.finding import Finding

BAD_USAGE = 2
_STYLES = {
    "critical": "bold white on red",
    "high": "bold red",
    "medium": "bold yellow",
    "low": "bold blue",
    "info": "dim",
}
Files = Annotated[
    list[Path] | None, typer.Argument(help="Intent files or ModelSpec files; without one, those of the settings.")
]

app = typer.Typer(
    no_args_is_help=True, rich_markup_mode=None, help="Declared intent, and where what runs is apart from it."
)


@app.command("check")
def check(files: Files = None) -> None:
    """Say everything that is wrong with intent files, without looking at a cluster."""
    from bot.intent_file import load_intents
    from bot.settings import load_settings
    from tools.intent_text import IntentError

    try:
        intents = load_intents(load_settings(), files or ())
    except IntentError as error:
        raise _refused(error) from None
    for one in intents:
        print(f"{one.name}: {one.said}, {one.source}")
        for remark in one.remarks:
            print(f"  mind: {remark}")
    if not intents:
        print("rackside: no intent file is given, and the settings name none (`intent`).", file=sys.stderr)
        raise typer.Exit(BAD_USAGE)


@app.command("drift")
def drift(
    files: Files = None,
    cluster: Cluster = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the drift as JSON.")] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show evidence and the expressions to alert on.")
    ] = False,
) -> None:
    """Hold what runs against declared intent: what is apart, what agrees, what could not be compared, how fast budgets burn."""
    from rich.console import Console

    from bot.intent_file import DriftReport, load_intents, read_drift
    from bot.settings import load_settings
    from tools.intent_text import IntentError

    settings = load_settings()
    try:
        intents = load_intents(settings, files or (), cluster)
    except IntentError as error:
        raise _refused(error) from None
    if not intents:
        print("rackside: no intent is declared; docs/intent.md shows a file.", file=sys.stderr)
        raise typer.Exit(BAD_USAGE)
    with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
        found, snapshot = read_drift(settings, intents, cluster)
    if as_json:
        from pydantic import TypeAdapter

        told = TypeAdapter(DriftReport).dump_python(found, mode="json", by_alias=True)
        print(json.dumps(told, ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console(highlight=False), verbose)
    if snapshot.sees_nothing:
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


def _refused(error: object) -> typer.Exit:
    for line in getattr(error, "problems", ()):
        print(f"rackside: {line}", file=sys.stderr)
    return typer.Exit(BAD_USAGE)


def show(found: DriftReport, console: Console, verbose: bool = False) -> None:
    """Print the drift: findings with what to do, then burn rates, what could not be compared, what agrees."""
    from rich.padding import Padding
    from rich.text import Text

    from bot.terminal import WIDEST, safe

    width = min(console.width, WIDEST)

    def lines(title: str, told: Sequence[str]) -> None:
        if told:
            console.print(Text(f"\n{title}", style="bold"))
            for line in told:
                console.print(Padding(Text(safe(line)), (0, 0, 0, 2)), width=width)

    count = len(found.findings)
    verdict = f"{count} {'difference' if count == 1 else 'differences'} from what was declared" if count else "Nothing that could be compared is apart from what was declared"  # fmt: skip
    console.print(Text(f"{verdict} ({len(found.intents)} declared, {len(found.same)} values hold, {len(found.blind)} could not be compared).", style="bold"), width=width)  # fmt: skip
    for one in found.findings:
        _finding(one, console, width, verbose)
    burn = [f"{one.subject}, {one.objective}: {one.verdict}. {one.why}" for one in found.burn]
    lines("Error budgets", burn)
    loud = [
        rule
        for one in found.burn
        for rule in one.rules
        if rule.promql and (verbose or rule.verdict in {"page", "ticket"})
    ]
    lines("To alert on", [f"{rule.rule.urgency}: {rule.promql}" for rule in loud])
    lines("Could not be compared", [f"{one.what}: {one.why}" for one in found.blind])
    lines("Holds", found.same)
    lines("Engines that nobody declared", found.undeclared)
    lines("Mind", found.remarks)


def _finding(one: Finding, console: Console, width: int, verbose: bool) -> None:
    from rich.padding import Padding
    from rich.text import Text

    from bot.terminal import safe

    mark = Text(f" {one.severity} ", style=_STYLES[one.severity])
    console.print()
    console.print(Text.assemble(mark, " ", (safe(one.subject), "bold"), f"  {safe(one.title)}"), width=width)
    console.print(Padding(Text(safe(one.because)), (0, 0, 0, 2)), width=width)
    for evidence in one.evidence if verbose else ():
        told = f"{evidence.text}  [{evidence.source}{': ' + evidence.query if evidence.query else ''}]"
        console.print(Padding(Text(safe(told), style="dim"), (0, 0, 0, 4)), width=width)
    for remedy in one.remedies:
        console.print(Padding(Text(f"do: {safe(remedy.text)}", style="green"), (0, 0, 0, 2)), width=width)
        if remedy.change is not None and remedy.change.what:
            change = f"{remedy.change.what}: {remedy.change.from_} -> {remedy.change.to}"
            console.print(Padding(Text(safe(change), style="dim"), (0, 0, 0, 6)), width=width)
