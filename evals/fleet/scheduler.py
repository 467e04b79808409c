"""Where a pod fits, and what the scheduler says when it fits nowhere (the text of Kubernetes 1.30 and
later).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from evals.fleet.devices import Device
from evals.fleet.pods import Pod, Template
from evals.fleet.recipe import Node, quantity


@dataclass(slots=True)
class Machine:
    """A node at run time."""

    spec: Node
    created: float
    address: str
    devices: list[Device] = field(default_factory=list)
    version: int = 1
    exporter: str = "up"
    pods_made: int = 0

    @property
    def allocatable(self) -> int:
        """GPUs that the device plugin reports healthy."""
        return sum(device.healthy for device in self.devices)


def labels_of(node: Node) -> dict[str, str]:
    """The labels that selectors can match (the full set is the manifest's)."""
    return {
        "kubernetes.io/hostname": node.name,
        "topology.kubernetes.io/zone": node.zone,
        "nvidia.com/gpu.present": "true" if node.gpus else "",
        **node.labels,
    }


def tolerates(template: Template, key: str, value: str, effect: str) -> bool:
    """Whether a pod tolerates a taint."""
    for pairs in template.tolerations:
        item = dict(pairs)
        if item.get("effect", effect) != effect or item.get("key", key) != key:
            continue
        if item.get("operator", "Equal") == "Exists" or item.get("value", "") == value:
            return True
    return False


def place(pod: Pod, machines: Iterable[Machine], pods: Iterable[Pod]) -> tuple[Machine | None, str]:
    """The node that a pod goes to, fullest first, or None and the scheduler's message."""
    machines = list(machines)
    taken: dict[str, list[Pod]] = {machine.spec.name: [] for machine in machines}
    for other in pods:
        if other.node:
            taken[other.node].append(other)
    reasons: Counter[str] = Counter()
    fits: list[tuple[int, int, Machine]] = []
    helpless = 0
    for order, machine in enumerate(machines):
        why = _unfit(pod.template, machine, taken[machine.spec.name])
        if not why:
            fits.append((_free(machine, taken[machine.spec.name]), order, machine))
            continue
        helpless += any("taint" in text or "affinity" in text for text in why)
        reasons.update(why)
    if fits:
        return min(fits, key=lambda fit: fit[:2])[2], ""
    said = ", ".join(sorted(f"{count} {text}" for text, count in reasons.items()))
    victims = len(machines) - helpless
    preemption = [f"{helpless} Preemption is not helpful for scheduling"] if helpless else []
    if victims:
        preemption.append(f"{victims} No preemption victims found for incoming pod")
    total = len(machines)
    return (
        None,
        (f"0/{total} nodes are available: {said}. preemption: 0/{total} nodes are available: {', '.join(preemption)}."),
    )


def _free(machine: Machine, there: list[Pod]) -> int:
    return machine.allocatable - sum(pod.template.gpus for pod in there)


def _unfit(template: Template, machine: Machine, there: list[Pod]) -> list[str]:
    for taint in machine.spec.taints:
        if taint.effect != "PreferNoSchedule" and not tolerates(template, taint.key, taint.value, taint.effect):
            return [f"node(s) had untolerated taint {{{taint.key}: {taint.value}}}"]
    have = labels_of(machine.spec)
    if any(have.get(key) != value for key, value in template.node_selector):
        return ["node(s) didn't match Pod's node affinity/selector"]
    why: list[str] = []
    if quantity(template.cpu) > quantity(machine.spec.cpu) - 0.5 - sum(quantity(p.template.cpu) for p in there):
        why.append("Insufficient cpu")
    if quantity(template.memory) > quantity(machine.spec.memory) * 0.97 - sum(
        quantity(p.template.memory) for p in there
    ):
        why.append("Insufficient memory")
    if template.gpus and template.gpus > _free(machine, there):
        why.append("Insufficient nvidia.com/gpu")
    return why
