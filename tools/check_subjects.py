"""Which subjects of a snapshot a check is about."""

from __future__ import annotations

from collections.abc import Sequence

from tools.casebook import Case
from tools.check import Applies, On
from tools.reading import Subject
from tools.signals import NODE_GPUS
from tools.snapshot import Snapshot
from tools.topology import CLUSTER, Topology
from tools.vocabulary.gpu_software import NODE_GPUS_PROMISED


def subjects(case: Case, snapshot: Snapshot) -> Sequence[Subject]:
    """The subjects of a snapshot that a check is about."""
    topology = snapshot.topology
    found: list[Subject] = []
    if On.GPU in case.check.on:
        found += [gpu.subject for gpu in topology.gpus.values()]
    if On.CLUSTER in case.check.on and (topology.engines or topology.gpus):
        found.append(CLUSTER)
    if On.NODE in case.check.on:
        found += [Subject("node", "", name) for name in topology.nodes if _has_gpus(snapshot, name)]
    if On.WORKLOAD in case.check.on:
        found += [subject for subject in topology.workloads if _is_about(case, subject, topology)]
    return found


def _is_about(case: Case, workload: Subject, topology: Topology) -> bool:
    if case.check.applies is Applies.ENGINE:
        return workload in topology.engines
    if case.check.applies is Applies.NEEDED and workload in topology.supports:
        return True
    if case.check.applies in {Applies.GPU, Applies.NEEDED}:
        pods = topology.pods_of(workload)
        return any(topology.pods[key].gpus for key in pods) or bool(topology.gpus_of(workload))
    return True


def _has_gpus(snapshot: Snapshot, node: str) -> bool:
    # A node whose device plugin never ran has GPUs by its labels alone.
    told = (snapshot.read(ask, node).value for ask in (NODE_GPUS.now, NODE_GPUS_PROMISED.now))
    known = any(isinstance(value, float) and value > 0 for value in told)
    return known or bool(snapshot.topology.gpus_of(Subject("node", "", node)))
