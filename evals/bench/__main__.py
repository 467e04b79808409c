"""What Rackside costs: `python -m evals.bench [--runs N] [--gpus N] [--only CASE] [--json]`, also `make bench`.

Every figure stands beside a raw baseline of the same run; nothing is asserted, machines differ.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from evals.bench.rows import CannotMeasureError, Row, Size, found

TINY = Size(
    runs=1, copies=1, history_s=120, wide_gpus=(16,), wide_steps=12, large_libraries=(3_000,), built_pack="governance"
)


def main(arguments: Sequence[str]) -> int:
    """Measure and print; 0 when everything was measured, 2 when something could not be."""
    cases = found()
    parser = argparse.ArgumentParser(
        prog="python -m evals.bench", description="What Rackside costs, beside raw baselines."
    )
    parser.add_argument("--runs", type=_positive, default=Size().runs, help="repetitions; the median counts")
    parser.add_argument("--gpus", type=_positive, action="append", help="GPUs of the wide fleet; may be repeated")
    parser.add_argument("--only", action="append", choices=sorted(cases), help="one measurement; may be repeated")
    parser.add_argument("--tiny", action="store_true", help="one run of the smallest fleets: does it work at all?")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    chosen = parser.parse_args(arguments)
    size = TINY if chosen.tiny else Size(runs=chosen.runs, wide_gpus=tuple(chosen.gpus or Size().wide_gpus))
    err = Console(stderr=True)
    rows: list[tuple[str, Row]] = []
    failed: dict[str, str] = {}
    for name in chosen.only or cases:
        try:
            with err.status(f"Measuring {name} ..."):
                rows += [(name, row) for row in cases[name](size)]
        except CannotMeasureError as problem:
            failed[name] = str(problem)
            err.print(Text(f"bench: {name} could not be measured: {problem}"))
    command = " ".join(["python -m evals.bench", *arguments])
    if chosen.json:
        told = {"command": command, "rows": [as_json(name, row) for name, row in rows], "failed": failed}
        print(json.dumps(told, ensure_ascii=False))
    else:
        out = Console()
        out.print(table(command, [row for _, row in rows]))
        for line in filter(None, (seen(row) for _, row in rows)):
            out.print(Text(line, style="dim"))
    return 2 if failed else 0


def as_json(name: str, row: Row) -> dict[str, Any]:
    """A row as plain data, its ratio included (null where the baseline took no measurable time)."""
    ratio = row.ratio
    return {"case": name, **asdict(row), "ratio": round(ratio, 3) if math.isfinite(ratio) else None}


def table(command: str, rows: Sequence[Row]) -> Table:
    """The rows as a person reads them."""
    shown = Table(title=f"$ {command}", title_justify="left", caption="medians of n runs", caption_justify="left")
    for heading in ("what", "n", "Rackside", "raw baseline", "ratio", "budget"):
        shown.add_column(heading, justify="right" if heading in {"n", "Rackside", "ratio"} else "left", overflow="fold")
    for row in rows:
        baseline = f"{row.baseline:.3g} {row.unit}, {row.baseline_is}"
        cells = (row.what, str(row.n), f"{row.value:.3g} {row.unit}", baseline, f"{row.ratio:.2f}", row.budget)
        shown.add_row(*map(Text, cells))
    return shown


def seen(row: Row) -> str:
    """What else was seen, as one line; empty when nothing was."""
    told = (f"{name} {value if isinstance(value, str) else f'{value:,}'}" for name, value in row.detail.items())
    return f"{row.what}: {', '.join(told)}" if row.detail else ""


def _positive(text: str) -> int:
    number = int(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text} is no count: give a whole number of at least 1")
    return number


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
