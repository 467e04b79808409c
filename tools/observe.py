"""Ask the Kubernetes API: each kind listed once, the logs of what crashed lately, and facts by key from both.

Only what went wrong is read of logs: pods of which a container ended within a day, newest first, pods that run (or prepare to)
without being ready, and device plugins of nodes that give no GPU, a few per workload.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol

from tools import readers
from tools.addresses import node_names
from tools.addressing import Addressing
from tools.columns import Part, Value
from tools.dependencies import supports
from tools.facts import (
    Object,
    at,
    autoscaler_facts,
    autoscaler_target,
    cordoned_gpus,
    free_gpus,
    last_seen,
    many,
    name_of,
    node_facts,
    serving_container,
    workload_facts,
)
from tools.happenings import Happenings, happenings
from tools.log_lines import LINES, matches
from tools.log_lines import read as read_lines
from tools.pod_containers import Container, told_of, under_way
from tools.pod_facts import pod_facts
from tools.readers import gpu_nodes
from tools.readers.autoscaling import refused_groups
from tools.reading import Blind, Reason, Subject
from tools.scrape_targets import Target, targets
from tools.signals import (
    CLUSTER_CORDONED_BLOCK,
    CLUSTER_GPUS_FREE,
    CLUSTER_GPUS_TOTAL,
    CLUSTER_LARGEST_BLOCK,
    RUNNING_FOR,
    TERMINATED_AGO,
    WAITING_REASON,
    Ask,
    Signal,
)
from tools.topology import CLUSTER, Autoscaler, Pod, owner_of
from tools.vocabulary.names import LOG_UNRESOLVED
from tools.vocabulary.startup import INIT_RUNNING_FOR, LOG_UNREACHABLE

CORE_KINDS = ("pods", "nodes", "events", "replicasets", "deployments", "statefulsets", "horizontalpodautoscalers")
KINDS = tuple(dict.fromkeys((*CORE_KINDS, *readers.kinds())))
NOT_KEPT = Blind(
    Reason.NOT_KEPT,
    "Kubernetes keeps no past: no objects, events or logs of then; kube-state-metrics tells what it exported",
)
LOGS_OF = 16
LOGS_PER_WORKLOAD = 3
# A pod that runs and is not ready for longer than this may say in its log what it waits for.
UNREADY_S = 60.0
CRASHED_WITHIN_S = 24 * 3600.0
PARALLEL = 4


class Listing(Protocol):
    """What listing one kind gave."""

    @property
    def items(self) -> tuple[dict[str, object], ...]: ...
    @property
    def blind(self) -> Blind | None: ...
    @property
    def path(self) -> str: ...
    @property
    def scope(self) -> tuple[str, ...]: ...


class LogRead(Protocol):
    """What reading one log gave."""

    @property
    def text(self) -> str: ...
    @property
    def blind(self) -> Blind | None: ...
    @property
    def path(self) -> str: ...


class Cluster(Protocol):
    """The Kubernetes API as diagnosis needs it: lists and logs, nothing else."""

    def list(self, kind: str) -> Listing:
        """Every object of a kind."""

    def logs(
        self,
        namespace: str,
        pod: str,
        container: str,
        previous: bool,
        tail_lines: int = 400,
        *,
        since_s: int | None = None,
    ) -> LogRead:
        """The tail of a container's log, of the last `since_s` seconds where given; from its beginning on with no `tail_lines` (0)."""


@dataclass(frozen=True)
class Observed:
    """What the API told: facts by ask, pods and autoscalers, and which kinds could not be listed."""

    blind: Blind | None
    facts: Mapping[Ask, Part] = field(default_factory=dict)
    absent: Mapping[str, Blind] = field(default_factory=dict)
    pods: Mapping[str, Pod] = field(default_factory=dict)
    nodes: tuple[str, ...] = ()
    autoscalers: tuple[Autoscaler, ...] = ()
    wanted: tuple[Subject, ...] = ()
    requests: int = 0
    happenings: Happenings | None = None
    exporters: tuple[Target, ...] = ()
    engines: tuple[Target, ...] = ()
    supports: Mapping[Subject, frozenset[Subject]] = field(default_factory=dict)
    addresses: Mapping[str, str] = field(default_factory=dict)
    addressing: Addressing | None = None


_FACTS_OF = {"pods": "pod", "nodes": "node", "horizontalpodautoscalers": "hpa"}


def observe(cluster: Cluster | Blind, now: float, asks: Collection[Ask] | None = None) -> Observed:
    """List what the asks need (everything where none are given) and read it; a kind that cannot be listed is blind on its own."""
    if isinstance(cluster, Blind):
        return Observed(cluster, absent=dict.fromkeys(_FACTS_OF, cluster))
    signals = None if asks is None else {ask.signal for ask in asks}
    kinds = KINDS if signals is None else tuple(dict.fromkeys((*CORE_KINDS, *readers.kinds(signals))))
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="observe") as pool:
        lists = dict(zip(kinds, pool.map(cluster.list, kinds), strict=True))
        absent = {kind: listing.blind for kind, listing in lists.items() if listing.blind is not None}
        facts = _Facts(now)
        groups = _groups(lists["statefulsets"].items)
        pods = _pods(lists, facts, now, groups)
        _autoscalers_and_nodes(lists, facts, absent)
        silent = gpu_nodes.silent_plugins(lists["nodes"].items, lists["pods"].items)
        logs, log_blind = _logs(cluster, lists["pods"].items, pods, facts, pool, lists["pods"].path, silent)
        if log_blind is not None:
            absent["logs"] = log_blind
    workloads = [
        (kind, item) for kind in ("deployments", "statefulsets") for item in lists[kind].items if all(name_of(item))
    ]
    wanted = []
    for kind, item in workloads:
        subject = Subject(kind.removesuffix("s"), *name_of(item))
        group = groups.get("/".join(name_of(item))) if kind == "statefulsets" else None
        if group is not None and group != subject.name:
            continue  # the workers of one leader
        if group is not None:
            subject = Subject("leaderworkerset", subject.namespace, group)
        wanted.append(subject)
        facts.add(str(subject), workload_facts(item), lists[kind].path)
    listed = readers.Listed(now, {kind: one.items for kind, one in lists.items() if kind not in absent}, pods)
    wanted += [one for one in refused_groups(listed) if one not in listed.by_workload]
    for told in readers.read(listed, signals):
        facts.add(told.key, told.facts, lists[told.kind].path)
    exporters, engines = targets(listed.of("pods"), pods, listed.of("services"))
    whole = absent["pods"] if all(kind in absent for kind in kinds) else None
    return Observed(
        blind=whole,
        facts=facts.parts(),
        absent=absent,
        pods=pods,
        nodes=tuple(sorted(name_of(node)[1] for node in lists["nodes"].items)),
        autoscalers=tuple(
            Autoscaler(*name_of(item), autoscaler_target(item)) for item in lists["horizontalpodautoscalers"].items
        ),
        wanted=tuple(wanted),
        requests=len(kinds) + logs,
        happenings=happenings(listed.items, pods, now, frozenset(absent)),
        exporters=exporters,
        engines=engines,
        supports=supports(listed, facts.values[LOG_UNREACHABLE], facts.values[LOG_UNRESOLVED]),
        addresses=node_names(lists["nodes"].items, lists["pods"].items),
        addressing=Addressing(listed) if "pods" in listed.items and "services" in listed.items else None,
    )


def _failing(item: Object, now: float) -> Container:
    """The container that tells why a pod fails: the init container that it still waits for, or the one that failed."""
    return under_way(item) or told_of(item, now)


class _Facts:
    """Facts gathered by signal and key, each with the request that told it."""

    def __init__(self, now: float) -> None:
        self.now = now
        self.values: dict[Signal, dict[str, Value]] = defaultdict(dict)
        self.paths: dict[Signal, str] = {}
        # Whom another request told of: each log is one of its own.
        self.elsewhere: dict[Signal, dict[str, str]] = defaultdict(dict)

    def add(self, key: str, facts: Mapping[Signal, Value], path: str) -> None:
        for signal, value in facts.items():
            self.values[signal][key] = value
            if self.paths.setdefault(signal, path) != path:
                self.elsewhere[signal][key] = path
            else:
                self.elsewhere[signal].pop(key, None)

    def parts(self) -> dict[Ask, Part]:
        return {
            signal.now: Part(
                "Kubernetes API", self.paths.get(signal, ""), self.now, values, queries=self.elsewhere[signal]
            )
            for signal, values in self.values.items()
        }


def _pods(lists: Mapping[str, Listing], facts: _Facts, now: float, groups: Mapping[str, str]) -> dict[str, Pod]:
    owners: dict[str, str] = {}
    for item in lists["replicasets"].items:
        namespace, name = name_of(item)
        for owner in many(item, "metadata", "ownerReferences"):
            if owner.get("kind") == "Deployment":
                owners[f"{namespace}/{name}"] = str(owner.get("name"))
    events: dict[str, list[Object]] = defaultdict(list)
    for event in sorted(lists["events"].items, key=lambda one: last_seen(one) or 0.0):
        if at(event, "involvedObject", "kind") == "Pod":
            involved = at(event, "involvedObject") or {}
            events[f"{involved.get('namespace', '')}/{involved.get('name', '')}"].append(event)
    pods: dict[str, Pod] = {}
    for item in lists["pods"].items:
        namespace, name = name_of(item)
        if not (namespace and name):
            continue  # nothing can be kept of it
        references = many(item, "metadata", "ownerReferences")
        owner = next((ref for ref in references if ref.get("controller")), references[0] if references else {})
        group = groups.get(f"{namespace}/{owner.get('name')}") if owner.get("kind") == "StatefulSet" else None
        owner = {"kind": "LeaderWorkerSet", "name": group} if group else owner
        key = f"{namespace}/{name}"
        told = pod_facts(item, now, events.get(key, ()))
        facts.add(key, told, lists["pods"].path)
        pods[key] = _pod(item, owner, owners, told)
    return pods


def _groups(sets: Iterable[Object]) -> dict[str, str]:
    """The LeaderWorkerSet behind a StatefulSet (`namespace/name`): that of its leaders it owns, that of a leader's workers the leader's pod does."""
    owned = [
        (*name_of(item), str(ref.get("kind")), str(ref.get("name") or ""))
        for item in sets
        for ref in many(item, "metadata", "ownerReferences")
    ]
    leaders = {f"{namespace}/{name}": by for namespace, name, kind, by in owned if kind == "LeaderWorkerSet" and by}
    workers = {
        f"{namespace}/{name}": leaders[f"{namespace}/{by.rpartition('-')[0]}"]
        for namespace, name, kind, by in owned
        if kind == "Pod" and f"{namespace}/{by.rpartition('-')[0]}" in leaders
    }
    return {**leaders, **workers}


def _pod(item: Object, owner: Object, owners: Mapping[str, str], told: Mapping[Signal, Value]) -> Pod:
    namespace, name = name_of(item)
    by_name = {signal.name: value for signal, value in told.items()}
    ready = by_name.get("pod.ready")
    return Pod(
        namespace=namespace,
        name=name,
        node=str(at(item, "spec", "nodeName") or ""),
        workload=owner_of(namespace, name, str(owner.get("kind") or ""), str(owner.get("name") or ""), owners),
        phase=str(by_name.get("pod.phase") or ""),
        ready=None if ready is None else ready == 1.0,
        gpus=float(by_name.get("pod.gpu_request") or 0.0),
        image=str(serving_container(item).get("image") or ""),
        container=str(serving_container(item).get("name") or ""),
    )


def _autoscalers_and_nodes(lists: Mapping[str, Listing], facts: _Facts, absent: Mapping[str, Blind]) -> None:
    for item in lists["horizontalpodautoscalers"].items:
        facts.add(str(autoscaler_target(item)), autoscaler_facts(item), lists["horizontalpodautoscalers"].path)
    for item in lists["nodes"].items:
        facts.add(name_of(item)[1], node_facts(item), lists["nodes"].path)
    if "nodes" in absent or "pods" in absent or lists["pods"].scope:
        # Pods of other namespaces hold GPUs too: what is free cannot be told from some of them.
        return
    free = free_gpus(lists["nodes"].items, lists["pods"].items)
    path = f"{lists['nodes'].path} and {lists['pods'].path}"
    cluster = {
        CLUSTER_GPUS_FREE: sum(one for one, _ in free.values()),
        CLUSTER_GPUS_TOTAL: sum(total for _, total in free.values()),
        CLUSTER_CORDONED_BLOCK: cordoned_gpus(lists["nodes"].items, lists["pods"].items),
        CLUSTER_LARGEST_BLOCK: max((one for one, _ in free.values()), default=0.0),
    }
    facts.add(str(CLUSTER), cluster, path)


def _logs(
    cluster: Cluster,
    items: Sequence[Object],
    pods: Mapping[str, Pod],
    facts: _Facts,
    pool: ThreadPoolExecutor,
    path: str,
    silent: Collection[str] = (),
) -> tuple[int, Blind | None]:
    telling = sorted(
        (key for key in pods if key in silent or _tells(key, pods[key], facts)),
        # A router that waits for engines tells why, after the engines themselves.
        key=lambda key: (not pods[key].gpus, float(facts.values[TERMINATED_AGO].get(key, 0.0)), key),
    )
    chosen: list[str] = []
    taken: dict[Subject, int] = defaultdict(int)
    for key in telling:
        workload = pods[key].workload
        if len(chosen) < LOGS_OF and taken[workload] < LOGS_PER_WORKLOAD:
            chosen.append(key)
            taken[workload] += 1
    wanted = set(chosen)
    containers = {key: _failing(item, facts.now) for item in items if (key := "/".join(name_of(item))) in wanted}

    def read(key: str) -> tuple[str, list[tuple[str, dict[Signal, str]]], Blind | None]:
        """What each request told of a pod, the one that counts most last; blind where a log could not be read."""
        container = containers[key]
        # A container that its runtime could not start has no log: what its status says of it is looked through like one.
        told = {signal: line for signal, line in matches(container.messages).items() if line}
        found = [(path, told)]
        for previous in (False, True):
            log = cluster.logs(pods[key].namespace, pods[key].name, container.name, previous)
            if log.blind is not None:
                return key, found, log.blind
            lines = read_lines(log.text)
            found.append((log.path, {signal: line for signal, line in lines.items() if line}))
        return key, [(log.path, dict.fromkeys(LINES, "")), *found], None

    blind: Blind | None = None
    for key, found, unread in pool.map(read, chosen):
        blind = unread or blind
        for asked, lines in found:
            facts.add(key, lines, asked)
    return 2 * len(chosen), blind


def _tells(key: str, pod: Pod, facts: _Facts) -> bool:
    ago = facts.values[TERMINATED_AGO].get(key)
    looping = facts.values[WAITING_REASON].get(key) == "CrashLoopBackOff"
    runs = float(facts.values[RUNNING_FOR].get(key, 0.0))
    prepares = float(facts.values[INIT_RUNNING_FOR].get(key, 0.0))
    if pod.ready is False and max(runs, prepares) > UNREADY_S and (pod.gpus or pod.phase == "Running"):
        return True
    return looping or (pod.phase != "Succeeded" and ago is not None and float(ago) <= CRASHED_WITHIN_S)
