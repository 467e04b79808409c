"""A fleet that has lived through its history: series, objects and logs, and how it goes on."""

from __future__ import annotations

from collections.abc import Iterator
from threading import RLock
from typing import Any

from evals.fleet.columns import Columns
from evals.fleet.identity import fine_stamp
from evals.fleet.pods import Pod
from evals.fleet.recipe import Recipe
from evals.fleet.sample import Sample
from evals.fleet.simulation import Simulation
from evals.fleet.targets import Targets

LogKey = tuple[str, str, str, bool]
OLD, SPARSE = 6 * 3600.0, 300.0


class World:
    """The outcome of a recipe at ``end``.

    ``objects`` are the Kubernetes objects as of ``end``; ``logs`` maps (namespace, pod, container, previous)
    to text in which every line opens with its RFC 3339 time and a space, as the kubelet keeps them. Manifests
    are shared: read them, do not change them.
    """

    def __init__(self, simulation: Simulation, targets: Targets, columns: Columns, steps: list[int]) -> None:
        """Take over a simulation that stands at its end."""
        self.simulation, self.targets, self.columns = simulation, targets, columns
        self.start, self.end = simulation.start, simulation.end
        self.lock = RLock()
        self._steps = steps
        self.objects = self.objects_at(self.end)
        self.logs = self.logs_at(self.end)

    def steps(self) -> Iterator[tuple[int, list[Sample]]]:
        """Every scrape step of the history, oldest first, with the samples that Prometheus stores."""
        places = [0] * len(self.columns)
        for at in self._steps:
            found: list[Sample] = []
            for number, column in enumerate(self.columns):
                place = places[number]
                if place < len(column.times) and column.times[place] == at:
                    found.append(Sample(column.name, column.labels, column.values[place], column.type, column.family))
                    places[number] = place + 1
            yield at, found

    def advance(self, to: float) -> None:
        """Let the fleet live on until a time; a time before its present changes nothing."""
        with self.lock:
            self.simulation.advance(to)

    def objects_at(self, at: float) -> list[dict[str, Any]]:
        """Every object as of a time from the present on (the past of an object is not kept, as in a real
        cluster).
        """
        with self.lock:
            self.simulation.advance(at)
            return self.targets.state.objects.all()

    def logs_at(self, at: float) -> dict[LogKey, str]:
        """The logs of every container that exists, as of a time from the present on."""
        with self.lock:
            self.simulation.advance(at)
            found: dict[LogKey, str] = {}
            for pod in self.simulation.pods:
                if pod.container.runs:
                    found[(*pod.key, pod.template.container, False)] = _text(pod, pod.log)
                if pod.previous is not None:
                    found[(*pod.key, pod.template.container, True)] = _text(pod, pod.previous)
            return found


def _text(pod: Pod, lines: Any) -> str:
    del pod
    return "".join(f"{fine_stamp(at)} {text}\n" for at, text in sorted(lines, key=lambda item: item[0]))


def schedule(recipe: Recipe, end: int) -> list[int]:
    """The times at which the history is stored.

    Fine near its end, coarser before, 5 minutes before 6 hours ago.
    """
    scrape = recipe.scrape
    found: list[int] = []
    age = 0.0
    while age <= recipe.history:
        found.append(int(end - age))
        age += scrape.interval if age < scrape.fine_for else scrape.coarse if age < OLD else SPARSE
    return found[::-1]


def build(recipe: Recipe, end: float) -> World:
    """Let a recipe's fleet live until ``end`` (whole seconds since the epoch) and store what would have
    been scraped.
    """
    last = int(end)
    simulation = Simulation(recipe, float(last))
    targets = Targets(simulation)
    columns = Columns()
    times = schedule(recipe, last)
    for at in times:
        simulation.advance(at)
        for target in targets.now():
            columns.scrape(at, target)
    return World(simulation, targets, columns, times)
