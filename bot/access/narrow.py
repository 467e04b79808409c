"""A snapshot without what may not be seen: the rest of the way to the answer cannot show what is not in it.

Kept are the namespaces that are allowed, the nodes that their pods run on, and of those nodes' GPUs the ones that nobody else holds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping
from dataclasses import replace
from typing import TypeVar

from bot.advisor.question import Allowed
from tools.columns import Column, Part
from tools.happenings import Happenings
from tools.reading import Subject
from tools.signals import Per
from tools.snapshot import Snapshot
from tools.topology import Gpu, Topology

Value = TypeVar("Value")
Holds = Callable[[str], bool]


def narrowed(snapshot: Snapshot, allowed: Allowed | None) -> Snapshot:
    """The snapshot as it may be seen; the same one where everything may."""
    if allowed is None or allowed.namespaces is None:
        return snapshot
    inside = frozenset(allowed.namespaces)
    whole = snapshot.topology
    topology = _topology(whole, inside)
    others = {subject.namespace for subject in whole.workloads if subject.namespace} - inside
    changes = snapshot.happenings.changes if snapshot.happenings else ()
    others |= {one.subject.namespace for one in changes if one.subject.namespace} - inside
    says = _names(others, whole, topology)
    holds: dict[Per, Holds] = {
        Per.REPLICA: lambda key: key.partition("/")[0] in inside,
        Per.WORKLOAD: lambda key: _namespace(key) in inside,
        Per.GPU: topology.gpus.__contains__,
        Per.NODE: frozenset(topology.nodes).__contains__,
        Per.CLUSTER: lambda _: True,
    }
    columns = {ask: _column(column, holds[ask.signal.per], says) for ask, column in snapshot.columns.items()}
    return replace(
        snapshot, topology=topology, columns=columns, happenings=_happenings(snapshot.happenings, topology, says)
    )


def _topology(whole: Topology, inside: frozenset[str]) -> Topology:
    pods = {key: pod for key, pod in whole.pods.items() if pod.namespace in inside}
    nodes = {pod.node for pod in pods.values() if pod.node}
    return replace(
        whole,
        pods=pods,
        gpus={key: gpu for key, gpu in whole.gpus.items() if gpu.pod in pods or _loose(gpu, nodes, inside)},
        nodes=tuple(node for node in whole.nodes if node in nodes),
        autoscalers=tuple(one for one in whole.autoscalers if one.namespace in inside),
        wanted=tuple(one for one in whole.wanted if one.namespace in inside),
        engines={one: engine for one, engine in whole.engines.items() if one.namespace in inside},
        models={model: one for model, one in whole.models.items() if one.namespace in inside},
    )


def _loose(gpu: Gpu, nodes: Container[str], inside: frozenset[str]) -> bool:
    """Whether a GPU of these nodes may be held by what lies inside, as far as it is told."""
    nobodys = gpu.workload is None or gpu.workload.namespace in inside
    return gpu.pod is None and gpu.node in nodes and nobodys


def _column(column: Column, holds: Holds, says: re.Pattern[str] | None) -> Column:
    return replace(column, parts=tuple(_part(part, holds, says) for part in column.parts))


def _part(part: Part, holds: Holds, says: re.Pattern[str] | None) -> Part:
    def tells(value: object) -> bool:
        return isinstance(value, str) and says is not None and says.search(value) is not None

    return replace(
        part,
        values={key: value for key, value in part.values.items() if holds(key) and not tells(value)},
        fresh=None if part.fresh is None else _kept(part.fresh, holds),
        not_a_number=frozenset(filter(holds, part.not_a_number)),
        nothing=frozenset(filter(holds, part.nothing)),
        unseen=_kept(part.unseen, holds),
    )


def _kept(values: Mapping[str, Value], holds: Holds) -> dict[str, Value]:
    return {key: value for key, value in values.items() if holds(key)}


def _happenings(told: Happenings | None, topology: Topology, says: re.Pattern[str] | None) -> Happenings | None:
    if told is None:
        return None
    known = {pod.namespace for pod in topology.pods.values()} | {one.namespace for one in topology.wanted}

    def mine(subject: Subject) -> bool:
        return subject.namespace in known if subject.namespace else subject.name in topology.nodes

    return replace(
        told,
        changes=tuple(one for one in told.changes if mine(one.subject) and not (says and says.search(one.text))),
        states={key: states for key, states in told.states.items() if key in topology.pods or key in topology.nodes},
        configs={subject: configs for subject, configs in told.configs.items() if mine(subject)},
    )


def _names(others: set[str], whole: Topology, kept: Topology) -> re.Pattern[str] | None:
    """What gives away that a text speaks of somebody outside: `namespace/`, or the name of a pod or workload there."""
    pods = {pod.name for key, pod in whole.pods.items() if key not in kept.pods}
    own = {subject.name for subject in kept.workloads} | {pod.name for pod in kept.pods.values()}
    names = {subject.name for subject in whole.workloads if subject not in kept.workloads} | pods
    told = [rf"{re.escape(one)}/" for one in sorted(others)] + [
        rf"{re.escape(one)}(?![\w-])" for one in sorted(names - own)
    ]
    return re.compile(rf"(?<![\w.-])(?:{'|'.join(told)})") if told else None


def _namespace(subject: str) -> str:
    try:
        return Subject.parse(subject).namespace
    except ValueError:
        return ""
