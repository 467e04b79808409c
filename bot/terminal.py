"""An answer in the terminal: verdict first, then each cause with its chain, evidence and remedies, as read at 3 a.m.

Everything that comes from data is plain text to rich: neither its markup nor a control sequence in a label ever acts.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from rich.console import Console
from rich.markdown import Markdown
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from bot.advisor.question import Answer, Citation
from tools.finding import BlindSpot, Evidence, Finding, Remedy, RuledOut

_MARKS = {
    "critical": ("▲ critical", "bold white on red"),
    "high": ("▲ high", "bold red"),
    "medium": ("● medium", "bold yellow"),
    "low": ("● low", "bold blue"),
    "info": ("· info", "dim"),
}
_CONTROL = re.compile(
    r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b[@-_]|[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]"
)
WIDEST = 110
EVIDENCE_SHOWN = 8
VALUE_LONGEST = 24
QUOTE_LINES = 6


def render(answer: Answer, console: Console, verbose: bool = False) -> None:
    """Print an answer. `verbose` adds the query behind each reading."""
    width = min(console.width, WIDEST)
    if answer.intent != "live":
        _knowledge(answer, console, width)
    else:
        _live(answer, console, width, verbose)
    _footer(answer, console)


def safe(text: str) -> str:
    """A text without control sequences, invisible and direction-changing characters; newlines stay."""
    return unicodedata.normalize("NFC", _CONTROL.sub("", text))


def _live(answer: Answer, console: Console, width: int, verbose: bool) -> None:
    style = "bold red" if answer.headlines else "bold yellow" if answer.blind else "bold green"
    _print(console, Text(safe(answer.verdict), style=style), width)
    if answer.explanation:
        console.print()
        _print(console, Text(safe(answer.explanation)), width)
    for root in answer.headlines:
        console.print()
        _root(root, [f for f in answer.findings if root.key in f.explained_by], console, width, verbose)
    if answer.citations:
        _heading(console, "What good practice says")
        for citation in answer.citations:
            _citation(citation, console, width)
    if answer.blind:
        _heading(console, "Could not see", "bold yellow")
        _blind(answer.blind, console, width)
    if answer.ruled_out:
        _heading(console, "Looked at and ruled out", "dim")
        for subject, why, ids in _grouped(answer.ruled_out):
            line = Text.assemble((safe(why), "default"), (f"  rules out {', '.join(ids)} on {safe(subject)}", "dim"))
            _print(console, line, width, 2)


def _grouped(ruled_out: Sequence[RuledOut]) -> list[tuple[str, str, list[str]]]:
    """What one reading rules out on one subject, told once."""
    found: dict[tuple[str, str], list[str]] = {}
    for one in ruled_out:
        found.setdefault((one.subject, one.why), []).append(safe(one.id))
    return [(subject, why, ids) for (subject, why), ids in found.items()]


def _root(root: Finding, symptoms: Sequence[Finding], console: Console, width: int, verbose: bool) -> None:
    word, style = _MARKS[root.severity]
    head = Text.assemble(
        (f" {word} ", style), " ", (safe(root.subject), "bold cyan"), (f"  {root.confidence} confidence", "dim")
    )
    _print(console, head, width)
    _print(console, Text(safe(root.title), style="bold"), width, 2)
    _print(console, Text(safe(root.because)), width, 2)
    for symptom in symptoms:
        chain = Text.assemble(
            ("└─ explains ", "dim"), (safe(symptom.title), "default"), " ", (safe(symptom.because), "dim")
        )
        _print(console, chain, width, 4)
    console.print()
    _evidence(root.evidence, console, width, verbose)
    for number, remedy in enumerate(root.remedies, 1):
        _remedy(number, remedy, console, width)


def _evidence(evidence: Sequence[Evidence], console: Console, width: int, verbose: bool) -> None:
    table = Table(box=None, padding=(0, 1), show_header=False, width=width - 2)
    table.add_column("value", justify="right", style="bold", no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column("what", overflow="fold")
    for one in evidence[:EVIDENCE_SHOWN]:
        said, _, value = safe(one.text).partition(": ")
        if len(value) > VALUE_LONGEST:
            said, value = f"{said}: {value}", ""
        table.add_row(Text(value), Text(said))
        if verbose and one.query:
            table.add_row("", Text(f"{one.at}  {safe(one.source)}: {safe(one.query)}", style="dim"))
    if len(evidence) > EVIDENCE_SHOWN:
        table.add_row("", Text(f"and {len(evidence) - EVIDENCE_SHOWN} more", style="dim"))
    console.print(Padding(table, (0, 0, 1, 2)))


def _remedy(number: int, remedy: Remedy, console: Console, width: int) -> None:
    _print(console, Text.assemble((f"{number}. ", "bold green"), safe(remedy.text)), width, 2)
    if remedy.change is not None:
        change = Text.assemble(
            (safe(remedy.change.what), "bold"),
            "  ",
            (safe(remedy.change.from_), "red"),
            (" → ", "dim"),
            (safe(remedy.change.to), "green"),
        )
        _print(console, change, width, 5)
    if remedy.verify:
        _print(console, Text(f"check: {safe(remedy.verify)}", style="dim"), width, 5)


def _citation(citation: Citation, console: Console, width: int) -> None:
    lines = [line for line in safe(citation.quote).splitlines() if line.strip()][:QUOTE_LINES]
    for line in lines:
        _print(console, Text.assemble(("│ ", "green"), (line, "italic")), width, 2)
    section = f", {safe(citation.section)}" if citation.section else ""
    _print(console, Text(f"{safe(citation.title)}{section}  {safe(citation.url)}", style="dim"), width, 4)


def _blind(spots: Sequence[BlindSpot], console: Console, width: int) -> None:
    for spot in spots:
        _print(
            console, Text.assemble(("? ", "bold yellow"), (safe(spot.what), "bold"), f"  {safe(spot.why)}"), width, 2
        )


def _knowledge(answer: Answer, console: Console, width: int) -> None:
    console.print(Markdown(safe(answer.text), hyperlinks=False), width=width)
    said = safe(answer.text)
    unsaid = [spot for spot in answer.blind if spot.what not in said]
    if unsaid:
        _heading(console, "Could not see", "bold yellow")
        _blind(unsaid, console, width)


def _heading(console: Console, title: str, style: str = "bold") -> None:
    console.print()
    console.print(Text(title, style=style))


def _footer(answer: Answer, console: Console) -> None:
    total = answer.seconds.get("total")
    parts = [answer.note, f"{total:.1f} s" if total is not None else ""]
    told = "  ".join(part for part in parts if part)
    if told:
        console.print()
        console.print(Text(safe(told), style="dim"))


def _print(console: Console, text: Text, width: int, indent: int = 0) -> None:
    console.print(Padding(text, (0, 0, 0, indent)), width=width, overflow="fold", no_wrap=False)
