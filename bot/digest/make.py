"""A digest made from the world: look once, judge, keep, compare. Doing it again under a key tells the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from bot import audit_run
from bot.audit_history import streak, to_keep
from bot.digest import spending
from bot.digest.beside import Triaged, to_text
from bot.digest.content import Attention, Digest, compose
from bot.store.readiness import DAY_S, Kept, Past, Place, Readiness

if TYPE_CHECKING:
    from bot.audit_output import Report
    from bot.settings import Settings
    from knowledge.items import Item
    from tools.diagnose import Diagnosis
    from tools.snapshot import Snapshot

WINDOW = "1d"
TREND_S = 70 * DAY_S


def look(settings: Settings, place: Place, now: float, *, past: bool = False, window: str = WINDOW) -> Snapshot:
    """Everything that the checks and the costs want to know, read once."""
    from tools.costs import asks as cost_asks
    from tools.costs import window_of

    return audit_run.look(settings, place, now, more=cost_asks(window_of(window)[0]), past=past)


def judged(
    settings: Settings,
    items: Sequence[Item],
    place: Place,
    snapshot: Snapshot,
    readiness: Readiness,
    name: str,
    triaged: Sequence[Triaged] | None = None,
    window: str = WINDOW,
    found: Diagnosis | None = None,
) -> tuple[Kept, Report]:
    """The audit of a snapshot in the form that is kept, costs and incidents included, and the audit itself.

    `found` is the diagnosis of the place, where how its incidents ended was read off it: every check is made once.
    """
    audited = audit_run.report(snapshot, items, place, settings.limits, readiness.marks(place.cluster), found=found)
    told = to_text(spent(settings, place, snapshot, window), triaged)
    return to_keep(audited, name, told), audited


def spent(settings: Settings, place: Place, snapshot: Snapshot, window: str = WINDOW) -> spending.Spending:
    """What the place costs; unknown, with the reason, where that cannot be told."""
    from bot.cost import costs_of
    from bot.settings import SettingsProblem

    try:
        return spending.spending_of(costs_of(settings, snapshot, window, audit_run.within_of(place)))
    except SettingsProblem as problem:
        return spending.Spending(window=window, why=str(problem))


def digest(
    readiness: Readiness,
    kept: Kept,
    *,
    prefix: str,
    late: str = "",
    before: Kept | None = None,
) -> Digest:
    """The digest of a kept audit against the one of the digest before it (those whose ids begin with `prefix`)."""
    last = before if before is not None else readiness.latest(kept.place, kept.at, prefix)
    runs = readiness.runs(kept.place, kept.at - TREND_S, kept.at, prefix)
    trend = [run for run in runs if run.id != kept.id] or ([last] if last is not None else [])
    found = compose(kept, last, trend=[*trend, kept], marks=readiness.marks(kept.place.cluster), late=late)
    return replace(found, attention=tuple(_dated(readiness, kept, one) for one in found.attention))


def _dated(readiness: Readiness, kept: Kept, one: Attention) -> Attention:
    """With since when it is so, as far as audits were kept."""
    past = [each for each in readiness.past(kept.place, one.id) if each.at < kept.at]
    found = streak([*past, Past(kept.at, one.state, "")])
    if found is None or found.first.at >= kept.at:
        return one
    return replace(one, since=found.first.at, ever=found.before is None)
