"""One process that audits, prices or digests a fleet again and again, and sends its queries alone.

`python -m evals.bench.audit --url URL --at TIME [--what audit|cost|digest]`. A process of its own, so that its peak memory is that
of one kind of work and nobody else's. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bot.audit_history import to_keep
from bot.audit_output import as_json
from bot.audit_run import report
from bot.checklist_map import checklist_items
from bot.cost import costs_of
from bot.digest import make
from bot.digest.html import as_html
from bot.digest.slack import messages
from bot.settings import Settings
from bot.store.database import open_engine
from bot.store.readiness import DAY_S, Kept, Place, Readiness
from evals.bench.rows import CannotMeasureError
from evals.bench.sweep import Raw, Recorder, peak_mib
from knowledge.items import Item
from tools.casebook import asks
from tools.costs import asks as cost_asks
from tools.costs import window_of
from tools.reading import Blind, Reason
from tools.signals import Ask
from tools.snapshot import Snapshot
from tools.survey import survey

ALONE = Blind(Reason.NOT_SET, "the bench has metrics alone")
Seen = dict[str, float]


@dataclass(frozen=True, slots=True)
class Kind:
    """What is read, and what is made of it: figures of what came out."""

    wanted: Collection[Ask]
    make: Callable[[Snapshot], Seen]


def audit() -> Kind:
    """Every checklist against every workload, as JSON."""
    items = checklist_items()

    def made(snapshot: Snapshot) -> Seen:
        found = report(snapshot, items, Place())
        whole = as_json(found)
        cells = sum(len(one.cells()) for one in found.judged)
        return {"items": len(whole["items"]), "scores": len(whole["scores"]), "cells": cells}

    return Kind({*asks(), *asks(rules=True)}, made)


def cost() -> Kind:
    """What every workload and node costs, over an hour."""
    settings = Settings()

    def made(snapshot: Snapshot) -> Seen:
        found = costs_of(settings, snapshot, intents=())
        if found.gpus is None or found.gpu_hours is None:
            raise CannotMeasureError("The fleet's GPUs could not be counted: its Prometheus told of none.")
        return {
            "GPUs": found.gpus,
            "priced": round(found.gpus - found.unpriced),
            "GPU-hours": round(found.gpu_hours),
            "rows": len(found.workloads) + len(found.nodes),
        }

    return Kind(cost_asks(window_of("1h")[0]), made)


def digest(home: Path) -> Kind:
    """An audit with its costs kept in SQLite, held against the week before, as messages for Slack and as a page."""
    settings, items, readiness = Settings(home=home), checklist_items(), Readiness(open_engine(f"sqlite:///{home / 'x.db'}"))  # fmt: skip
    count = 0

    def made(snapshot: Snapshot) -> Seen:
        nonlocal count
        count += 1
        name = f"digest:bench:{count}"
        if count == 1:
            readiness.keep(_week_before(snapshot, items))
        kept, _ = make.judged(settings, items, Place(), snapshot, readiness, name)
        readiness.keep(kept)
        found = make.digest(readiness, kept, prefix="digest:bench:")
        page = as_html(found)
        cells = sum(len(one.cells) for one in kept.items)
        return {"items": len(kept.items), "cells kept": cells, "messages": len(messages(found, "s")), "KiB of page": len(page) // 1024}  # fmt: skip

    return Kind({*asks(), *asks(rules=True), *cost_asks(window_of(make.WINDOW)[0])}, made)


def _week_before(snapshot: Snapshot, items: Sequence[Item]) -> Kept:
    last = report(snapshot, items, Place())
    return to_keep(replace(last, at=last.at - 7 * DAY_S), "digest:bench:0")


def main(arguments: Sequence[str]) -> int:
    """Read and make, send the queries alone, and print what both took."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.audit", description="Audits beside their raw queries.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--at", type=float, required=True)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--what", choices=("audit", "cost", "digest"), default="audit")
    chosen = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(prefix="rackside-bench-") as home:
        kinds: dict[str, Callable[[], Kind]] = {"audit": audit, "cost": cost, "digest": lambda: digest(Path(home))}
        print(json.dumps(measured(kinds[chosen.what](), chosen.url, chosen.at, chosen.runs)))
    return 0


def measured(kind: Kind, url: str, at: float, runs: int) -> dict[str, object]:
    """Seconds of each run beside those of its queries alone, and what was seen in the last."""
    ours: list[float] = []
    raw: list[float] = []
    told: dict[str, object] = {}
    # The first is not counted: the server's caches are warm for both sides then.
    for number in range(runs + 1):
        source = Recorder(url)
        started = time.perf_counter()
        snapshot = survey(source, ALONE, kind.wanted, at)
        read = time.perf_counter()
        seen = kind.make(snapshot)
        took = time.perf_counter() - started
        plain = Raw(url, source.queries, at)
        started_raw = time.perf_counter()
        plain.send()
        if number:
            ours.append(took)
            raw.append(time.perf_counter() - started_raw)
        told = {
            "requests": snapshot.requests,
            "queries": len(source.queries),
            "workloads": len(snapshot.topology.workloads),
            "seen": seen,
            "read_s": round(read - started, 2),
            "blind": [str(source.blind) for source in snapshot.sources if source.blind is not None],
        }
    return {**told, "ours": ours, "raw": raw, "peak_mib": peak_mib()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
