"""What arrives: requests with their times, prompt and answer lengths."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from evals.fleet.recipe import Lengths, Traffic

Floats = NDArray[np.float64]
_FRESH = math.sqrt(1 - 0.97**2)


def rate(traffic: Traffic, at: float, end: float) -> float:
    """Requests per second that the traffic means at a time, before noise.

    ``end`` is what relative times refer to.
    """
    factor = 1.0
    for point in traffic.points:
        since = at - (end + point.at)
        if since >= 0:
            reached = 1.0 if point.ramp <= 0 else min(1.0, since / point.ramp)
            factor += (point.factor - factor) * reached
    if traffic.daily:
        factor *= 1 + traffic.daily * math.sin(2 * math.pi * (at % 86400 - 32400) / 86400)
    if traffic.burst and (at % traffic.burst.every) < traffic.burst.lasts:
        factor *= traffic.burst.factor
    return traffic.rate * max(0.0, factor)


def lengths(what: Lengths, count: int, rng: np.random.Generator) -> Floats:
    """Draw token lengths, at least one each, whose mean before clipping is the one asked for."""
    mu = math.log(what.mean) - what.sigma**2 / 2
    return np.minimum(np.maximum(np.rint(rng.lognormal(mu, what.sigma, count)), 1), what.most)


class Arrivals:
    """The stream of one workload; its noise drifts slowly, so that neighbouring steps resemble each other."""

    def __init__(self, rng: np.random.Generator) -> None:
        """Start a stream on its own random generator."""
        self._rng = rng
        self._drift = 0.0

    def draw(self, traffic: Traffic, at: float, dt: float, end: float) -> Floats:
        """Requests of the step ``[at, at + dt)`` as rows of time, prompt tokens, answer tokens, wants
        prompt logprobs.
        """
        self._drift = 0.97 * self._drift + _FRESH * self._rng.normal()
        mean = rate(traffic, at, end) * max(0.0, 1 + traffic.noise * self._drift)
        count = int(self._rng.poisson(mean * dt)) if mean > 0 else 0
        rows = np.empty((count, 4))
        rows[:, 0] = np.sort(self._rng.uniform(at, at + dt, count))
        rows[:, 1] = lengths(traffic.prompt, count, self._rng)
        rows[:, 2] = np.minimum(lengths(traffic.answer, count, self._rng), traffic.max_tokens)
        rows[:, 3] = self._rng.uniform(size=count) < traffic.prompt_logprobs
        return rows
