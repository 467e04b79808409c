"""Lets the watchdogs look, in a thread of its own, and hands in what they have to tell."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Sequence
from queue import Empty, SimpleQueue

from bot.desk import Bench, Chore
from bot.store.records import Ask
from bot.store.watches import Watch, Watches
from bot.watch.look import EVERY, look
from bot.watch.notice import DARK_SINCE, darkened, due

log = logging.getLogger("rackside.watch")


def open_chore(bench: Bench) -> Chore:
    """The chore."""
    watches = Watches(bench.store.engine)
    looked: dict[str, float] = {}
    told: SimpleQueue[Ask] = SimpleQueue()
    at_work: list[threading.Thread] = []

    def run(some: Sequence[Watch], now: float) -> None:
        for one in some:
            try:
                for ask in asks(bench, watches, one, now):
                    told.put(ask)
            except Exception:
                log.exception("the %s watchdog %s could not look: it tries again later", one.kind, one.id)

    def chore(now: float) -> Iterable[Ask]:
        # A look at a large fleet takes seconds: nothing else may wait for it.
        if bench.settings is not None and not (at_work and at_work[0].is_alive()):
            some = [
                one
                for one in watches.all()
                if one.muted_at is None and now - looked.get(one.id, 0.0) >= EVERY[one.kind]
            ]
            looked.update({one.id: now for one in some})
            if some:
                at_work[:] = [threading.Thread(target=run, args=(some, now), name="watch", daemon=True)]
                at_work[0].start()
        return list(_drain(told))

    return chore


def asks(bench: Bench, watches: Watches, watch: Watch, now: float) -> Iterable[Ask]:
    """What one watchdog has to tell after a look."""
    assert bench.settings is not None
    said = watches.said(watch.id)
    found, since = darkened(look(bench.settings, bench.store.engine, watch, now), said, now)
    if since is not None:
        watches.say(watch.id, [DARK_SINCE], since)
    for key, payload in due(watch, found, said, now):
        yield Ask(watch.team or bench.team, watch.channel, "", "", "", f"{watch.kind} watch", "watch", payload, key)


def _drain(queue: SimpleQueue[Ask]) -> Iterable[Ask]:
    while True:
        try:
            yield queue.get_nowait()
        except Empty:
            return
