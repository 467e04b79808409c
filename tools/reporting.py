"""Who reports to Prometheus: which GPUs and engines are fresh there, which targets answer, and which were never scraped."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from tools.addresses import host_of
from tools.columns import Part, Value
from tools.gpu_owners import EXPORTER_PODS
from tools.inventory import runtimes, sources
from tools.measure import Identity, Measured
from tools.reading import Blind, Reason
from tools.signals import ENGINE_REPORTING, ENGINE_UP, NODE_EXPORTER_UP, NODE_GPUS_REPORTING, Ask, Per
from tools.topology import Pod, Topology

TITLE = "Prometheus"
NOT_TOLD = Blind(
    Reason.NO_SERIES,
    "its agent answers and tells nothing of an engine: engine metrics are exported where log_engine_metrics is set",
)
UNUSED = Blind(
    Reason.NO_SERIES,
    "its scrape is answered without its metrics: it has none until its first request, or another port than its own is scraped",
)
NOT_SCRAPED = Blind(Reason.NO_SERIES, "it is not scraped: Prometheus has no target and no series of it")


def reporting(measured: Measured, topology: Topology, now: float, stale_after_s: float) -> dict[Ask, Part]:
    """Facts that follow from who reports: counted only where Prometheus answers and the kind of exporter exists."""
    if measured.blind is not None:
        return {}
    found: dict[Ask, Part] = {}
    up_nodes, up_pods = _up(measured, topology)
    gpus = _gpus(measured, topology, now, stale_after_s, up_nodes)
    if gpus is not None:
        found[NODE_GPUS_REPORTING.now] = gpus
    found[ENGINE_REPORTING.now] = _engines(measured, topology, now, stale_after_s, up_pods)
    found[NODE_EXPORTER_UP.now] = Part(TITLE, "up", now, up_nodes, blind=measured.up_blind)
    found[ENGINE_UP.now] = Part(TITLE, "up", now, up_pods, blind=measured.up_blind)
    return found


def unscraped(measured: Measured, topology: Topology) -> frozenset[str]:
    """The pods with engines of which Prometheus, when it answers, has neither a target nor a series."""
    engines = {key for key, pod in topology.pods.items() if pod.workload in topology.engines}
    if measured.blind is not None:
        return frozenset(engines)
    _, up_pods = _up(measured, topology)
    return frozenset(engines - set(up_pods) - _seen(measured))


def _gpus(
    measured: Measured, topology: Topology, now: float, stale_after_s: float, up: Mapping[str, Value]
) -> Part | None:
    counts: dict[str, Value] = defaultdict(float)
    queries: list[str] = []
    counted: set[str] = set()
    for source in sources():
        identity = measured.identities.get(source.name)
        if source.per is not Per.GPU or identity is None or identity.blind is not None:
            continue
        queries.append(f"count by (node) ({source.anchor[0]})")
        for key, sampled in identity.fresh.items():
            if now - sampled <= stale_after_s and key in topology.gpus and key not in counted:
                counted.add(key)
                node = topology.gpus[key].node
                counts[node] = float(counts[node]) + 1.0
    if not queries:
        return None
    values: dict[str, Value] = {node: counts.get(node, 0.0) for node in topology.nodes}
    strangers = sorted(set(counts) - set(topology.addresses.values())) if topology.addresses else []
    unseen: dict[str, Blind] = {}
    if strangers:
        # Their host goes by a name that no node bears: they may be those that a silent node seems to miss.
        why = Blind(
            Reason.AMBIGUOUS, f"GPUs report from {strangers[0]}, which is the name of no node: they may be its own"
        )
        unseen = {node: why for node, count in values.items() if not count and up.get(node) != 0.0}
    seen = {node: count for node, count in values.items() if node not in unseen}
    return Part(TITLE, " or ".join(queries), now, seen, unseen=unseen)


def _up(measured: Measured, topology: Topology) -> tuple[dict[str, Value], dict[str, Value]]:
    nodes: dict[str, Value] = {}
    pods: dict[str, Value] = {}
    for row in measured.up:
        key = f"{row.labels.get('namespace', '')}/{row.labels.get('pod', '')}"
        pod = topology.pods.get(key)
        if any(mark in f"{row.labels.get('job', '')} {key}" for mark in (*EXPORTER_PODS, "dcgm")):
            node = row.labels.get("node") or (pod.node if pod else host_of(row.labels.get("instance", "")))
            node = topology.addresses.get(node, node)
            nodes[node] = min(float(nodes.get(node, 1.0)), row.value)
        elif pod is not None:
            pods[key] = min(float(pods.get(key, 1.0)), row.value)
    return nodes, pods


def _engines(measured: Measured, topology: Topology, now: float, stale_after_s: float, up: Mapping[str, Value]) -> Part:
    """A server that was never scraped is not down: nobody looks. One of several that are scraped is missed."""
    fresh = {key for source in runtimes() for key in _fresh(measured.identities.get(source.name), now, stale_after_s)}
    seen = _seen(measured)
    known = seen | {key for key, answers in up.items() if not (answers and _by_agent(topology, key))}
    watched = {topology.pods[key].workload for key in known if key in topology.pods}
    holding = {pod.workload for pod in topology.pods.values() if pod.gpus}
    # Groups whose workers do tell of an engine: then one that does not is missed.
    telling = {
        topology.pods[key].workload
        for key in seen
        if key in topology.pods and _works_for_another(topology.pods[key], topology)
    }
    values: dict[str, Value] = {}
    unseen: dict[str, Blind] = dict.fromkeys(mute := _mute(measured, topology, up), UNUSED)
    for key, pod in topology.pods.items():
        if pod.workload not in topology.engines or key in mute:
            continue
        if not pod.gpus and key not in known and pod.workload in holding:
            continue  # the head of a cluster of servers, which serves nothing itself
        if key not in seen and _works_for_another(pod, topology) and pod.workload not in telling:
            continue
        if pod.workload in watched:
            values[key] = 1.0 if key in fresh else 0.0
        else:
            unseen[key] = measured.up_blind or (NOT_TOLD if up.get(key) else NOT_SCRAPED)
    told = (identity.blind for source in runtimes() if (identity := measured.identities.get(source.name)))
    lost = next((blind for blind in told if blind is not None), None)
    anchors = " or ".join(source.anchor[0] for source in runtimes())
    if lost is not None:
        return Part(TITLE, f"timestamp({anchors})", now, {}, blind=lost)
    return Part(TITLE, f"timestamp({anchors})", now, values, unseen=unseen)


def _works_for_another(pod: Pod, topology: Topology) -> bool:
    """Whether it is a worker of a group, which serves through its leader: a LeaderWorkerSet NAME makes NAME-0 and, for its workers, NAME-0-1 and so on."""
    workload = pod.workload
    if workload.kind == "leaderworkerset":
        group, _, worker = pod.name.removeprefix(f"{workload.name}-").partition("-")
        return group.isdecimal() and worker.isdecimal()
    leader, _, group = workload.name.rpartition("-")
    return group.isdecimal() and workload._replace(name=leader) in topology.engines


def _mute(measured: Measured, topology: Topology, up: Mapping[str, Value]) -> frozenset[str]:
    silent = {source.name for source in runtimes() if source.mute}
    seen = _seen(measured)
    return frozenset(
        key
        for key, answers in up.items()
        if answers and key not in seen and topology.engines.get(topology.pods[key].workload) in silent
    )


def _by_agent(topology: Topology, key: str) -> bool:
    pod = topology.pods.get(key)
    engine = topology.engines.get(pod.workload, "") if pod is not None else ""
    return any(source.name == engine and source.agent for source in runtimes())


def _seen(measured: Measured) -> set[str]:
    told = (measured.identities.get(source.name) for source in runtimes())
    return {key for identity in told if identity is not None for key in identity.rows}


def _fresh(identity: Identity | None, now: float, stale_after_s: float) -> list[str]:
    if identity is None:
        return []
    return [key for key, sampled in identity.fresh.items() if now - sampled <= stale_after_s]
