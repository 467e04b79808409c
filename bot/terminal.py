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
from tools.past_reading import Trace
from tools.together import together, told

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
SUBJECTS_SHOWN = 3
VALUE_LENGTH = 16
SPARKS = 60
_BLOCKS = "▁▂▃▄▅▆▇█"


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
    for group in together(answer.findings):
        console.print()
        keys = {one.key for one in group}
        symptoms = [f for f in answer.findings if keys & set(f.explained_by)]
        _root(told(group), symptoms, answer.traces.get(group[0].key), console, width, verbose)
    if answer.recovered:
        _heading(console, "Recovered", "bold green")
        for one in answer.recovered:
            _hang(console, Text("  ✓ ", style="green"), Text(safe(one.text)), width)
    if answer.citations:
        _heading(console, "What good practice says")
        for citation in answer.citations:
            _citation(citation, console, width)
    if answer.blind:
        _heading(console, "Could not see", "bold yellow")
        _blind(answer.blind, console, width)
    if answer.ruled_out:
        _heading(console, "Looked at and ruled out", "dim")
        for why, ids, subjects in _grouped(answer.ruled_out):
            more = f" and {len(subjects) - SUBJECTS_SHOWN} more" if len(subjects) > SUBJECTS_SHOWN else ""
            what = f"  rules out {', '.join(ids)} on {', '.join(subjects[:SUBJECTS_SHOWN])}{more}"
            _hang(console, Text("  - ", style="dim"), Text.assemble(safe(why), (what, "dim")), width)


def _grouped(ruled_out: Sequence[RuledOut]) -> list[tuple[str, tuple[str, ...], list[str]]]:
    """What one reading rules out, told once for all the subjects that read the same."""
    ids: dict[tuple[str, str], list[str]] = {}
    for one in ruled_out:
        ids.setdefault((one.subject, one.why), []).append(safe(one.id))
    found: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (subject, why), names in ids.items():
        found.setdefault((why, tuple(names)), []).append(safe(subject))
    return [(why, names, subjects) for (why, names), subjects in found.items()]


def _root(
    root: Finding, symptoms: Sequence[Finding], trace: Trace | None, console: Console, width: int, verbose: bool
) -> None:
    word, style = _MARKS[root.severity]
    _hang(console, Text.assemble((f" {word} ", style), " "), Text(safe(root.title), style="bold"), width)
    about = Text.assemble((safe(root.subject), "bold cyan"), (f"  {root.confidence} confidence", "dim"))
    _hang(console, Text("  "), about, width)
    _hang(console, Text("  "), Text(safe(root.because)), width)
    _time(root, trace, console, width)
    for symptom in symptoms:
        what = Text.assemble(("explains ", "dim"), safe(symptom.title))
        _hang(console, Text("    └─ ", style="dim"), what, width)
        _hang(console, Text("       "), Text(safe(symptom.because), style="dim"), width)
    console.print()
    shown = {one.text: one for finding in (root, *symptoms) for one in finding.evidence}
    _evidence(list(shown.values()), console, width, verbose)
    for number, remedy in enumerate(root.remedies, 1):
        _remedy(number, remedy, console, width)


def _time(root: Finding, trace: Trace | None, console: Console, width: int) -> None:
    """Since when, the decisive reading as a line of blocks, and what happened just before."""
    if root.since is not None:
        _hang(console, Text("  ⏱ ", style="dim"), Text(safe(root.since.text)), width)
    if trace is not None:
        line = sparkline(trace, max(10, min(SPARKS, width - 8)))
        console.print(Text("    ").append_text(line), no_wrap=True, crop=False)
    for one in root.happened:
        _hang(console, Text("  ◆ ", style="magenta"), Text(safe(one.text)), width)
    if root.happened:
        _hang(console, Text("    "), Text("Near it in time, which proves no cause.", style="dim"), width)
    if root.unseen_before:
        _hang(console, Text("    "), Text(safe(root.unseen_before), style="dim"), width)


def sparkline(trace: Trace, columns: int) -> Text:
    """A reading over the look-back in one line: red where the check would have fired, a dot where there is no data."""
    per = max(1, -(-len(trace.times) // columns))
    known = [value for value in trace.values if value is not None]
    low, high = min([0.0, *known]), max([0.0, *known])
    shown = Text()
    for start in range(0, len(trace.times), per):
        values = [value for value in trace.values[start : start + per] if value is not None]
        if not values:
            shown.append("·", style="dim")
            continue
        # The worse end of what one column stands for, so that no peak is lost.
        value = max(values) if trace.above else min(values)
        level = round((value - low) / (high - low) * (len(_BLOCKS) - 1)) if high > low else 0
        fired = any(one for one in trace.firing[start : start + per])
        shown.append(_BLOCKS[level], style="red" if fired else "cyan")
    return shown


def _evidence(evidence: Sequence[Evidence], console: Console, width: int, verbose: bool) -> None:
    if not evidence:
        return
    times = {one.at[11:19] for one in evidence if one.value is not None}
    at_once = len(times) == 1
    when = f" at {safe(next(iter(times)))}Z" if at_once else ""
    console.print(Text.assemble("  ", ("Evidence", "bold"), (when, "dim")))
    table = Table(box=None, padding=(0, 1), show_header=False)
    table.add_column("value", justify="right", style="bold", no_wrap=True, max_width=24, overflow="ellipsis")
    table.add_column("what", overflow="fold")
    for one in evidence[:EVIDENCE_SHOWN]:
        said, _, value = safe(one.text).rpartition(": ")
        if one.value is None or not said or len(value) > VALUE_LENGTH:
            said, value = safe(one.text), "·"
        at = f"  {safe(one.at[11:19])}Z" if one.value is not None and not at_once else ""
        table.add_row(Text(value), Text.assemble(said, (at, "dim")))
        if verbose and one.query:
            table.add_row("", Text(f"{safe(one.source)}: {safe(one.query)}", style="dim"))
    if len(evidence) > EVIDENCE_SHOWN:
        table.add_row("", Text(f"and {len(evidence) - EVIDENCE_SHOWN} more", style="dim"))
    console.print(Padding(table, (0, 0, 1, 2)), width=width)


def _remedy(number: int, remedy: Remedy, console: Console, width: int) -> None:
    _hang(console, Text(f"  {number}. ", style="bold green"), Text(safe(remedy.text)), width)
    change = remedy.change
    if change is not None and change.what.startswith("-"):
        # A flag stands as it is typed, so that it can be copied.
        typed = Text(safe(f"{change.what} {change.to}"), style="bold green")
        _hang(
            console,
            Text("     "),
            Text.assemble(typed, (f"   instead of {safe(change.from_) or 'unset'}", "dim")),
            width,
        )
    elif change is not None:
        moved = ((safe(change.from_) or "unset", "red"), (" → ", "dim"), (safe(change.to), "green"))
        _hang(console, Text("     "), Text.assemble((safe(change.what), "bold"), "  ", *moved), width)
    if remedy.verify:
        _hang(console, Text("     check: ", style="dim"), Text(safe(remedy.verify), style="dim"), width)


def _citation(citation: Citation, console: Console, width: int) -> None:
    lines = [line for line in safe(citation.quote).splitlines() if line.strip()][:QUOTE_LINES]
    for line in lines:
        _hang(console, Text("  │ ", style="green"), Text(line, style="italic"), width, again=True)
    section = f", {safe(citation.section)}" if citation.section else ""
    dated = f" ({safe(citation.date)})" if citation.date else ""
    _hang(console, Text("    "), Text(f"{safe(citation.title)}{section}{dated}", style="dim"), width)
    if citation.url:
        # In one piece, however long: a terminal makes a link of it.
        console.print(Text(f"    {safe(citation.url)}", style="dim"), soft_wrap=len(citation.url) > width - 4)


def _blind(spots: Sequence[BlindSpot], console: Console, width: int) -> None:
    for spot in spots:
        told = Text.assemble((safe(spot.what), "bold"), f"  {safe(spot.why)}")
        _hang(console, Text("  ? ", style="bold yellow"), told, width)


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
    read = sorted({one.source for finding in answer.findings for one in finding.evidence if one.source})
    parts = [
        answer.note,
        f"Read from {', '.join(read)}." if read else "",
        f"{total:.1f} s" if total is not None else "",
    ]
    told = "  ".join(part for part in parts if part)
    if told:
        console.print()
        console.print(Text(safe(told), style="dim"))


def _hang(console: Console, mark: Text, body: Text, width: int, again: bool = False) -> None:
    """Print a body with its wrapped lines under its first, not under its mark; `again` repeats the mark on each line."""
    mark = mark if mark.cell_len <= width // 2 else Text("  ")
    room = max(10, width - mark.cell_len)
    for at, line in enumerate(body.wrap(console, room, overflow="fold", tab_size=4) or [Text("")]):
        line.rstrip()
        console.print(Text.assemble(mark if at == 0 or again else " " * mark.cell_len, line), no_wrap=True, crop=False)


def _print(console: Console, text: Text, width: int) -> None:
    console.print(text, width=width, overflow="fold", no_wrap=False)
