"""`rackside audit history`: kept audits, what changed between them, and since when an item fails."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bot.cli import audit_marks
from bot.cli.ask import Cluster, Json, Namespace, Workload

if TYPE_CHECKING:
    from bot.audit_history import Streak
    from bot.store.readiness import Kept, Place, Readiness

_SHOWN = 12


def history(
    item: Annotated[str, typer.Argument(help="One item: since when it is what it is.")] = "",
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    as_json: Json = False,
) -> None:
    """Show the trend of the score and what changed with each kept audit; of one item, when it began to fail."""
    from bot.settings import load_settings
    from bot.store.readiness import Place

    place = Place(cluster or "default", namespace or "", workload or "")
    with audit_marks.opened(load_settings()) as readiness:
        told = _of_item(readiness, place, item.upper()) if item else _trend(readiness, place)
    if as_json:
        print(json.dumps(told["data"], ensure_ascii=False))
    else:
        print("\n".join(told["lines"]))


def _trend(readiness: Readiness, place: Place) -> dict[str, Any]:
    from bot.audit_history import changes
    from bot.audit_output import rfc3339
    from bot.audit_score import percent

    runs = readiness.runs(place)[-_SHOWN:]
    if not runs:
        return {"data": [], "lines": [f"No audit of {place} is kept yet: `rackside audit --keep` keeps one."]}
    data: list[dict[str, Any]] = []
    lines: list[str] = []
    before: Kept | None = None
    for run in runs:
        kept = readiness.run(run.id)
        if kept is None:
            # Thinned away since the list was read.
            continue
        differ = changes(before, kept) if before is not None else []
        before = kept
        data.append(
            {
                "at": rfc3339(run.at),
                "score": run.score,
                "verified": run.verified,
                "changes": [asdict(one) for one in differ],
            }
        )
        lines.append(f"{rfc3339(run.at)}  {percent(run.score):>5} ready, {percent(run.verified)} verified live")
        lines += [f"    {one.kind:<9} {one.id}  {one.title}" for one in differ]
    return {"data": data, "lines": lines}


def _of_item(readiness: Readiness, place: Place, item: str) -> dict[str, Any]:
    from bot.audit_history import streak
    from bot.audit_output import TITLES, rfc3339

    past = readiness.past(place, item)
    found = streak(past)
    if found is None:
        return {"data": None, "lines": [f"No kept audit of {place} judged {item}: `rackside audit --keep` keeps one."]}
    data = {
        "item": item,
        "state": found.state,
        "since": rfc3339(found.first.at),
        "not_before": rfc3339(found.before.at) if found.before else None,
        "past": [{"at": rfc3339(one.at), "state": one.state, "why": one.why} for one in past],
    }
    lines = [sentence(item, found), ""]
    lines += [f"{rfc3339(one.at)}  {TITLES[one.state]:<9}  {one.why}" for one in past]  # type: ignore[index]
    return {"data": data, "lines": lines}


def sentence(item: str, found: Streak) -> str:
    """Since when an item is what it is, in a sentence."""
    from bot.audit_output import TITLES

    verb = {"fail": "fails", "pass": "passes", "unknown": "could not be seen"}.get(found.state)
    verb = verb or f"is {TITLES[found.state]}"  # type: ignore[index]
    if found.before is None:
        told = f"{item} {verb}, already when it was first looked at on {_moment(found.first.at)}"
    elif found.before.state == "unknown":
        told = f"{item} {verb} since {_moment(found.first.at)} at the latest: on {_moment(found.before.at)} it could not be seen"
    else:
        state = TITLES[found.before.state]  # type: ignore[index]
        told = f"{item} {verb} since between {_moment(found.before.at)} (then: {state}) and {_moment(found.first.at)}"
    times = "once" if found.unseen == 1 else f"{found.unseen} times"
    return f"{told}; {times} in between it could not be seen." if found.unseen else f"{told}."


def _moment(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
