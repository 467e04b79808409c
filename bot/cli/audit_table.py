"""An audit in the terminal: the verdict, scores, what fails with what to do, and what could not be seen."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot.audit import Judged
from bot.audit_output import TITLES, Report, varied
from bot.audit_page import verdict
from bot.audit_score import percent

SHOWN_SUBJECTS = 3
LAST = (
    "items need a person's evidence (`rackside audit attest ITEM --evidence URL --by NAME --expires DATE`); "
    "`--format markdown` lists them. Unknown never counts as passed."
)


def table(found: Report) -> None:
    """Print it."""
    console = Console(highlight=False)
    console.print(Text(verdict(found), style="bold"))
    console.print(_scores(found))
    for title, by in (("Teams", "team"), ("Phases", "phase")):
        told = [one for one in found.scores() if one.by == by]
        said = (f"{one.name} {percent(one.score.held)} ({percent(one.score.verified)} verified)" for one in told)
        console.print(Text(f"{title}: {', '.join(said)}", style="dim"))
    if found.worst:
        console.print(Text("\nFails", style="bold"))
    for judged in found.worst:
        _failing(console, judged)
    reasons = found.blind_reasons()
    if reasons:
        console.print(Text("\nCould not be seen", style="bold"))
    for why, ids in reasons.items():
        console.print(Text(f"  {', '.join(ids)}: {why}"))
    _others(console, "Evidence that has expired", found.of("expired"))
    _others(console, "Waived", found.of("waived"))
    console.print(Text(f"\n{len(found.of('attest'))} {LAST}", style="dim"))


def _scores(found: Report) -> Table:
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("checklist", *TITLES.values(), "score", "verified"):
        shown.add_column(title, justify="left" if title == "checklist" else "right")
    for one in found.scores():
        if one.by == "checklist":
            cells = [str(one.score.counts[state]) for state in TITLES]
            shown.add_row(one.name, *cells, percent(one.score.held), percent(one.score.verified))
    return shown


def _failing(console: Console, judged: Judged) -> None:
    head = ((f" {judged.item.severity:<9}", "red"), (judged.item.id, "bold"), f"  {judged.item.title}  ")
    console.print(Text.assemble(*head, (" and ".join(judged.item.owners), "dim")))
    for subject, said in varied(judged)[:SHOWN_SUBJECTS]:
        console.print(Text(f"           {subject}: {said}"))
    if len(judged.broken) > SHOWN_SUBJECTS:
        console.print(Text(f"           and {len(judged.broken) - SHOWN_SUBJECTS} more", style="dim"))
    if judged.broken and judged.broken[0].remedy:
        console.print(Text(f"           do: {judged.broken[0].remedy}", style="dim"))


def _others(console: Console, title: str, found: list[Judged]) -> None:
    if found:
        console.print(Text(f"\n{title}", style="bold"))
    for judged in found:
        console.print(Text(f"  {judged.item.id} {judged.item.title}: {judged.why}"))
