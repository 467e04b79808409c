"""`audit`, `cost` and `digest` on a fleet of 1,000 workloads, from metrics alone: every checklist, every workload, in one look."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from evals.bench import wide_fleet
from evals.bench.processes import python, spend
from evals.bench.rows import CannotMeasureError, Row, Size, compared
from evals.fleet.prometheus import CannotRunError, Prometheus

END = 1_773_144_000
WORKLOADS = 1_000


WHAT = ("audit", "cost", "digest")


def measure(size: Size) -> Iterator[Row]:
    """Seconds of an audit, of the costs and of a whole digest, each beside its queries alone. A workload is one replica of two GPUs."""
    gpus = min(WORKLOADS * wide_fleet.GPUS_PER_REPLICA, max(size.wide_gpus))
    try:
        with tempfile.TemporaryDirectory(prefix="rackside-bench-") as scratch:
            history = Path(scratch) / "history.om"
            wide_fleet.write(history, gpus, size.wide_steps, END, replicas_each=1)
            with Prometheus([history]) as prometheus:
                for what in WHAT:
                    command = python("-m", "evals.bench.audit", "--url", prometheus.url, "--at", str(END))
                    yield _row(what, json.loads(spend([*command, "--runs", str(size.runs), "--what", what]).out))
    except CannotRunError as problem:
        raise CannotMeasureError(str(problem)) from None


def _row(what: str, told: dict[str, Any]) -> Row:
    if not told["workloads"]:
        raise CannotMeasureError(f"the {what} saw no workload: {'; '.join(told['blind'])}")
    detail: dict[str, float | str] = {name: told[name] for name in ("requests", "queries")}
    detail |= {**told["seen"], "peak MiB": round(told["peak_mib"]), "seconds of reading": told["read_s"]}
    said = f"{what}, {told['workloads']:,} workloads, metrics alone"
    return compared(said, "s", told["ours"], told["raw"], "its queries alone", "120 requests; 1 GiB", detail)
