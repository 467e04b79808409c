"""One look of a watchdog at the world."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from bot.store.readiness import Readiness
from bot.store.watches import Watch
from bot.watch.expiry import certificates, ending
from bot.watch.idle import idle
from bot.watch.notice import Looked
from tools.diagnose import Within

if TYPE_CHECKING:
    import sqlalchemy as sa

    from bot.settings import Settings

# How often each kind looks, in seconds.
EVERY = {"idle": 3600.0, "expiry": 6 * 3600.0}


def look(settings: Settings, engine: sa.Engine, watch: Watch, now: float) -> Looked:
    """What a watchdog would tell of now, before anybody is asked to be left alone."""
    cluster = None if watch.place.cluster == "default" else watch.place.cluster
    if watch.kind == "idle":
        from bot.cost import read_costs
        from tools.costs import window_of

        within = Within(watch.place.namespace or None, watch.place.workload or None)
        costs, snapshot = read_costs(settings, cluster, within, watch.grace, clock=lambda: now)
        told = idle(costs, window_of(watch.grace)[1], watch.least)
        if snapshot.sees_nothing:
            return replace(
                told, dark="; ".join(f"{one.what}: {one.why}" for one in costs.blind) or "no source answered"
            )
        if costs.workloads or costs.nodes:
            return told
        # Nobody holds a GPU here, as far as it was seen: that is no word on whoever should.
        return Looked(told.found, ((str(watch.place), "no GPU can be seen, nor anybody who holds one"), *told.unknown))
    from bot.app import make_sources

    prom, _kube, matchers = make_sources(settings, cluster)
    told = certificates(prom, now, watch.least, matchers)
    marks = ending(Readiness(engine).marks(watch.place.cluster), watch.place, now, watch.least)
    return Looked((*marks, *told.found), told.unknown, told.dark)
