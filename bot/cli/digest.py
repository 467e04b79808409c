"""`rackside digest`: the week in one message, here or in a channel; who gets it, and when."""

from __future__ import annotations

import json
import sys
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated
from zoneinfo import ZoneInfo

import typer

from bot.cli import audit_marks
from bot.cli.ask import SAW_NOTHING, Cluster, Json, Namespace, Workload
from bot.cli.ended import change
from bot.cli.workspaces import addressed

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.digest.content import Digest
    from bot.store.readiness import Place
    from bot.store.subscriptions import Subscription

BAD_USAGE = 2
_BECAME = {
    "answered": "posted",
    "waiting": "being made, or Slack is not reached",
    "undeliverable": "not posted: Slack refuses the channel (archived, or Rackside is not in it)",
}
Id = Annotated[str, typer.Argument(help="The id that `digest subscriptions` shows.")]

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)


@app.callback()
def digest(
    context: typer.Context,
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    as_json: Json = False,
    html: Annotated[str | None, typer.Option("--html", help="Write the full report into this file.")] = None,
    post: Annotated[
        str | None, typer.Option("--post", help="Have `rackside serve` post it in this channel (its id).")
    ] = None,
    keep: Annotated[bool, typer.Option("--keep", help="Keep it, so that the next one tells what changed.")] = False,
) -> None:
    """Tell how ready the fleet is, what changed since the last digest, what needs attention, whose it is and what it costs."""
    if context.invoked_subcommand is not None:
        return
    from bot.store.readiness import Place

    place = Place(cluster or "default", namespace or "", workload or "")
    if post is not None:
        _post(place, post)
        return
    found = _made(place, keep=keep)
    if html is not None:
        from bot.digest.html import as_html

        try:
            Path(html).write_text(as_html(found), encoding="utf-8")
        except OSError as error:
            raise typer.BadParameter(f"{html} cannot be written: {error.strerror or error}") from None
        print(f"rackside: wrote {html}", file=sys.stderr)
    if as_json:
        from bot.digest.output import as_json as as_object

        print(json.dumps(as_object(found), ensure_ascii=False))
    elif html is None:
        from bot.digest.text import as_markdown

        print(as_markdown(found))
    if not found.now.verified and found.unseen and not found.counts.get("pass"):
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


@app.command("subscribe")
def subscribe(
    channel: Annotated[
        str,
        typer.Argument(
            help="The channel's id, e.g. C0123456789 (T0123/C0123456789 among several workspaces); Rackside must be in it."
        ),
    ],
    day: Annotated[str, typer.Option("--day", help="The day of the week.")] = "monday",
    at: Annotated[str, typer.Option("--time", help="The time of day.")] = "09:00",
    zone: Annotated[str, typer.Option("--zone", help="The time zone, e.g. Europe/Berlin.")] = "UTC",
    by: Annotated[str, typer.Option("--by", help="Who wants it.")] = "",
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
) -> None:
    """Post a digest in a channel every week; said again for the same channel and place, it changes the time."""
    from bot.digest.schedule import DAYS, ScheduleProblem, minute, weekday, zone_name
    from bot.settings import load_settings
    from bot.store.readiness import Place
    from bot.store.subscriptions import Subscriptions

    settings = load_settings()
    settings.cluster(cluster)
    try:
        told = (weekday(day), minute(at), zone_name(zone))
    except ScheduleProblem as problem:
        raise typer.BadParameter(str(problem)) from None
    team, name = addressed(settings, channel)
    with audit_marks.opened(settings) as readiness:
        place = Place(cluster or "default", namespace or "", workload or "")
        made = Subscriptions(readiness.engine).subscribe(name, place, *told, by, team)
        coming = _next(readiness.engine, made)
    print(f"{made.id}: {channel} gets the digest of {place} every {DAYS[made.weekday]} at {at} ({made.zone})")
    print(f"the next one comes on {coming}")


@app.command("subscriptions")
def subscriptions(as_json: Json = False) -> None:
    """List who gets a digest, and when."""
    from dataclasses import asdict

    from bot.digest.schedule import DAYS
    from bot.settings import load_settings
    from bot.store.subscriptions import Subscriptions

    with audit_marks.opened(load_settings()) as readiness:
        found = Subscriptions(readiness.engine).all()
        rows = [(one, _next(readiness.engine, one), _last(readiness.engine, one)) for one in found]
    if as_json:
        told = [{**asdict(one), "next": coming, "last": last} for one, coming, last in rows]
        print(json.dumps(told, ensure_ascii=False))
        return
    for one, coming, last in rows:
        snoozed = one.snoozed_until is not None and one.snoozed_until > time.time()
        silent = "  muted" if one.muted_at is not None else "  snoozed" if snoozed else ""
        when = f"{DAYS[one.weekday]} {one.minute // 60:02}:{one.minute % 60:02} {one.zone}"
        channel = f"{one.team}/{one.channel}" if one.team else one.channel
        print(
            f"{one.id}  {channel}  {one.place}  {when}{silent or f'  next {coming}'}{f'  last {last}' if last else ''}"
        )


@app.command("unsubscribe")
def unsubscribe(name: Id) -> None:
    """End a subscription."""
    _changed(name, "unsubscribed")


@app.command("mute")
def mute(name: Id) -> None:
    """Post nothing until unmuted."""
    _changed(name, "muted")


@app.command("unmute")
def unmute(name: Id) -> None:
    """Post again."""
    _changed(name, "unmuted")


def _next(engine: sa.Engine, one: Subscription) -> str:
    """When the next digest of a subscription comes: one a week, so that a week that has had its digest has no second one."""
    from bot.digest.schedule import key_of, next_due
    from bot.store.records import Store

    coming = next_due(one, max(time.time(), one.snoozed_until or 0.0))
    if Store(engine).letter(key_of(one, coming.period)) is not None:
        coming = next_due(one, coming.at)
    moment = datetime.fromtimestamp(coming.at, UTC).astimezone(ZoneInfo(one.zone))
    return f"{moment.strftime('%A %-d %b %Y %H:%M')} ({one.zone})"


def _last(engine: sa.Engine, one: Subscription) -> str:
    """What became of the last digest of a subscription, empty where none was due yet."""
    from bot.digest.schedule import key_of, last_due
    from bot.store.records import Store

    last = last_due(one, time.time())
    letter = Store(engine).letter(key_of(one, last.period))
    return "" if letter is None else f"{last.period} {_BECAME.get(letter.state, letter.state)}"


def _changed(name: str, done: str) -> None:
    from bot.store.subscriptions import Subscriptions

    def of(engine: sa.Engine) -> Callable[[str], bool]:
        store = Subscriptions(engine)
        return store.unsubscribe if done == "unsubscribed" else partial(store.mute, muted=done == "muted")

    change(name, done, "subscription", "digest subscriptions", of)


def _made(place: Place, *, keep: bool) -> Digest:
    from rich.console import Console

    from bot.app import make_library
    from bot.audit_run import NoSuchWorkload
    from bot.digest import make
    from bot.settings import load_settings

    settings = load_settings()
    with audit_marks.opened(settings) as readiness:
        with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
            snapshot = make.look(settings, place, time.time())
            name = f"digest:here:{uuid.uuid4().hex}"
            try:
                kept, _ = make.judged(settings, make_library(settings).items(), place, snapshot, readiness, name)
            except NoSuchWorkload as problem:
                print(f"rackside: {problem}; `rackside doctor` says what can be seen.", file=sys.stderr)
                raise typer.Exit(BAD_USAGE) from None
        found = make.digest(readiness, kept, prefix="")
        if keep:
            readiness.keep(kept)
            readiness.prune()
    return found


def _post(place: Place, channel: str) -> None:
    from dataclasses import asdict

    from bot.settings import load_settings
    from bot.store.records import Ask, Store

    settings = load_settings()
    settings.cluster(None if place.cluster == "default" else place.cluster)
    team, channel = addressed(settings, channel)
    with audit_marks.opened(settings) as readiness:
        name = f"digest:here:{channel}:{uuid.uuid4().hex}"
        ask = Ask(team, channel, "", "", "", "readiness digest", "digest", {"place": asdict(place)}, name)
        Store(readiness.engine).accept(ask)
    print(f"handed in for {channel}: `rackside serve` posts it", file=sys.stderr)
