"""A fleet that is served, swept in a process of its own, as a row."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

from evals.bench.processes import python, spend
from evals.bench.rows import CannotMeasureError, Row, Size, compared


def swept(fleet: str, url: str, at: float, size: Size, budget: str, kubeconfig: Path | None = None) -> Row:
    """Sweep what a Prometheus holds at a time; raises CannotMeasureError when it showed no GPU."""
    command = python("-m", "evals.bench.sweep", "--url", url, "--at", str(at), "--runs", str(size.runs))
    if kubeconfig:
        command += ["--kubeconfig", str(kubeconfig)]
    told = json.loads(spend(command).out)
    if not told["gpus"]:
        raise CannotMeasureError(f"the sweep of {fleet} saw no GPU: {'; '.join(told['blind'])}")
    detail: Mapping[str, float | str] = {
        "requests": told["requests"],
        "queries": told["queries"],
        "peak MiB": round(told["peak_mib"]),
        "GPUs": told["gpus"],
        "pods": told["pods"],
        "judgements": told["checked"],
        "findings": told["findings"],
    }
    return compared(
        f"diagnose, {told['gpus']:,} GPUs, {fleet}", "s", told["ours"], told["raw"], "its queries alone", budget, detail
    )
