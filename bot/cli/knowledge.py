"""`rackside knowledge`: build the index, search it, lint its pages."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from knowledge.search import Library

app = typer.Typer(help="The knowledge base: build its index, search it, check its pages.", no_args_is_help=True)


@app.command("index")
def index(
    paths: Annotated[list[Path] | None, typer.Argument(help="Folders or files of your own Markdown to add.")] = None,
    forget: Annotated[bool, typer.Option(help="Leave out folders that were added before.")] = False,
) -> None:
    """Make the index current; does nothing when nothing changed."""
    from rich.console import Console
    from rich.progress import Progress

    from bot.settings import load_settings
    from knowledge.encoder import EncoderProblem
    from knowledge.index import IndexProblem
    from knowledge.indexing import build_index

    settings = load_settings()
    console = Console(stderr=True)
    missing = [str(path) for path in paths or () if not path.exists()]
    if missing:
        raise typer.BadParameter(f"there is no {', '.join(missing)}")
    try:
        with Progress(console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("Indexing", total=None)
            report = build_index(
                settings.home,
                paths or (),
                lambda done, total, what: bar.update(task, completed=done, total=total, description=what),
                embeddings=settings.embeddings,
                chroma_url=settings.chroma_url,
                forget=forget,
                say=lambda said: console.print(said, markup=False, highlight=False),
            )
    except (IndexProblem, EncoderProblem) as problem:
        console.print(f"rackside: {problem}", markup=False, highlight=False)
        raise typer.Exit(2) from None
    for skipped in report.skipped:
        console.print(f"skipped: {skipped}", markup=False, highlight=False)
    print(
        f"{report.pages} pages, {report.passages} passages; {report.embedded} encoded now, {report.reused} kept"
        f" ({report.seconds:.1f} s)"
    )


@app.command("search")
def search(
    query: Annotated[str, typer.Argument(help="What to look for; `-` reads one query per line with --json.")],
    k: Annotated[int, typer.Option("-k", min=1, max=50, help="How many passages.")] = 5,
    as_json: Annotated[bool, typer.Option("--json", help="Print the passages as JSON.")] = False,
) -> None:
    """Find passages."""
    from bot.app import make_library
    from bot.settings import load_settings
    from knowledge.encoder import EncoderProblem
    from knowledge.index import IndexProblem
    from knowledge.search import search_rows

    library = make_library(load_settings())
    if query == "-":
        if not as_json:
            raise typer.BadParameter("`-` reads queries from standard input and needs --json")
        _many(library, k)
        return
    try:
        hits = library.search(query, k)
    except (IndexProblem, EncoderProblem) as problem:
        print(f"rackside: {problem}", file=sys.stderr)
        raise typer.Exit(2) from None
    if as_json:
        print(json.dumps(search_rows(hits), ensure_ascii=False))
        return
    if library.outside(query, hits):
        print("That is outside what the knowledge base holds; the nearest passages are:", file=sys.stderr)
    for hit in hits:
        section = f" › {hit.passage.section}" if hit.passage.section else ""
        print(f"{hit.score:.3f}  {hit.passage.id}\n       {hit.passage.title}{section}")
        print("\n".join(f"       {line}" for line in hit.passage.text.splitlines()[:6]) + "\n")


@app.command("lint")
def lint(
    paths: Annotated[list[Path] | None, typer.Argument(help="Packs to check; ours when none is named.")] = None,
) -> None:
    """Check pages: ids, links, sources, dates, the checks they name."""
    from knowledge.home import PACKS
    from knowledge.lint import lint_report
    from tools.casebook import cases

    lines, well = lint_report(tuple(paths or ()) or (PACKS,), frozenset(cases()))
    print("\n".join(lines))
    if not well:
        raise typer.Exit(1)


def _many(library: Library, k: int) -> None:
    from knowledge.search import search_rows

    for line in sys.stdin:
        text = line.rstrip("\n")
        try:
            print(json.dumps(search_rows(library.search(text, k)), ensure_ascii=False), flush=True)
        except Exception as error:  # noqa: BLE001 - one line's failure is that line's answer
            print(json.dumps({"question": text, "error": str(error)}, ensure_ascii=False), flush=True)
