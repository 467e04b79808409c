"""`rackside watch`: who is told of idle GPUs and of what expires. Watchdogs notify and propose; they never act."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import audit_marks
from bot.cli.ask import Cluster, Json, Namespace, Workload
from bot.cli.ended import change
from bot.cli.workspaces import addressed

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.store.watches import WatchKind

app = typer.Typer(no_args_is_help=True, add_completion=False, rich_markup_mode=None)
Channel = Annotated[
    str,
    typer.Argument(
        help="The channel's id, e.g. C0123456789 (T0123/C0123456789 among several workspaces); Rackside must be in it."
    ),
]
Id = Annotated[str, typer.Argument(help="The id that `watch list` shows.")]
Allow = Annotated[
    list[str] | None, typer.Option("--allow", help="Leave these alone: chat/*, deployment/chat/llama, node/spare-*.")
]
By = Annotated[str, typer.Option("--by", help="Who wants it.")]


@app.command("idle")
def idle(
    channel: Channel,
    grace: Annotated[str, typer.Option("--grace", help="For how long they must have done nothing: 15m to 7d.")] = "4h",
    share: Annotated[
        float, typer.Option("--share", min=50, max=100, help="In how much of that time, in percent.")
    ] = 95,
    allow: Allow = None,
    by: By = "",
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
) -> None:
    """Tell a channel of GPUs that are held or free and do nothing. What cannot be seen is never called idle."""
    from tools.costs import WindowError, window_of

    try:
        text, _ = window_of(grace)
    except WindowError as problem:
        raise typer.BadParameter(str(problem)) from None
    _set("idle", channel, (cluster, namespace, workload), text, share / 100, allow, by)


@app.command("expiry")
def expiry(
    channel: Channel,
    days: Annotated[float, typer.Option("--days", min=1, max=90, help="How many days ahead.")] = 14,
    allow: Allow = None,
    by: By = "",
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
) -> None:
    """Tell a channel of attestations, waivers and certificates that end."""
    _set("expiry", channel, (cluster, namespace, workload), "", days, allow, by)


@app.command("list")
def listed(as_json: Json = False) -> None:
    """List the watchdogs."""
    from bot.settings import load_settings
    from bot.store.watches import Watches

    with audit_marks.opened(load_settings()) as readiness:
        found = Watches(readiness.engine).all()
    if as_json:
        print(json.dumps([asdict(one) for one in found], ensure_ascii=False))
        return
    for one in found:
        what = f"idle for {one.grace} in {100 * one.least:g} %" if one.kind == "idle" else f"ends in {one.least:g} days"
        muted = "  muted" if one.muted_at is not None else ""
        alone = f"  leaves {', '.join(one.allowed)} alone" if one.allowed else ""
        channel = f"{one.team}/{one.channel}" if one.team else one.channel
        print(f"{one.id}  {channel}  {one.place}  {what}{alone}{muted}")


@app.command("look")
def look(name: Id, as_json: Json = False) -> None:
    """Look now, and tell here what the watchdog would tell; nothing is posted."""
    from rich.console import Console

    from bot.settings import load_settings
    from bot.store.watches import Watches
    from bot.watch.look import look as take
    from bot.watch.notice import allowed

    settings = load_settings()
    with audit_marks.opened(settings) as readiness:
        one = next((each for each in Watches(readiness.engine).all() if each.id == name), None)
        if one is None:
            raise typer.BadParameter(f"there is no watchdog {name!r}; `rackside watch list` lists them")
        with Console(stderr=True).status("Looking ..."):
            found = take(settings, readiness.engine, one, time.time())
    told = [each for each in found.found if not allowed(each.subject, one.allowed)]
    alone = len(found.found) - len(told)
    if as_json:
        print(json.dumps({"found": [asdict(each) for each in told], "unknown": found.unknown}, ensure_ascii=False))
        return
    for each in told:
        print(f"{each.subject}: {each.said} Owner: {each.owner or 'not known'}. {each.proposal}")
    if not told:
        print(nothing(found.unknown, alone))
    for who, why in found.unknown:
        print(f"not known of {who}: {why}", file=sys.stderr)


def nothing(unknown: Sequence[tuple[str, str]], alone: int = 0) -> str:
    """That there is nothing to tell, of what was seen: who was not seen is named, who is left alone counted."""
    left = f" {alone} {'is' if alone == 1 else 'are'} left alone, as was asked." if alone else ""
    if not unknown:
        return f"Nothing to tell of.{left}"
    names = ", ".join(dict.fromkeys(who for who, _ in unknown[:3]))
    more = f" and {len(unknown) - 3} more" if len(unknown) > 3 else ""
    return f"Nothing to tell of what could be seen. Not seen, and so not known: {names}{more}.{left}"


@app.command("stop")
def stop(name: Id) -> None:
    """End a watchdog."""
    _changed(name, "stopped")


@app.command("mute")
def mute(name: Id) -> None:
    """Silence a watchdog."""
    _changed(name, "muted")


@app.command("unmute")
def unmute(name: Id) -> None:
    """Let a watchdog speak again."""
    _changed(name, "unmuted")


def _changed(name: str, done: str) -> None:
    from bot.store.watches import Watches

    def of(engine: sa.Engine) -> Callable[[str], bool]:
        store = Watches(engine)
        return store.stop if done == "stopped" else partial(store.mute, muted=done == "muted")

    change(name, done, "watchdog", "watch list", of)


def _set(
    kind: WatchKind, channel: str, where: tuple[str | None, str | None, str | None], grace: str, least: float,
    allow: list[str] | None, by: str,
) -> None:  # fmt: skip
    from bot.settings import load_settings
    from bot.store.readiness import Place
    from bot.store.watches import Watches

    settings = load_settings()
    settings.cluster(where[0])
    team, name = addressed(settings, channel)
    place = Place(where[0] or "default", where[1] or "", where[2] or "")
    with audit_marks.opened(settings) as readiness:
        made = Watches(readiness.engine).watch(kind, name, place, grace, least, allow or [], by, team)
    print(f"{made.id}: {channel} is told of {'idle GPUs' if kind == 'idle' else 'what expires'} in {place}")
