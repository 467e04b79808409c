"""`rackside knowledge search` and `rackside knowledge items`: what the pages and checklists say."""

from __future__ import annotations

import json
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from knowledge.items import Item
    from knowledge.narrowing import Only
    from knowledge.search import Library

BAD_USAGE = 2
Pack = Annotated[list[str] | None, typer.Option("--pack", help="Only this pack; may be given several times.")]
Phase = Annotated[int | None, typer.Option("--phase", min=0, max=2, help="Only checklist items of this day.")]
Runtime = Annotated[str, typer.Option("--runtime", help="Leave out what is only about other engines, e.g. vllm.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def search(
    query: Annotated[str, typer.Argument(help="What to look for; `-` reads one query per line with --json.")],
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="How many passages.")] = 5,
    pack: Pack = None,
    phase: Phase = None,
    runtime: Runtime = "",
    items: Annotated[bool, typer.Option("--items", help="Only checklist items.")] = False,
    as_json: AsJson = False,
) -> None:
    """Find passages: of each page the answer it opens with and the sections that come nearest."""
    from bot.app import make_library
    from bot.settings import load_settings
    from knowledge.encoder import EncoderProblem
    from knowledge.index import IndexProblem
    from knowledge.narrowing import Only
    from knowledge.rows import search_rows

    library = make_library(load_settings())
    only = Only(packs=tuple(pack or ()), phase=phase, runtime=_runtime(runtime), items=items)
    _known_packs(library, only.packs)
    if query == "-":
        if not as_json:
            raise typer.BadParameter("`-` reads queries from standard input and needs --json")
        _many(library, k, only)
        return
    try:
        hits = library.search(query, k, only)
        outside = not only and library.outside(query, hits)
    except (IndexProblem, EncoderProblem) as problem:
        print(f"rackside: {problem}", file=sys.stderr)
        raise typer.Exit(BAD_USAGE) from None
    if as_json:
        print(json.dumps(search_rows(hits), ensure_ascii=False))
        return
    if outside:
        print("That is outside what the knowledge base holds; the nearest passages are:", file=sys.stderr)
    for hit in hits:
        section = f" › {hit.passage.section}" if hit.passage.section else ""
        print(f"{hit.score:.3f}  {hit.passage.id}\n       {hit.passage.title}{section}")
        print("\n".join(f"       {line}" for line in hit.text.splitlines()[:10]) + "\n")


def items(
    pack: Pack = None,
    phase: Phase = None,
    owner: Annotated[str, typer.Option("--owner", help="Only items of this team, e.g. sre.")] = "",
    as_json: AsJson = False,
) -> None:
    """List the items of the checklists, with who owns each and how it is verified."""
    from bot.app import make_library
    from bot.settings import load_settings
    from knowledge.items import OWNERS

    library = make_library(load_settings())
    _known_packs(library, tuple(pack or ()))
    if owner and owner not in OWNERS:
        raise typer.BadParameter(f"there is no team {owner!r}; the checklists know {', '.join(OWNERS)}")
    found = [
        item
        for item in library.items()
        if (not pack or item.pack in pack)
        and (phase is None or item.phase == phase)
        and (not owner or owner in item.owners)
    ]
    if as_json:
        print(json.dumps([asdict(item) | {"passage": item.passage} for item in found], ensure_ascii=False))
        return
    _show(found)


def _show(found: list[Item]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    area = ""
    table = Table(box=None, padding=(0, 2, 0, 0), show_header=False)
    for item in found:
        if f"{item.pack}: {item.area}" != area:
            area = f"{item.pack}: {item.area}"
            table.add_row("", Text(area, style="bold"), "", "")
        how = "checked" if item.checks else "attested"
        table.add_row(
            item.id, Text(item.title), f"day {item.phase} · {' and '.join(item.owners)}", f"{item.severity} · {how}"
        )
    console.print(table)
    checked = sum(bool(item.checks) for item in found)
    console.print(f"{len(found)} items, {checked} of them verified by checks")


def _runtime(name: str) -> str:
    from knowledge.narrowing import RUNTIMES

    if name and name not in RUNTIMES:
        raise typer.BadParameter(f"there is no runtime {name!r}; pages speak of {', '.join(sorted(RUNTIMES))}")
    return name


def _known_packs(library: Library, packs: tuple[str, ...]) -> None:
    known = sorted({page.pack.id for page in library.pages()})
    for name in packs:
        if name not in known:
            raise typer.BadParameter(f"there is no pack {name!r}; there are {', '.join(known)}")


def _many(library: Library, k: int, only: Only) -> None:
    from knowledge.rows import search_rows

    for line in sys.stdin:
        text = line.rstrip("\n")
        try:
            print(json.dumps(search_rows(library.search(text, k, only)), ensure_ascii=False), flush=True)
        except Exception as error:  # noqa: BLE001 - one line's failure is that line's answer
            print(json.dumps({"question": text, "error": str(error)}, ensure_ascii=False), flush=True)
