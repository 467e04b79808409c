"""How often: a token bucket for each person and each channel, in memory, and a sentence that is said once."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from bot.access.rules import Rate

_KEPT = 10_000


class Meter:
    """Buckets by name. Safe to use from many threads."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """`clock` in seconds; it may be any that never goes back."""
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
        self._told: set[str] = set()
        self._charged: OrderedDict[str, bool] = OrderedDict()

    def take(self, ask: str, limits: dict[str, Rate | None]) -> tuple[bool, bool]:
        """May this ask go on, and, where it may not, is this the first time that it is said? Asked twice, it is charged once."""
        with self._lock:
            if ask in self._charged:
                return self._charged[ask], False
            now = self._clock()
            left = {name: self._left(name, rate, now) for name, rate in limits.items() if rate is not None}
            empty = [name for name, tokens in left.items() if tokens < 1.0]
            for name, tokens in left.items():
                self._put(name, tokens if empty else tokens - 1.0, now)
            first = bool(empty) and not self._told & set(empty)
            self._told = (self._told - (set(left) - set(empty))) | set(empty)
            self._charged[ask] = not empty
            while len(self._charged) > _KEPT:
                self._charged.popitem(last=False)
            return not empty, first

    def _left(self, name: str, rate: Rate, now: float) -> float:
        tokens, since = self._buckets.get(name, (float(rate.at_once), now))
        return min(float(rate.at_once), tokens + max(0.0, now - since) * rate.a_minute / 60.0)

    def _put(self, name: str, tokens: float, now: float) -> None:
        self._buckets[name] = (tokens, now)
        self._buckets.move_to_end(name)
        while len(self._buckets) > _KEPT:
            gone, _ = self._buckets.popitem(last=False)
            self._told.discard(gone)
