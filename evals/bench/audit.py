"""One process that audits a fleet again and again, and sends its queries alone: `python -m evals.bench.audit --url URL --at TIME`.

A process of its own, so that its peak memory is the audit's and nobody else's. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence

from bot.audit_output import as_json
from bot.audit_run import report
from bot.checklist_map import checklist_items
from bot.store.readiness import Place
from evals.bench.sweep import Raw, Recorder, peak_mib
from tools.casebook import asks
from tools.reading import Blind, Reason
from tools.survey import survey

ALONE = Blind(Reason.NOT_SET, "the bench has metrics alone")


def main(arguments: Sequence[str]) -> int:
    """Audit, send the queries alone, and print what both took."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.audit", description="Audits beside their raw queries.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--at", type=float, required=True)
    parser.add_argument("--runs", type=int, default=1)
    chosen = parser.parse_args(arguments)
    items = checklist_items()
    wanted = {*asks(), *asks(rules=True)}
    ours: list[float] = []
    raw: list[float] = []
    told: dict[str, float | list[str]] = {}
    # The first is not counted: the server's caches are warm for both sides then.
    for number in range(chosen.runs + 1):
        source = Recorder(chosen.url)
        started = time.perf_counter()
        snapshot = survey(source, ALONE, wanted, chosen.at)
        read = time.perf_counter()
        found = report(snapshot, items, Place())
        whole = as_json(found)
        took = time.perf_counter() - started
        plain = Raw(chosen.url, source.queries, chosen.at)
        started_raw = time.perf_counter()
        plain.send()
        if number:
            ours.append(took)
            raw.append(time.perf_counter() - started_raw)
        told = {
            "requests": snapshot.requests,
            "queries": len(source.queries),
            "workloads": len(snapshot.topology.workloads),
            "gpus": len(snapshot.topology.gpus),
            "items": len(whole["items"]),
            "scores": len(whole["scores"]),
            "cells": sum(len(one.cells()) for one in found.judged),
            "read_s": round(read - started, 2),
            "blind": [str(source.blind) for source in snapshot.sources if source.blind is not None],
        }
    print(json.dumps({**told, "ours": ours, "raw": raw, "peak_mib": peak_mib()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
