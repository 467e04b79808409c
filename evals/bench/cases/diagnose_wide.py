"""`diagnose` on a wide fleet, from metrics alone: the number of requests must not grow, nor what is added to the queries."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from evals.bench import wide_fleet
from evals.bench.rows import CannotMeasureError, Row, Size
from evals.bench.swept import swept
from evals.fleet.prometheus import CannotRunError, Prometheus

END = 1_773_144_000


def measure(size: Size) -> Iterator[Row]:
    """Seconds of a sweep beside those of its queries alone, for each size."""
    for gpus in size.wide_gpus:
        try:
            with tempfile.TemporaryDirectory(prefix="rackside-bench-") as scratch:
                history = Path(scratch) / "history.om"
                wide_fleet.write(history, gpus, size.wide_steps, END)
                with Prometheus([history]) as prometheus:
                    budget = "120 requests; 2 x raw; 1 GiB"
                    yield swept("metrics alone", prometheus.url, END, size, budget)
        except CannotRunError as problem:
            raise CannotMeasureError(str(problem)) from None
