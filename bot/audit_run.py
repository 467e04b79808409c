"""One audit from the sources of the settings: read everything once, judge, lay over what people said."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from bot.app import make_sources
from bot.audit import audit
from bot.audit_marks import marked
from bot.audit_output import Report
from bot.store.readiness import Mark, Place
from tools.casebook import asks
from tools.diagnose import Diagnosis, Within
from tools.signals import Ask
from tools.snapshot import Snapshot
from tools.survey import survey

if TYPE_CHECKING:
    from bot.settings import Settings
    from knowledge.items import Item


class NoSuchWorkload(ValueError):  # noqa: N818 - what people read
    """Nothing in the snapshot is what was asked for."""


def run(
    settings: Settings, items: Sequence[Item], place: Place, now: float, *, marks: Sequence[Mark] = (), unread: str = ""
) -> Report:
    """Audit a place now; `unread` says why marks could not be read. Raises NoSuchWorkload where the place holds none."""
    return report(look(settings, place, now), items, place, settings.limits, marks, unread)


def look(settings: Settings, place: Place, now: float, *, more: Collection[Ask] = (), past: bool = False) -> Snapshot:
    """Everything that the checks (and `more`) want to know, read once; `past` says that `now` lies behind us."""
    prom, kube, matchers = make_sources(settings, None if place.cluster == "default" else place.cluster)
    return survey(prom, kube, {*asks(), *asks(rules=True), *more}, now, past=past, matchers=matchers)


def within_of(place: Place) -> Within:
    """A place as the scope of a diagnosis."""
    return Within(place.namespace or None, place.workload or None)


def report(
    snapshot: Snapshot,
    items: Sequence[Item],
    place: Place,
    limits: dict[str, dict[str, float]] | None = None,
    marks: Sequence[Mark] = (),
    unread: str = "",
    found: Diagnosis | None = None,
) -> Report:
    """The audit of a snapshot; `found` is its diagnosis within the place, where somebody has made it already."""
    within = within_of(place)
    narrowed = not within.everything
    if narrowed and not snapshot.sees_nothing and not any(map(within.holds, snapshot.topology.workloads)):
        raise NoSuchWorkload("no such workload is known")
    judged = marked(audit(items, snapshot, within, limits, found), marks, place, snapshot.at)
    unseen = tuple(f"{source.name}: {source.blind}" for source in snapshot.sources if source.blind is not None)
    return Report(tuple(judged), place, snapshot.at, (*unseen, *([unread] if unread else [])), snapshot.sees_nothing)
