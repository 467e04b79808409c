"""Write a world's history as OpenMetrics text, the form that promtool turns into blocks."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from evals.fleet.columns import Column, Columns

INCIDENT_BUDGET = 300_000
DEMO_BUDGET = 5_000_000


def write(columns: Columns, path: Path, budget: int = DEMO_BUDGET) -> int:
    """Write every series to a file, family by family, and say how many samples there were.

    Raises ValueError when there are more samples than ``budget``; then nothing is written.
    """
    if columns.count > budget:
        raise ValueError(
            f"the history has {columns.count:,} samples in {len(columns):,} series, and {budget:,} "
            "are allowed: shorten it, scrape less "
            "often, or drop series (scrape.interval, scrape.coarse, scrape.drop)"
        )
    families: dict[str, list[Column]] = defaultdict(list)
    kinds: dict[str, str] = {}
    for column in columns:
        family, kind = _family(column)
        families[family].append(column)
        kinds[family] = kind
    with path.open("w", encoding="utf-8", newline="\n") as out:
        for family in sorted(families):
            out.write(f"# TYPE {family} {kinds[family]}\n")
            for column in families[family]:
                head = f"{column.name}{_labels(column.labels)} "
                out.write("".join(_rows(head, column)))
        out.write("# EOF\n")
    return columns.count


def _rows(head: str, column: Column) -> Iterator[str]:
    # Most samples say what the one before them said.
    before, said = math.nan, ""
    for at, value in zip(column.times, column.values, strict=True):
        if value != before:
            before, said = value, f"{head}{number(value)} "
        yield f"{said}{at}\n"


def _family(column: Column) -> tuple[str, str]:
    # OpenMetrics wants counters to end in _total; what an exporter types counter without it can only be
    # unknown.
    if column.type == "histogram":
        return column.family, "histogram"
    if column.type == "counter" and column.name.endswith("_total"):
        return column.name.removesuffix("_total"), "counter"
    return column.name, "gauge" if column.type == "gauge" else "unknown"


def _labels(labels: tuple[tuple[str, str], ...]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{escape(value)}"' for name, value in labels) + "}"


def escape(value: str) -> str:
    """A label's value as the text formats quote it."""
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def number(value: float) -> str:
    return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
