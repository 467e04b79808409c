"""Which subjects of a snapshot a check is about."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from tools.casebook import Case
from tools.check import Applies, On
from tools.reading import Subject
from tools.signals import NODE_GPUS
from tools.snapshot import Snapshot
from tools.topology import CLUSTER, Topology
from tools.vocabulary.gpu_software import NODE_GPUS_PROMISED


def subjects(case: Case, snapshot: Snapshot, named: Collection[Subject] = ()) -> Sequence[Subject]:
    """The subjects of a snapshot that a check is about; who is `named` in a question is somebody's trouble, whatever it holds."""
    topology = snapshot.topology
    found: list[Subject] = []
    if On.GPU in case.check.on:
        found += [gpu.subject for gpu in topology.gpus.values()]
    if On.CLUSTER in case.check.on and (topology.engines or topology.gpus):
        found.append(CLUSTER)
    if On.NODE in case.check.on:
        found += [Subject("node", "", name) for name in topology.nodes if _has_gpus(snapshot, name)]
    if On.WORKLOAD in case.check.on:
        found += [subject for subject in topology.workloads if _is_about(case, subject, topology, named)]
    return found


def _is_about(case: Case, workload: Subject, topology: Topology, named: Collection[Subject]) -> bool:
    if case.check.applies is Applies.ENGINE:
        # Who asks for a rule of a server on GPUs that nobody recognises asks for it all the same.
        asked = (
            case.check.rule and workload in named and any(topology.pods[key].gpus for key in topology.pods_of(workload))
        )
        return workload in topology.engines or asked
    if case.check.applies is Applies.NEEDED and (
        workload in named or workload in topology.supports or topology.needed_by(workload)
    ):
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
