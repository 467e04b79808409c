"""A triage on a clock of the test's own, whose asks are answered at once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from bot.store.records import Ask, Store
from bot.triage.plan import Triage
from bot.triage.settings import AlertSettings
from bot.triage.webhook import read
from tests.bot.triage.bodies import NOON, raw


class Desk:
    """A triage whose asks are answered at once, with ts 1, 2, 3..."""

    def __init__(self, store: Store, **settings: Any) -> None:
        self.now = NOON + 60
        self.store = store
        self.asks: list[Ask] = []
        self.delivers = True
        self.settings = AlertSettings(**{"channel": "C0ALERTS", **settings})
        self.triage = self.again()

    def again(self) -> Triage:
        """As after a restart."""
        self.triage = Triage(self.store, self.settings, "T1", lambda: self.now)
        return self.triage

    def tell(self, *alerts: dict[str, Any], **other: Any) -> list[Ask]:
        notice = read(raw(*alerts, **other), "alertmanager")
        return self._do(self.triage.take(replace(notice, channel=self.settings.channel_for(notice.common))))

    def wait(self, seconds: float) -> list[Ask]:
        self.now += seconds
        return self._do(self.triage.due())

    def _do(self, asks: Iterator[Ask]) -> list[Ask]:
        new = []
        for ask in asks:
            if self.store.accept(ask):
                new.append(ask)
                self.asks.append(ask)
                if self.delivers:
                    self.deliver(ask)
        return new

    def deliver(self, ask: Ask) -> None:
        self.store.answered(ask.key, str(ask.payload.get("replaces") or len(self.asks)))

    def group(self) -> Any:
        return self.triage.book.group(str(self.asks[0].payload["group"]))
