"""`rackside audit`: the checklists, held against the live fleet."""

from __future__ import annotations

import json
import sys
import time
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bot.cli.ask import SAW_NOTHING, Cluster, Namespace, Workload

if TYPE_CHECKING:
    from bot.audit import Broken, Judged, Score

BAD_USAGE = 2
SHOWN_SUBJECTS = 3
TITLES = {"pass": "pass", "fail": "fail", "unknown": "unknown", "attest": "to attest", "not_applicable": "not here"}
Form = Literal["table", "json", "markdown"]


def audit(
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="Only this checklist; may be given several times.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Only items of this team, e.g. sre.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = "table",
) -> None:
    """Hold every checklist against what is live: what passes, what fails, what could not be seen, what a person must show."""
    from rich.console import Console

    from bot.app import make_library, make_sources
    from bot.audit import audit as judge
    from bot.settings import load_settings
    from knowledge.items import OWNERS
    from tools.casebook import asks
    from tools.diagnose import Within
    from tools.survey import survey

    settings = load_settings()
    items = make_library(settings).items()
    packs = list(dict.fromkeys(item.pack for item in items))
    for name in pack or ():
        if name not in packs:
            raise typer.BadParameter(f"there is no checklist {name!r}; there are {', '.join(packs)}")
    if owner and owner not in OWNERS:
        raise typer.BadParameter(f"there is no team {owner!r}; the checklists know {', '.join(OWNERS)}")
    wanted = [item for item in items if (not pack or item.pack in pack) and (not owner or owner in item.owners)]
    prom, kube, matchers = make_sources(settings, cluster)
    with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
        snapshot = survey(prom, kube, {*asks(), *asks(rules=True)}, time.time(), matchers=matchers)
    within = Within(namespace, workload)
    nothing = snapshot.sees_nothing
    if (namespace or workload) and not nothing and not any(within.holds(one) for one in snapshot.topology.workloads):
        print("rackside: no such workload is known; `rackside doctor` says what can be seen.", file=sys.stderr)
        raise typer.Exit(BAD_USAGE)
    judged = judge(wanted, snapshot, within, settings.limits)
    print_as(judged, form)
    if nothing:
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


def print_as(judged: Sequence[Judged], form: Form) -> None:
    """Print judged items in one of the forms."""
    if form == "json":
        print(json.dumps(as_json(judged), ensure_ascii=False))
    elif form == "markdown":
        print(as_markdown(judged))
    else:
        _table(judged)


def as_json(judged: Sequence[Judged]) -> dict[str, Any]:
    """`{"checklists": [{"id", "counts", "passed", "verified"}], "items": [{"id", "state", "why", "broken", ...}]}`."""
    return {
        "checklists": [
            {"id": pack, "counts": dict(total.counts), "passed": total.passed, "verified": total.verified}
            for pack, total in _by_pack(judged)
        ],
        "items": [
            {
                "id": one.item.id,
                "checklist": one.item.pack,
                "title": one.item.title,
                "phase": one.item.phase,
                "owners": list(one.item.owners),
                "severity": one.item.severity,
                "passage": one.item.passage,
                "state": one.state,
                "why": one.why,
                "seen": one.seen,
                "broken": [asdict(broken) for broken in one.broken],
            }
            for one in judged
        ],
    }


def as_markdown(judged: Sequence[Judged]) -> str:
    """Scores, then every item with its state, a checklist at a time."""
    lines = [
        "# Readiness audit",
        "",
        "| checklist | pass | fail | unknown | to attest | not here | verified |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    for pack, total in _by_pack(judged):
        cells = [str(total.counts[state]) for state in TITLES]  # type: ignore[index]
        lines.append(f"| {pack} | {' | '.join(cells)} | {_percent(total.verified)} |")
    for pack, _ in _by_pack(judged):
        lines += ["", f"## {pack}", ""]
        for one in judged:
            if one.item.pack == pack:
                lines.append(f"- **{one.item.id}** {_plain(one.item.title)}: {TITLES[one.state]}. {_plain(one.why)}")
                lines += [f"  - `{broken.subject}`: {_plain(broken.said)}" for broken in one.broken]
    return "\n".join(lines)


def _table(judged: Sequence[Judged]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.audit import worst_first

    console = Console(highlight=False)
    table = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("checklist", *TITLES.values(), "passed", "verified"):
        table.add_column(title, justify="left" if title == "checklist" else "right")
    for pack, total in _by_pack(judged):
        cells = [str(total.counts[state]) for state in TITLES]  # type: ignore[index]
        table.add_row(pack, *cells, _percent(total.passed), _percent(total.verified))
    console.print(table)
    failing = worst_first(judged)
    if failing:
        console.print(Text("\nFails", style="bold"))
    for one in failing:
        console.print(
            Text.assemble(
                (f" {one.item.severity:<9}", "red"),
                (one.item.id, "bold"),
                f"  {one.item.title}  ",
                (" and ".join(one.item.owners), "dim"),
            )
        )
        for broken in _varied(one)[:SHOWN_SUBJECTS]:
            console.print(Text(f"           {broken.subject}: {broken.said}"))
        if len(one.broken) > SHOWN_SUBJECTS:
            console.print(Text(f"           and {len(one.broken) - SHOWN_SUBJECTS} more", style="dim"))
        if one.broken[0].remedy:
            console.print(Text(f"           do: {one.broken[0].remedy}", style="dim"))
    unknown: dict[str, list[str]] = defaultdict(list)
    for one in judged:
        if one.state == "unknown":
            unknown[one.why].append(one.item.id)
    if unknown:
        console.print(Text("\nCould not be seen", style="bold"))
    for why, ids in sorted(unknown.items(), key=lambda told: -len(told[1])):
        console.print(Text(f"  {', '.join(ids)}: {why}"))
    attest = sum(one.state == "attest" for one in judged)
    console.print(
        Text(
            f"\n{attest} items need a person's evidence; `--format markdown` lists them. Unknown never counts as passed.",
            style="dim",
        )
    )


def _varied(one: Judged) -> list[Broken]:
    """What speaks against an item, so that each check has its say before one says the same of another subject."""
    turns: dict[str, int] = defaultdict(int)
    ranked: list[tuple[int, Broken]] = []
    for broken in one.broken:
        ranked.append((turns[broken.check], broken))
        turns[broken.check] += 1
    return [broken for _, broken in sorted(ranked, key=lambda told: told[0])]


def _by_pack(judged: Sequence[Judged]) -> list[tuple[str, Score]]:
    from bot.audit import score

    packs = dict.fromkeys(one.item.pack for one in judged)
    return [(pack, score(one for one in judged if one.item.pack == pack)) for pack in packs]


def _percent(share: float | None) -> str:
    return "n/a" if share is None else f"{100 * share:.0f} %"


def _plain(text: str) -> str:
    """Text from a cluster as one line of Markdown that cannot start markup of its own."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;").replace("[", "\\[").replace("`", "'")
