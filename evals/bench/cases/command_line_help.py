"""`rackside --help`: nothing heavy is imported before it is needed."""

from __future__ import annotations

from collections.abc import Iterator

from evals.bench.processes import python, spend
from evals.bench.rows import Row, Size, compared


def measure(size: Size) -> Iterator[Row]:
    """CPU seconds of the help text beside those of an interpreter that does nothing."""
    ours: list[float] = []
    raw: list[float] = []
    for _ in range(size.runs):
        raw.append(spend(python("-c", "pass")).cpu_s)
        ours.append(spend(python("-m", "bot", "--help")).cpu_s)
    yield compared("rackside --help", "CPU s", ours, raw, "python -c pass", "0.5 s of CPU")
