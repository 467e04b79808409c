"""Cumulative histograms with the buckets that vLLM declares (v1/metrics/loggers.py)."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from evals.fleet.sample import Labels, Sample

TTFT = (
    0.001,
    0.005,
    0.01,
    0.02,
    0.04,
    0.06,
    0.08,
    0.1,
    0.25,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
    80.0,
    160.0,
    640.0,
    2560.0,
)
TPOT = (
    0.01,
    0.025,
    0.05,
    0.075,
    0.1,
    0.15,
    0.2,
    0.3,
    0.4,
    0.5,
    0.75,
    1.0,
    2.5,
    5.0,
    7.5,
    10.0,
    20.0,
    40.0,
    80.0,
)
LATENCY = (
    0.3,
    0.5,
    0.8,
    1.0,
    1.5,
    2.0,
    2.5,
    5.0,
    10.0,
    15.0,
    20.0,
    30.0,
    40.0,
    50.0,
    60.0,
    120.0,
    240.0,
    480.0,
    960.0,
    1920.0,
    7680.0,
)
ITERATION = (1.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0, 2048.0, 4096.0, 8192.0, 16384.0)
PARAMS_N = (1.0, 2.0, 5.0, 10.0, 20.0)


def one_two_five(most: int) -> tuple[float, ...]:
    """The buckets 1, 2, 5, 10, ... up to the longest sequence."""
    steps = (float(m * 10**e) for e in range(12) for m in (1, 2, 5))
    return tuple(step for step in steps if step <= most)


class Histogram:
    """Counts per bucket; observing takes a whole array, or a value many times."""

    def __init__(self, name: str, edges: tuple[float, ...]) -> None:
        """Name the family and its upper bounds, +Inf left out."""
        self.name = name
        self.edges = np.asarray(edges)
        self._counts = np.zeros(len(edges) + 1)
        self._total = 0.0
        self._les = [_number(edge) for edge in edges] + ["+Inf"]
        self._keys: Labels | None = None
        self._last: list[Sample] = []
        self._values: list[float] = []
        self._times: list[float] = []

    def observe(self, values: NDArray[np.float64]) -> None:
        """Count every value once."""
        if len(values):
            self._counts += np.bincount(np.searchsorted(self.edges, values), minlength=len(self._counts))
            self._total += float(values.sum())

    def one(self, value: float, times: float = 1.0) -> None:
        """Count one value ``times`` times; it is kept aside until somebody looks."""
        self._values.append(value)
        self._times.append(times)

    def _settle(self) -> None:
        if self._values:
            values, times = np.asarray(self._values), np.asarray(self._times)
            where = np.searchsorted(self.edges, values)
            self._counts += np.bincount(where, weights=times, minlength=len(self._counts))
            self._total += float((values * times).sum())
            self._values, self._times = [], []

    @property
    def counts(self) -> NDArray[np.float64]:
        """Observations per bucket, not cumulated; the last one is beyond every bound."""
        self._settle()
        return self._counts

    @property
    def total(self) -> float:
        """The sum of all values."""
        self._settle()
        return self._total

    def copy_from(self, other: Histogram) -> None:
        """Hold what another histogram with the same bounds holds."""
        self._counts, self._total = other.counts, other.total

    def grow(self, factor: float) -> None:
        """Pretend that the same was observed ``factor`` times as long."""
        self._counts = np.rint(self.counts * factor)
        self._total *= factor

    @property
    def count(self) -> float:
        """How many values were observed (whole ones)."""
        return float(np.floor(self.counts.sum() + 1e-9))

    def samples(self, labels: Labels) -> list[Sample]:
        """The exposition: cumulative buckets, sum and count.

        Buckets that did not move are the same objects as before.
        """
        whole = np.floor(np.cumsum(self.counts) + 1e-9).tolist()
        family = self.name
        if self._keys != labels:
            bucket = f"{family}_bucket"
            self._keys = labels
            self._last = [
                Sample(bucket, tuple(sorted((*labels, ("le", le)))), -1.0, "histogram", family) for le in self._les
            ]
        for place, value in enumerate(whole):
            old = self._last[place]
            if old.value != value:
                self._last[place] = Sample(old.name, old.labels, value, "histogram", family)
        return [
            *self._last,
            Sample(f"{family}_sum", labels, self.total, "histogram", family),
            Sample(f"{family}_count", labels, whole[-1], "histogram", family),
        ]


def _number(edge: float) -> str:
    # prometheus_client prints bounds as Python floats: 1.0, not 1.
    return repr(float(edge))
