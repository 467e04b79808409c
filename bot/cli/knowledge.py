"""`rackside knowledge`: build the index, add knowledge of your own, search it, lint its pages."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.markup import escape

from bot.cli import finding

if TYPE_CHECKING:
    pass

app = typer.Typer(
    help="The knowledge base: build its index, add your own pages, search it, check its pages.", no_args_is_help=True
)


@app.command("index")
def index(
    places: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PLACE",
            help="Folders, files or git addresses of your own to add; `rackside knowledge add` says more about one.",
        ),
    ] = None,
    forget: Annotated[bool, typer.Option(help="Leave out everything of your own that was added before.")] = False,
) -> None:
    """Make the index current; does nothing when nothing changed.

    Reads our pages and everything that you have added, fetches your git repositories, and embeds only what changed.
    Markdown, text and HTML are read: also what a browser saves, and what Confluence and Notion export.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from bot.settings import load_settings
    from knowledge.encoder import EncoderProblem
    from knowledge.index import IndexProblem
    from knowledge.indexing import build_index

    settings = load_settings()
    console = Console(stderr=True)
    columns = TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn()
    try:
        with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
            task = bar.add_task("reading", total=None)
            report = build_index(
                settings.home,
                places or (),
                lambda done, total, what: bar.update(task, completed=done, total=total, description=escape(what)),
                embeddings=settings.embeddings,
                chroma_url=settings.chroma_url,
                forget=forget,
                say=lambda said: console.print(said, markup=False, highlight=False),
            )
    except (IndexProblem, EncoderProblem) as problem:
        console.print(f"rackside: {problem}", markup=False, highlight=False)
        raise typer.Exit(2) from None
    for skipped in report.skipped:
        console.print(f"left out: {skipped}", markup=False, highlight=False, soft_wrap=True)
    print(
        f"{report.pages} pages, {report.passages} passages; {report.embedded} encoded now, {report.reused} kept"
        f" ({report.seconds:.1f} s)"
    )


@app.command("add")
def add(
    place: Annotated[str, typer.Argument(help="A folder, a file, or the address of a git repository.")],
    name: Annotated[
        str, typer.Option(help="What its pages are cited as being from; the place's name if left out.")
    ] = "",
    trust: Annotated[
        str,
        typer.Option(help="high, medium or low: a page may ask for less, never for more."),
    ] = "",
    license_: Annotated[
        str, typer.Option("--license", help="The licence of its text, shown with what is quoted.")
    ] = "",
    date: Annotated[str, typer.Option(help="The day its text was true, as 2026-11-21; a page's own date wins.")] = "",
    url: Annotated[str, typer.Option(help="Where its pages can be read on the web; citations link there.")] = "",
    ref: Annotated[str, typer.Option(help="Git: a branch, a tag or a whole commit id; else the default branch.")] = "",
    under: Annotated[str, typer.Option(help="Git: only this folder of the repository.")] = "",
) -> None:
    """Add knowledge of your own.

    It is written to sources.toml in the home folder and read at the next index.
    A page's front matter (title, aliases, date, url, license, trust) wins over what is said here.
    """
    from bot.settings import load_settings
    from knowledge.sources import declared

    home = load_settings().home
    with _sentences():
        told = {"name": name, "trust": trust, "license": license_, "date": date, "url": url, "ref": ref, "under": under}
        added = declared.add(home, [declared.new_source(place, **told)])
    for one in added:
        print(f"added {one.name} ({one.place}) to {declared.declared_file(home)}")
    print("read it with: rackside knowledge index" if added else f"{place} was added before")


@app.command("remove")
def remove(name: Annotated[str, typer.Argument(help="The name or the place of what you added.")]) -> None:
    """Remove knowledge of your own.

    Its pages are gone after the next index.
    """
    from bot.settings import load_settings
    from knowledge.sources import declared

    home = load_settings().home
    with _sentences():
        gone = declared.remove(home, name)
    print(f"removed {gone.name} ({gone.place})\nleave its pages out with: rackside knowledge index")


@app.command("sources")
def sources(as_json: Annotated[bool, typer.Option("--json", help="Print them as JSON.")] = False) -> None:
    """List knowledge of your own.

    For each: its pages, when it was read, and what was left out.
    """
    from bot.settings import load_settings
    from knowledge.indexing import load_readings
    from knowledge.sources.declared import load_declared
    from knowledge.sources.listing import source_lines, source_rows

    home = load_settings().home
    with _sentences():
        declared, problems = load_declared(home)
    rows = source_rows(declared, load_readings(home))
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
    else:
        print("\n".join(source_lines(rows)))
    for problem in problems:
        print(f"rackside: {problem}", file=sys.stderr)


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


@contextmanager
def _sentences() -> Iterator[None]:
    """What is wrong with a source is a sentence, and the command fails."""
    from knowledge.sources.declared import SourceProblem

    try:
        yield
    except SourceProblem as problem:
        print(f"rackside: {problem}", file=sys.stderr)
        raise typer.Exit(2) from None


app.command("search")(finding.search)
app.command("items")(finding.items)
