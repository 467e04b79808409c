"""Hands in every digest that is due; the inbox takes each key once, ever."""

from __future__ import annotations

from collections.abc import Iterable

from bot.desk import Bench, Chore
from bot.digest.schedule import due
from bot.store.records import Ask
from bot.store.subscriptions import Subscriptions


def open_chore(bench: Bench) -> Chore:
    """The chore."""
    subscriptions = Subscriptions(bench.store.engine)

    def look(now: float) -> Iterable[Ask]:
        every = subscriptions.all()
        channels = {one.id: (one.team or bench.team, one.channel) for one in every}
        for key, payload in due(every, now):
            # Only saves trying: what counts is that the inbox accepts a key once.
            if bench.store.letter(key) is None:
                team, channel = channels[payload["subscription"]]
                yield Ask(team, channel, "", "", "", "readiness digest", "digest", payload, key)

    return look
