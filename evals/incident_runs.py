"""Incidents end to end: their evidence in a real Prometheus and a Kubernetes API, their question asked as a user asks it.

The clock stands at the incident's time, or when it was asked about later, so its objects are the present and its history is the past. Worlds are built in
other processes while the incidents before them are answered; each has a Prometheus of its own, which starts in a tenth of
a second, so that no series of one is ever seen by another.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import tempfile
import time
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path
from typing import Protocol

from bot.advisor import citing
from bot.advisor.advisor import Advisor
from bot.advisor.question import Answer, Question
from evals.built import AHEAD, Built, ahead, build, kept_under
from evals.fleet.api_worlds import StaticWorld
from evals.fleet.folder import Incident, read_incident
from evals.fleet.kubeapi import KubeApi
from evals.fleet.prometheus import Prometheus
from knowledge.home import default_home
from knowledge.search import Library
from tools.sources.kube import KubeSource
from tools.sources.prom import PromSource

INCIDENTS = Path(__file__).parent / "incidents"
# A process costs a core and some 600 MB, and a few seconds until it has opened the index.
WORKERS, WORTH_A_PROCESS = 4, 8
_library: Library | None = None


def folders(root: Path = INCIDENTS, only: Sequence[str] = (), levels: Sequence[str] = ()) -> list[Path]:
    """The incident folders below a root, by name; `only` are names or patterns (`*-night`), `levels` are levels."""
    found = sorted(path.parent for path in root.glob("*/incident.yaml"))
    if only:
        found = [folder for folder in found if any(fnmatch(folder.name, pattern) for pattern in only)]
    if levels:
        found = [folder for folder in found if read_incident(folder).level in levels]
    return found


@dataclass(frozen=True)
class Served:
    """An incident whose evidence is served: an advisor whose clock stands at its time, and where Prometheus answers."""

    incident: Incident
    advisor: Advisor
    prometheus: str


@contextlib.contextmanager
def served(folder: Path, built: Built, library: Library) -> Iterator[Served]:
    """Serve what was built. Use it in the main thread: Prometheus ends with the thread that started it."""
    incident = read_incident(folder)
    with tempfile.TemporaryDirectory(prefix="rackside-incident-") as scratch:
        world = StaticWorld(built.objects, built.logs)
        now = incident.asked or incident.at
        with Prometheus(blocks=built.blocks) as prometheus, KubeApi(world, lambda: now) as api:
            for kind in incident.refused:
                api.faults.forbid(kind)
            kubeconfig = Path(scratch) / "kubeconfig"
            api.kubeconfig(kubeconfig)
            prom = PromSource(prometheus.url)
            kube = KubeSource.connect(str(kubeconfig))
            advisor = Advisor(lambda _: (prom, kube, ""), library, clock=lambda: now)
            yield Served(incident, advisor, prometheus.url)


@contextlib.contextmanager
def staged(folder: Path, library: Library) -> Iterator[tuple[Incident, Advisor]]:
    """One incident with its evidence served, and an advisor whose clock stands at its time."""
    with kept_under(default_home()) as kept, served(folder, Built(build(folder, kept)), library) as ready:
        yield ready.incident, ready.advisor


@dataclass(frozen=True)
class Ran:
    """An answered incident. `seconds` is the answer alone; `baseline` are the ids that another tool named, if it was asked."""

    incident: Incident
    answer: Answer
    seconds: float
    baseline: tuple[str, ...] | None = None


class Against(Protocol):
    """Another tool that reads the same Prometheus; see `incident_baseline`."""

    def named(self, prometheus: str, at: float) -> tuple[str, ...]:
        """The failure modes that it names, best first."""


def run(chosen: Sequence[Path], library: Library, against: Against | None = None) -> Generator[Ran, None, None]:
    """Answer incidents one after another; the next ones are built meanwhile."""
    with kept_under(default_home()) as kept, contextlib.closing(ahead(chosen, kept)) as ready:
        for folder, built in ready:
            yield _ask(folder, built, library, against)


def _ask(folder: Path, built: Built, library: Library, against: Against | None = None) -> Ran:
    with served(folder, built, library) as one:
        started = time.monotonic()
        past = None if one.incident.asked is None else one.incident.at
        answer = one.advisor.answer(Question(one.incident.question, at=past))
        seconds = time.monotonic() - started
        other = against.named(one.prometheus, one.incident.at) if against else None
    return Ran(one.incident, answer, seconds, other)


def run_side_by_side(chosen: Sequence[Path], home: Path, workers: int = 0) -> Generator[Ran, None, None]:
    """The same in their order, several at a time: each process opens the index below `home`, builds what it answers, and answers.

    A few incidents, or a machine with one core, are answered in this process.
    """
    workers = workers or min(WORKERS, os.cpu_count() or 1, len(chosen) // WORTH_A_PROCESS)
    if workers < 2:
        yield from run(chosen, Library.open(home))
        return
    # A fork of a process with threads may hang: the workers start afresh.
    spawn = multiprocessing.get_context("spawn")
    with kept_under(home) as kept, ProcessPoolExecutor(workers, spawn, _open_library, (home,)) as pool:
        waiting: deque[Future[Ran]] = deque()
        rest = iter(chosen)
        try:
            while True:
                while len(waiting) < workers + AHEAD and (folder := next(rest, None)) is not None:
                    waiting.append(pool.submit(_build_and_ask, folder, kept))
                if not waiting:
                    return
                yield waiting.popleft().result()
        finally:
            for future in waiting:
                future.cancel()


def _open_library(home: Path) -> None:
    global _library  # noqa: PLW0603 -- what a worker process opens once
    _library = Library.open(home)
    # What an answer takes is measured; a knowledge base that cannot be read is told by each of them.
    citing.search(_library, "warm", 1)


def _build_and_ask(folder: Path, kept: Path) -> Ran:
    assert _library is not None
    return _ask(folder, Built(build(folder, kept)), _library)


def answered(folder: Path, library: Library) -> tuple[Incident, Answer, float]:
    """One incident with its answer and the seconds that the answer took."""
    (ran,) = run([folder], library)
    return ran.incident, ran.answer, ran.seconds
