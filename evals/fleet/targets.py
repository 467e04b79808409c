"""The scrape targets of the fleet: who they are to Prometheus, and what they expose now."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from evals.fleet import addons, dcgm_series, node_series, vllm_series
from evals.fleet.pods import Pod
from evals.fleet.sample import Labels, Sample, labels_of
from evals.fleet.simulation import Simulation
from evals.fleet.state_metrics import StateMetrics


@dataclass(frozen=True)
class Target:
    """One endpoint. ``collect`` gives its exposition, or None when it does not answer."""

    job: str
    address: str
    labels: Labels
    honor_labels: bool
    collect: Callable[[], list[Sample] | None]


class Targets:
    """All targets at a moment; pods come and go, and with them their targets."""

    def __init__(self, simulation: Simulation) -> None:
        """Watch a simulation."""
        self._simulation = simulation
        self.state = StateMetrics(simulation)
        drop = simulation.recipe.scrape.drop
        self._drop = re.compile(drop) if drop else None
        self._dropped: dict[str, bool] = {}

    def now(self) -> list[Target]:
        """The targets that service discovery would give now."""
        simulation = self._simulation
        found: list[Target] = []
        for workload in simulation.workloads.values():
            if workload.spec.runtime == "vllm" and workload.spec.scraped:
                found += [self._engine(pod) for pod in workload.pods if pod.node and pod.container.runs]
        for pod in simulation.addons:
            if pod.template is addons.DCGM:
                found.append(self._dcgm(pod))
            elif pod.template is addons.KSM:
                found.append(self._state(pod))
            elif pod.template is addons.NODE_EXPORTER:
                found.append(self._node(pod))
        found += [self._kubelet(name) for name in simulation.machines]
        return found

    def _kept(self, samples: list[Sample]) -> list[Sample]:
        if self._drop is None:
            return samples
        kept = []
        for sample in samples:
            dropped = self._dropped.get(sample.name)
            if dropped is None:
                dropped = self._dropped[sample.name] = self._drop.fullmatch(sample.name) is not None
            if not dropped:
                kept.append(sample)
        return kept

    def _engine(self, pod: Pod) -> Target:
        workload = self._simulation.workload_of(pod)
        assert workload is not None
        spec = workload.spec
        address = f"{pod.ip}:8000"
        labels = labels_of(
            job="monitoring/vllm",
            instance=address,
            endpoint="http",
            namespace=pod.namespace,
            pod=pod.name,
            container=pod.template.container,
        )
        return Target(
            "vllm",
            address,
            labels,
            False,
            lambda: self._kept(vllm_series.samples(pod, spec)) if pod.engine is not None else None,
        )

    def _dcgm(self, pod: Pod) -> Target:
        simulation = self._simulation
        machine = simulation.machines[pod.node]
        address = f"{pod.ip}:9400"
        labels = labels_of(
            job="nvidia-dcgm-exporter",
            instance=address,
            endpoint="gpu-metrics",
            namespace=pod.namespace,
            pod=pod.name,
            container=pod.template.container,
            service="nvidia-dcgm-exporter",
        )

        def collect() -> list[Sample] | None:
            if pod.container.state != "running" or machine.exporter != "up":
                return None
            return self._kept(
                dcgm_series.samples(machine.devices, simulation.recipe.driver, simulation.recipe.dcgm_full)
            )

        return Target("dcgm", address, labels, False, collect)

    def _state(self, pod: Pod) -> Target:
        address = f"{pod.ip}:8080"
        labels = labels_of(
            job="kube-state-metrics",
            instance=address,
            endpoint="http",
            namespace=pod.namespace,
            pod=pod.name,
            container=pod.template.container,
            service="kube-state-metrics",
        )
        return Target("state", address, labels, True, lambda: self._kept(self.state.samples()))

    def _kubelet(self, name: str) -> Target:
        simulation = self._simulation
        machine = simulation.machines[name]
        address = f"{machine.address}:10250"
        labels = labels_of(
            job="kubelet",
            instance=address,
            endpoint="https-metrics",
            metrics_path="/metrics/cadvisor",
            node=name,
            service="kubelet",
        )

        def collect() -> list[Sample]:
            return self._kept(node_series.containers([pod for pod in simulation.pods if pod.node == name]))

        return Target("kubelet", address, labels, True, collect)

    def _node(self, pod: Pod) -> Target:
        simulation = self._simulation
        machine = simulation.machines[pod.node]
        address = f"{machine.address}:9100"
        labels = labels_of(
            job="node-exporter",
            instance=address,
            endpoint="metrics",
            namespace=pod.namespace,
            pod=pod.name,
            container=pod.template.container,
            service="node-exporter",
        )

        def collect() -> list[Sample]:
            there = [other for other in simulation.pods if other.node == pod.node]
            return self._kept(node_series.machine(machine, there))

        return Target("node", address, labels, False, collect)


def merged(target: Target, labels: Labels) -> Labels:
    """The labels of a stored series.

    The target's and the sample's, empty ones left out, as Prometheus settles them.
    """
    result = {name: value for name, value in labels if value}
    for name, value in target.labels:
        if name not in result:
            result[name] = value
        elif not target.honor_labels:
            result[f"exported_{name}"] = result[name]
            result[name] = value
    return tuple(sorted(result.items()))
