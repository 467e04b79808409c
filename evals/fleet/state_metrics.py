"""kube-state-metrics over the fleet's objects, asked again only for the objects that changed."""

from __future__ import annotations

from evals.fleet import ksm
from evals.fleet.objects import Objects
from evals.fleet.sample import Sample
from evals.fleet.simulation import Simulation


class StateMetrics:
    """The exposition of kube-state-metrics.

    Each group of objects keeps its samples until its version changes.
    """

    def __init__(self, simulation: Simulation) -> None:
        """Watch a simulation."""
        self._simulation = simulation
        self.objects = Objects(simulation)
        self._kept: dict[tuple[str, ...], tuple[int, list[Sample]]] = {}

    def samples(self) -> list[Sample]:
        """What kube-state-metrics exposes now."""
        now = self._simulation.now
        found: list[Sample] = []
        groups = self.objects.groups()
        for key, (version, manifests) in groups.items():
            kept = self._kept.get(key)
            if kept is None or kept[0] != version:
                kept = (version, list(ksm.samples(manifests, now)))
                self._kept[key] = kept
            found += kept[1]
        self._kept = {key: kept for key, kept in self._kept.items() if key in groups}
        return found
