"""The host side of a replica.

Cores that are wanted, cores that the limit gives, and what throttling follows.
"""

from __future__ import annotations

import math

PERIOD = 0.1  # seconds of a CFS period


class Host:
    """CPU of one container.

    ``speed`` is how much of a core's work gets done per second of wall time, at most 1.
    """

    def __init__(self, limit: float | None, ranks: int) -> None:
        """``limit`` in cores, None for none.

        Every rank beyond a single one is a process that spins while it works.
        """
        self.limit = limit
        self.workers = ranks if ranks > 1 else 0
        self.speed = 1.0
        self.offered = 0.0
        self.free_at = 0.0
        self.used_seconds = 0.0
        self.periods = 0.0
        self.throttled_periods = 0.0
        self.throttled_seconds = 0.0
        self.cores = 0.0
        self._tokens = 0.0

    def tokenising(self, prompt: float) -> float:
        """Core seconds to take a request in: HTTP, template, tokeniser, the engine's queue."""
        return 0.0035 + 11e-6 * prompt

    def step_seconds(self, batch: float) -> float:
        """Core seconds that the host adds to one engine step: scheduling, sampling output, sending."""
        return 0.0009 + 14e-6 * batch

    @property
    def stretch(self) -> float:
        """How much longer an engine step takes.

        A throttled cgroup stands still, and with it every launch of a kernel.
        """
        return 1.0 + 0.9 * (1.0 / self.speed - 1.0)

    def spend(self, dt: float, busy: float, tokens: float) -> None:
        """Account for a step in which the engine worked ``busy`` of the time and generated ``tokens``."""
        self._tokens = tokens
        wanted = 0.12 + busy * (1.0 + 0.9 * self.workers) + self.offered + 0.00022 * tokens / dt / self.speed
        self._account(dt, wanted)
        goal = 1.0 if self.limit is None else max(0.03, min(1.0, self.limit / wanted))
        self.speed += 0.5 * (goal - self.speed)

    def rest(self, dt: float) -> None:
        """Account for a step in which nothing came."""
        self.offered = self._tokens = 0.0
        self.speed += 0.5 * (1.0 - self.speed)
        self._account(dt, 0.06)

    def sent_bytes(self, dt: float) -> float:
        """Bytes sent to clients in the last step: one server-sent event per token."""
        return self._tokens * 210 + 150 * dt

    def age(self, factor: float) -> None:
        """Pretend that the same had gone on ``factor`` times as long."""
        self.used_seconds *= factor
        self.periods *= factor
        self.throttled_periods *= factor
        self.throttled_seconds *= factor

    def _account(self, dt: float, wanted: float) -> None:
        self.cores = wanted if self.limit is None else min(wanted, self.limit)
        self.used_seconds += self.cores * dt
        if self.limit is None:
            return
        # Demand varies from period to period; a period is throttled when its demand passes the quota.
        share = 0.5 * (1 + math.erf((wanted - 0.95 * self.limit) / (0.2 * self.limit * math.sqrt(2))))
        hit = share * dt / PERIOD
        self.periods += dt / PERIOD
        self.throttled_periods += min(hit, dt / PERIOD)
        self.throttled_seconds += hit * PERIOD * max(0.08, 1 - self.limit / max(wanted, 1e-9)) * max(1.0, wanted)
