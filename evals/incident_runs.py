"""Incidents end to end: their evidence in a real Prometheus and a Kubernetes API, their question asked as a user asks it.

The clock stands at the incident's time, so its objects are the present and its history is the past.
"""

from __future__ import annotations

import contextlib
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path

from bot.advisor.advisor import Advisor
from bot.advisor.question import Answer, Question
from evals.fleet.api_worlds import StaticWorld
from evals.fleet.folder import Incident, evidence, read_incident
from evals.fleet.kubeapi import KubeApi
from evals.fleet.prometheus import Prometheus
from evals.score import Score, score
from knowledge.search import Library
from tools.sources.kube import KubeSource
from tools.sources.prom import PromSource

INCIDENTS = Path(__file__).parent / "incidents"


def folders(root: Path = INCIDENTS) -> list[Path]:
    """The incident folders below a root, by name."""
    return sorted(path.parent for path in root.glob("*/incident.yaml"))


@contextlib.contextmanager
def staged(folder: Path, library: Library) -> Iterator[tuple[Incident, Advisor]]:
    """An incident with its evidence served, and an advisor whose clock stands at its time."""
    incident = read_incident(folder)
    with tempfile.TemporaryDirectory(prefix="rackside-incident-") as scratch:
        found = evidence(folder, Path(scratch))
        world = StaticWorld(found.objects, found.logs)
        with Prometheus([found.metrics]) as prometheus, KubeApi(world) as api:
            kubeconfig = Path(scratch) / "kubeconfig"
            api.kubeconfig(kubeconfig)
            prom = PromSource(prometheus.url)
            kube = KubeSource.connect(str(kubeconfig))
            yield incident, Advisor(lambda _: (prom, kube, ""), library, clock=lambda: incident.at)


def answered(folder: Path, library: Library) -> tuple[Incident, Answer, float]:
    """An incident with its answer and the seconds that the answer took."""
    with staged(folder, library) as (incident, advisor):
        started = time.monotonic()
        answer = advisor.answer(Question(incident.question))
        return incident, answer, time.monotonic() - started


def run(chosen: Iterable[Path], library: Library) -> Iterator[Score]:
    """Score incidents one after another."""
    for folder in chosen:
        incident, answer, seconds = answered(folder, library)
        yield score(incident, answer, seconds)
