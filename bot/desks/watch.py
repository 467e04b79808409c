"""A watchdog's notice."""

from __future__ import annotations

from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.store.records import Ask
from bot.store.watches import Watches
from bot.watch.notice import compose

KINDS = ("watch",)


def open_desk(bench: Bench) -> Desk:
    """The desk."""
    watches = Watches(bench.store.engine)

    def desk(ask: Ask, _progress: Progress) -> Composed:
        told = [str(one["subject"]) for one in ask.payload["found"]]
        watches.say(str(ask.payload["watch"]), told, float(ask.payload["at"]))
        return composed(compose(ask.payload, ask.key))

    return desk
