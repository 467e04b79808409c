"""Which finding explains which: what each check says it causes, resolved on the topology of what runs where and who needs whom."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tools.check import Explains, Where
from tools.families import DOWN, NEEDING
from tools.reading import Subject
from tools.topology import Topology

if TYPE_CHECKING:
    from tools.outcomes import Outcome

# Whose failure is that of a node's GPU metrics, and whose is that of its GPUs: the plugin, and what it waits for.
_EXPORTER = re.compile(r"dcgm|(?:gpu|nvidia|nvitop)[\w-]{0,20}exporter")
_EQUIPS = re.compile(
    r"device-plugin|^nvdp-|(?:nvidia|gpu)-driver|container-toolkit|(?:nvidia|gpu)-operator|operator-validator|mig-manager"
)

_HOST = re.compile(r"(?<![\w.-])([a-z0-9][a-z0-9-]{0,62}\.[a-z0-9][a-z0-9-]{0,62})(?![\w-])")
_DOWN = frozenset(one.symptom for one in DOWN)


def explanations(fired: Iterable[Outcome], topology: Topology) -> dict[str, tuple[str, ...]]:
    """For each fired key the keys of the fired causes that explain it, resolved on the topology."""
    outcomes = list(fired)
    named = _by_host(outcomes)
    by_id: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_id[outcome.case.id].append(outcome)
    explained: dict[str, list[str]] = defaultdict(list)
    for cause in outcomes:
        for explains in (*_explains(cause), *map(Explains, _outranked(cause))):
            for symptom in by_id.get(explains.symptom, ()):
                if symptom is cause or cause.case.id in (*_outranked(symptom), *_apart(symptom)):
                    continue
                if lies(cause.subject, symptom.subject, explains.where, topology) or _behind(
                    cause, symptom, explains, topology
                ):
                    explained[symptom.key].append(cause.key)
        for symptom in _in_need(cause, outcomes, named, topology):
            explained[symptom.key].append(cause.key)
    return {key: tuple(sorted(set(causes))) for key, causes in explained.items()}


def _explains(outcome: Outcome) -> tuple[Explains, ...]:
    told = outcome.because.explains if outcome.because is not None else None
    return outcome.case.check.explains if told is None else told


def _outranked(outcome: Outcome) -> tuple[str, ...]:
    return outcome.because.outranks if outcome.because is not None else ()


def _apart(outcome: Outcome) -> tuple[str, ...]:
    return outcome.because.apart if outcome.because is not None else ()


def needs(subject: Subject, other: Subject, topology: Topology) -> bool:
    """Whether a workload cannot serve without another one, which is in trouble."""
    return bool(topology.supports.get(other, frozenset()) & topology.workloads_of(subject))


def _by_host(outcomes: Iterable[Outcome]) -> dict[str, list[Outcome]]:
    named: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        for host in _hosts(outcome) if outcome.case.id in NEEDING else ():
            named[host].append(outcome)
    return named


def _in_need(
    cause: Outcome, outcomes: Iterable[Outcome], named: Mapping[str, list[Outcome]], topology: Topology
) -> Iterator[Outcome]:
    """The symptoms of those that cannot serve without a workload that this stops, by what they are set to call or by what their lines name."""
    supports, calls = cause.subject in topology.supports, named.get(_host(cause.subject), ())
    if not (supports or calls) or not _stops(cause, topology):
        return
    for symptom in outcomes if supports else ():
        if symptom.case.id in NEEDING and needs(symptom.subject, cause.subject, topology):
            yield symptom
    yield from (symptom for symptom in calls if _calls(symptom, cause, topology))


def _host(subject: Subject) -> str:
    return f"{subject.name}.{subject.namespace}"


def _hosts(outcome: Outcome) -> frozenset[str]:
    """What the lines that tell of it name as hosts of the cluster's DNS: `NAME.NAMESPACE`, as whoever calls a Service writes it."""
    evidence = outcome.because.evidence if outcome.because is not None else ()
    return frozenset(host for one in evidence if isinstance(one.value, str) for host in _HOST.findall(one.value))


def _calls(symptom: Outcome, cause: Outcome, topology: Topology) -> bool:
    """Whether a symptom whose line names a workload is that workload's; of two that name each other, or that hold GPUs both, neither is the other's."""
    if symptom.subject == cause.subject or cause.case.id in (*_outranked(symptom), *_apart(symptom)):
        return False
    if _host(symptom.subject) in _hosts(cause):
        return False
    return not all(_holds_gpus(one.subject, topology) for one in (symptom, cause))


def _holds_gpus(subject: Subject, topology: Topology) -> bool:
    return any(topology.pods[key].gpus for key in topology.pods_of(subject))


def _stops(cause: Outcome, topology: Topology) -> bool:
    """Whether it keeps a workload from serving: whatever ails a store or a router, and of an engine what takes it down or leaves it no place."""
    if not _holds_gpus(cause.subject, topology):
        return True
    ids = {cause.case.id, *(explains.symptom for explains in _explains(cause))}
    return bool(ids & _DOWN) or cause.case.id.startswith("pending_")


def _behind(cause: Outcome, symptom: Outcome, explains: Explains, topology: Topology) -> bool:
    """Whether it lies so to a workload that the symptom's own needs: what takes an engine down ends the router before it, too."""
    return symptom.case.id in NEEDING and any(
        lies(cause.subject, one, explains.where, topology) for one in topology.needed_by(symptom.subject)
    )


def lies(cause: Subject, symptom: Subject, where: Where, topology: Topology) -> bool:
    """Whether a cause lies to a symptom as its check says that it has to."""
    if where is Where.IN_CLUSTER:
        return True
    if where in {Where.SAME_NAMESPACE, Where.BESIDE}:
        ones, others = topology.workloads_of(cause), topology.workloads_of(symptom)
        near = {one.namespace for one in ones} & {one.namespace for one in others}
        return bool(near) and not (where is Where.BESIDE and ones & others)
    if where is Where.WATCHES_THIS_NODE:
        return _runs_for(cause, symptom, _EXPORTER, topology)
    if where is Where.EQUIPS_THIS_NODE:
        return _runs_for(cause, symptom, _EQUIPS, topology)
    if where is Where.ON_THIS_NODE:
        return bool(set(topology.nodes_of(cause)) & set(topology.nodes_of(symptom)))
    if where is Where.ON_THIS_GPU:
        # Where no exporter tells who holds a GPU, one that nobody is known to hold may be its own.
        held = {*topology.gpus_of(symptom), *topology.missing_gpus(symptom)[1]}
        return bool(set(topology.gpus_of(cause)) & held)
    return bool(topology.workloads_of(cause) & topology.workloads_of(symptom))


def _runs_for(cause: Subject, symptom: Subject, named: re.Pattern[str], topology: Topology) -> bool:
    """Whether a cause's workload is one of those that are named so, and serves the symptom's node: all of them where none of its pods is placed."""
    if not any(named.search(one.name) for one in topology.workloads_of(cause)):
        return False
    nodes = set(topology.nodes_of(cause))
    return not nodes or bool(nodes & set(topology.nodes_of(symptom)))
