"""`diagnose` on the demo's fleet, simulated, with its Kubernetes API: several copies of it side by side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from evals.bench.rows import CannotMeasureError, Row, Size
from evals.bench.swept import swept
from evals.demo import RECIPE
from evals.fleet import openmetrics
from evals.fleet.api_worlds import StaticWorld
from evals.fleet.kubeapi import KubeApi
from evals.fleet.prometheus import CannotRunError, Prometheus, tool
from evals.fleet.recipe import Recipe, parse
from evals.fleet.world import build

END = 1_773_144_000


def fleet(copies: int, history_s: int) -> Recipe:
    """The demo's recipe, `copies` times over, with what happens in it, sampled every 30 s."""
    content: dict[str, Any] = yaml.safe_load(RECIPE.read_text(encoding="utf-8"))
    content |= {"history": f"{history_s}s", "scrape": {**content["scrape"], "interval": "30s"}}
    nodes, workloads = content["nodes"], content["workloads"]
    for copy in range(2, copies + 1):
        content["nodes"] = [*content["nodes"], *({**node, "name": f"{node['name']}-{copy}"} for node in nodes)]
        more = ({**workload, "namespace": f"{workload['namespace']}-{copy}"} for workload in workloads)
        content["workloads"] = [*content["workloads"], *more]
    return parse(content, f"{copies} x {RECIPE.name}")


def measure(size: Size) -> Iterator[Row]:
    """Seconds of a sweep beside those of its queries alone."""
    try:
        tool("promtool")  # before the fleet has lived for nothing
        world = build(fleet(size.copies, size.history_s), END)
        with tempfile.TemporaryDirectory(prefix="rackside-bench-") as scratch:
            history, kubeconfig = Path(scratch) / "history.om", Path(scratch) / "kubeconfig"
            openmetrics.write(world.columns, history)
            with Prometheus([history]) as prometheus, KubeApi(StaticWorld(world.objects, world.logs)) as api:
                api.kubeconfig(kubeconfig)
                # The objects' ages are told by the moment that is asked about, so both sides stand at the end.
                budget = "120 requests; raw + 0.5 s at 64 GPUs; 1 GiB"
                yield swept("simulated, with Kubernetes", prometheus.url, END, size, budget, kubeconfig)
    except CannotRunError as problem:
        raise CannotMeasureError(str(problem)) from None
