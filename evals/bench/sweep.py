"""One process that sweeps a fleet again and again, and sends the same queries alone: `python -m evals.bench.sweep --url URL --at TIME`.

A process of its own, so that its peak memory is the sweep's and nobody else's. Prints one JSON object.
"""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock

import requests

from tools.casebook import asks
from tools.collector import unhurried
from tools.diagnose import Diagnosis, diagnose
from tools.measure import PARALLEL
from tools.observe import Cluster
from tools.reading import Blind, Reason
from tools.snapshot import Snapshot
from tools.sources.kube import KubeSource
from tools.sources.prom import NAMES_WITHIN_S, PromSource, Result
from tools.survey import survey


class Recorder(PromSource):
    """A source that keeps the queries that it was asked."""

    def __init__(self, url: str) -> None:
        """Ask the server at `url`."""
        super().__init__(url, timeout_s=120.0)
        self.queries: list[str] = []
        self._keeping = Lock()

    def query(self, query: str, at: float) -> Result:
        """Ask, and keep the query."""
        with self._keeping:
            self.queries.append(query)
        return super().query(query, at)


class Raw:
    """The list of names and some queries, sent as they are, with the sweep's parallelism; the answers are received and dropped."""

    def __init__(self, url: str, queries: Sequence[str], at: float) -> None:
        """Nothing is sent yet."""
        self._url, self.queries, self._at = url, tuple(queries), at
        self._session = requests.Session()

    def send(self) -> None:
        """Send everything once; raises requests.HTTPError when the server refuses."""
        window = {"start": f"{self._at - NAMES_WITHIN_S:.3f}", "end": f"{self._at:.3f}"}
        names = self._session.get(f"{self._url}/api/v1/label/__name__/values", params=window, timeout=120)
        names.raise_for_status()
        with ThreadPoolExecutor(PARALLEL) as pool:
            for _ in pool.map(self._one, self.queries):
                pass

    def _one(self, query: str) -> int:
        form = {"query": query, "time": f"{self._at:.3f}"}
        answer = self._session.post(f"{self._url}/api/v1/query", data=form, timeout=120)
        answer.raise_for_status()
        return len(answer.content)


def peak_mib() -> float:
    """The most memory that this process has held, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():
        # Not ru_maxrss there: that is inherited from whoever started this process.
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM:"))
        return int(line.split()[1]) / 1024.0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2.0**20


def main(arguments: Sequence[str]) -> int:
    """Sweep, send the same alone, and print what both took."""
    parser = argparse.ArgumentParser(prog="python -m evals.bench.sweep", description="Sweep a fleet, measured.")
    parser.add_argument("--url", required=True)
    parser.add_argument("--at", type=float, required=True)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--kubeconfig", type=Path)
    chosen = parser.parse_args(arguments)
    unhurried()  # as the `rackside` command does
    prom = Recorder(chosen.url)
    cluster: Cluster | Blind = Blind(Reason.NOT_SET, "no cluster takes part")
    if chosen.kubeconfig:
        cluster = KubeSource.connect(str(chosen.kubeconfig))

    def sweep() -> tuple[Snapshot, Diagnosis]:
        snapshot = survey(prom, cluster, asks(), chosen.at)
        return snapshot, diagnose(snapshot)

    # Once unmeasured: the server's caches are warm for both sides then.
    snapshot, diagnosis = sweep()
    peak = peak_mib()
    raw = Raw(chosen.url, prom.queries, chosen.at)
    raw.send()
    ours: list[float] = []
    alone: list[float] = []
    for _ in range(chosen.runs):
        started = time.monotonic()
        sweep()
        ours.append(time.monotonic() - started)
        started = time.monotonic()
        raw.send()
        alone.append(time.monotonic() - started)
    told = {
        "ours": ours,
        "raw": alone,
        "requests": snapshot.requests,
        "queries": len(raw.queries),
        "gpus": len(snapshot.topology.gpus),
        "pods": len(snapshot.topology.pods),
        "checked": diagnosis.checked,
        "findings": len(diagnosis.findings),
        "peak_mib": peak,
        "blind": [str(source.blind) for source in snapshot.sources if source.blind is not None],
    }
    print(json.dumps(told))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
