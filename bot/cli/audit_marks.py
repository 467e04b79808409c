"""`rackside audit attest | waive | withdraw | marks`: what people say of items."""

from __future__ import annotations

import json
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ask import Cluster, Json, Namespace, Workload

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.settings import Settings
    from bot.store.readiness import Mark, Place, Readiness

BAD_USAGE = 2
ItemId = Annotated[str, typer.Argument(help="The item's id, e.g. DR-03.")]
By = Annotated[str, typer.Option("--by", help="Who says so: a person or a team.")]


def attest(
    item: ItemId,
    evidence: Annotated[str, typer.Option("--evidence", help="A link to what shows it.")],
    by: By,
    expires: Annotated[str, typer.Option("--expires", help="When it must be shown anew: 2027-03-01 or 90d.")],
    note: Annotated[str, typer.Option("--note", help="A sentence.")] = "",
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
) -> None:
    """Tick what a machine cannot see: with evidence, a name and an end."""
    from bot.audit_marks import attest as make

    with _settled(item, cluster, namespace, workload) as (readiness, name, place):
        now = time.time()
        made = make(readiness, name, place, by=by, evidence=evidence, until=moment(expires, now), now=now, note=note)
    _said(made)


def waive(
    item: ItemId,
    reason: Annotated[str, typer.Option("--reason", help="Why it need not hold.")],
    by: By,
    until: Annotated[str, typer.Option("--until", help="When it counts again: 2027-03-01 or 90d.")],
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
) -> None:
    """Let an item be for a while: with a reason, a name and an end."""
    from bot.audit_marks import waive as make

    with _settled(item, cluster, namespace, workload) as (readiness, name, place):
        now = time.time()
        made = make(readiness, name, place, by=by, reason=reason, until=moment(until, now), now=now)
    _said(made)


def withdraw(
    mark: Annotated[str, typer.Argument(help="The id that `audit marks` shows.")],
    by: By,
) -> None:
    """Take an attestation or a waiver back; it stays on record."""
    from bot.settings import load_settings

    with opened(load_settings()) as readiness:
        done = readiness.withdraw(mark, by)
    if not done:
        raise typer.BadParameter(f"there is no standing mark {mark!r}; `rackside audit marks` lists them")
    print(f"withdrawn: {mark}")


def marks(
    item: Annotated[str, typer.Argument(help="Only of this item.")] = "",
    cluster: Cluster = None,
    as_json: Json = False,
) -> None:
    """List attestations and waivers, those that ended or were withdrawn included."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from bot.audit_marks import day
    from bot.settings import load_settings

    with opened(load_settings()) as readiness:
        found = readiness.marks(cluster, item.upper() or None)
    now = time.time()
    if as_json:
        print(json.dumps([{**asdict(one), "stands": one.stands(now)} for one in found], ensure_ascii=False))
        return
    shown = Table(box=None, padding=(0, 2, 0, 0))
    for title in ("id", "item", "place", "what", "by", "until", "evidence or reason"):
        shown.add_column(title, overflow="fold")
    for one in found:
        over = "withdrawn" if one.withdrawn_at is not None else f"{one.kind}, over" if one.over(now) else one.kind
        told = (
            one.id,
            one.item,
            str(one.place),
            over,
            one.by,
            day(one.until),
            " ".join((one.evidence, one.note)).strip(),
        )
        shown.add_row(*map(Text, told))
    Console(highlight=False).print(shown)


def moment(text: str, now: float) -> float:
    """The last second of a day (`2027-03-01`, UTC) or days from now (`90d`), in seconds since the epoch."""
    days = re.fullmatch(r"(\d{1,4})d", text.strip())
    if days:
        return now + int(days[1]) * 86_400.0
    try:
        date = datetime.strptime(text.strip(), "%Y-%m-%d").replace(tzinfo=UTC)
    except ValueError:
        raise typer.BadParameter(f"{text!r} is no date: write 2027-03-01 or 90d") from None
    return (date + timedelta(days=1)).timestamp() - 1


def existing(settings: Settings) -> sa.Engine | None:
    """The database where there is one already; raises DatabaseError when it cannot be used."""
    from bot.store.database import database_url, open_engine

    if not settings.database_url and not (Path(settings.home) / "rackside.db").is_file():
        return None
    return open_engine(database_url(settings.database_url, settings.home))


@contextmanager
def opened(settings: Settings) -> Iterator[Readiness]:
    """What people said and what was kept; a usage error with a sentence where the database cannot be used."""
    from sqlalchemy.exc import DBAPIError

    from bot.store.database import DatabaseError, database_url, open_engine, trouble
    from bot.store.readiness import Readiness

    try:
        engine = open_engine(database_url(settings.database_url, settings.home))
    except DatabaseError as problem:
        print(f"rackside: {problem}", file=sys.stderr)
        raise typer.Exit(BAD_USAGE) from None
    try:
        yield Readiness(engine)
    except DBAPIError as error:
        print(f"rackside: {trouble(error)}", file=sys.stderr)
        raise typer.Exit(BAD_USAGE) from None
    finally:
        engine.dispose()


@contextmanager
def _settled(
    item: str, cluster: str | None, namespace: str | None, workload: str | None
) -> Iterator[tuple[Readiness, str, Place]]:
    from bot.app import make_library
    from bot.audit_marks import MarkProblem
    from bot.settings import load_settings
    from bot.store.readiness import Place

    settings = load_settings()
    settings.cluster(cluster)
    known = {one.id for one in make_library(settings).items()}
    name = item.strip().upper()
    if name not in known:
        raise typer.BadParameter(f"there is no item {item!r}; `rackside audit --format markdown` lists them")
    with opened(settings) as readiness:
        try:
            yield readiness, name, Place(cluster or "default", namespace or "", workload or "")
        except MarkProblem as problem:
            raise typer.BadParameter(str(problem)) from None


def _said(made: Mark) -> None:
    from bot.audit_marks import day

    print(f"{made.id}: {made.item} of {made.place} is {made.kind} by {made.by} until {day(made.until)}")
