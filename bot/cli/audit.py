"""`rackside audit`: the checklists, held against the live fleet; what people say of items, and what was found before."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.cli import audit_history, audit_marks
from bot.cli.ask import SAW_NOTHING, Cluster, Namespace, Workload

if TYPE_CHECKING:
    from bot.audit_output import Report
    from bot.settings import Settings
    from bot.store.readiness import Mark, Place
    from knowledge.items import Item

BAD_USAGE = 2
Form = Literal["table", "json", "markdown", "csv", "html"]

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
app.command("attest")(audit_marks.attest)
app.command("waive")(audit_marks.waive)
app.command("withdraw")(audit_marks.withdraw)
app.command("marks")(audit_marks.marks)
app.command("history")(audit_history.history)


@app.callback()
def audit(
    context: typer.Context,
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    pack: Annotated[
        list[str] | None, typer.Option("--pack", help="Only this checklist; may be given several times.")
    ] = None,
    owner: Annotated[str, typer.Option("--owner", help="Only items of this team, e.g. sre.")] = "",
    form: Annotated[Form, typer.Option("--format", help="How to print it.")] = "table",
    as_json: Annotated[bool, typer.Option("--json", help="The same as --format json.")] = False,
    keep: Annotated[bool, typer.Option("--keep", help="Keep the result, for `audit history` and the digest.")] = False,
) -> None:
    """Hold every checklist against what is live: what passes, what fails, what could not be seen, what a person must show."""
    if context.invoked_subcommand is not None:
        return
    from bot.settings import load_settings

    settings = load_settings()
    items = _wanted(settings, pack or [], owner)
    if keep and (pack or owner):
        raise typer.BadParameter("--keep keeps whole audits: leave --pack and --owner away")
    found = take(settings, items, cluster, namespace, workload)
    print_as(found, "json" if as_json else form)
    if keep:
        _keep(settings, found)
    if found.sees_nothing:
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


def take(
    settings: Settings, items: list[Item], cluster: str | None, namespace: str | None, workload: str | None
) -> Report:
    """Read the fleet and judge the items, with what people said of them; a usage error for a workload that nobody knows."""
    from rich.console import Console

    from bot.audit_run import NoSuchWorkload, run

    place = place_of(cluster, namespace, workload)
    said, unread = _marks(settings, place.cluster)
    with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
        try:
            return run(settings, items, place, time.time(), marks=said, unread=unread)
        except NoSuchWorkload as problem:
            print(f"rackside: {problem}; `rackside doctor` says what can be seen.", file=sys.stderr)
            raise typer.Exit(BAD_USAGE) from None


def place_of(cluster: str | None, namespace: str | None, workload: str | None) -> Place:
    """The place that the options name."""
    from bot.store.readiness import Place

    return Place(cluster or "default", namespace or "", workload or "")


def print_as(found: Report, form: Form) -> None:
    """Print an audit in one of the forms."""
    if form == "json":
        from bot.audit_output import as_json

        print(json.dumps(as_json(found), ensure_ascii=False))
    elif form == "markdown":
        from bot.audit_text import as_markdown

        print(as_markdown(found))
    elif form == "csv":
        from bot.audit_text import as_csv

        print(as_csv(found), end="")
    elif form == "html":
        from bot.audit_page import as_html

        print(as_html(found))
    else:
        from bot.cli.audit_table import table

        table(found)


def _wanted(settings: Settings, packs: list[str], owner: str) -> list[Item]:
    from bot.app import make_library
    from knowledge.items import OWNERS

    items = make_library(settings).items()
    known = list(dict.fromkeys(item.pack for item in items))
    for name in packs:
        if name not in known:
            raise typer.BadParameter(f"there is no checklist {name!r}; there are {', '.join(known)}")
    if owner and owner not in OWNERS:
        raise typer.BadParameter(f"there is no team {owner!r}; the checklists know {', '.join(OWNERS)}")
    return [item for item in items if (not packs or item.pack in packs) and (not owner or owner in item.owners)]


def _marks(settings: Settings, cluster: str) -> tuple[list[Mark], str]:
    """The marks of a cluster, and why they could not be read (empty when they could)."""
    from bot.store.database import DatabaseError
    from bot.store.readiness import Readiness

    try:
        engine = audit_marks.existing(settings)
    except DatabaseError as problem:
        return [], f"attestations and waivers: {problem}"
    if engine is None:
        return [], ""
    try:
        return Readiness(engine).marks(cluster), ""
    finally:
        engine.dispose()


def _keep(settings: Settings, found: Report) -> None:
    import uuid

    from bot.audit_history import to_keep

    with audit_marks.opened(settings) as readiness:
        readiness.keep(to_keep(found, f"audit:{uuid.uuid4().hex}"))
        readiness.prune()
    print("rackside: kept; `rackside audit history` shows what changed.", file=sys.stderr)
