"""A watchdog's notice."""

from __future__ import annotations

from bot.access.places import placed
from bot.access.visit import allowed
from bot.blocks import plain
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.store.records import Ask
from bot.store.watches import Watches
from bot.watch.notice import compose

KINDS = ("watch",)
NARROWS = KINDS
GONE = "This watchdog was stopped in the meantime."


def open_desk(bench: Bench) -> Desk:
    """The desk."""
    watches = Watches(bench.store.engine)

    def desk(ask: Ask, _progress: Progress) -> Composed:
        watch = next((one for one in watches.all() if one.id == ask.payload["watch"]), None)
        if watch is None:
            return composed(plain(GONE), good=False)
        place, refusal = placed(watch.place, allowed())
        if not refusal and place != watch.place:
            refusal = f"This watchdog looks at more than this channel may see: set it for {place.namespace or place.cluster} alone."
        if refusal:
            return composed(plain(refusal), good=False)
        told = [str(one["subject"]) for one in ask.payload["found"]]
        watches.say(str(ask.payload["watch"]), told, float(ask.payload["at"]))
        return composed(compose(ask.payload, ask.key))

    return desk
