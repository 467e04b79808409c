"""A second look at servers that nothing explains, named by a question or with idle GPUs: the last minutes of their own logs.

A server that counts as ready, and of whose requests nothing is exported, may fail every one of them unseen. Its log is read only then, and
only back over a window: what it says is of now, as a count of failed requests would be.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from tools import pod_logs
from tools.columns import Column, Part
from tools.diagnose import Diagnosis
from tools.failing_replicas import ERRORS, FAILURES
from tools.log_lines import LINES
from tools.observe import Cluster
from tools.pod_logs import LogsRead
from tools.readers.pipelines import ROUTERS
from tools.reading import Blind, Reason, Subject
from tools.signals import RUNNING_FOR, Ask
from tools.snapshot import Snapshot
from tools.topology import IN_FRONT, Pod, Topology
from tools.vocabulary.cluster_parts import LOG_CLUSTER_API, LOG_NO_BACKEND
from tools.vocabulary.outcomes import LOG_WINDOW

# What a container that lost its GPU looks like from outside, as one does that nobody needs.
IDLE = frozenset({"gpu_idle_no_process"})
# A loaded engine to which nothing comes: whoever sends it requests may have lost the way, and say so.
UNUSED = frozenset({"gpu_idle_no_traffic"})
WINDOW_S = 900
MOST = 4
MOST_STARTS = 8
NOT_ALL = Blind(
    Reason.PARTIAL, f"the logs of {MOST_STARTS} workloads were read, and not this one's: name it to have it read"
)
# Of a router that serves for hours what it said at its start lies far up: it is read from there on.
FROM_ITS_START = 0


def suspects(diagnosis: Diagnosis, topology: Topology, named: Iterable[Subject]) -> list[str]:
    """The pods (by key) that are worth it: of workloads whose GPUs do nothing, the idle ones first, of routers before engines that nothing reaches, and of
    those that are named and that nothing ails."""
    idle = {finding.key for finding in diagnosis.findings if finding.root and finding.id in IDLE}
    unused = [finding for finding in diagnosis.findings if finding.root and finding.id in UNUSED]
    homes: set[str] = set()
    keys: dict[str, None] = {}
    for outcome in diagnosis.outcomes:
        if outcome.key in idle and outcome.because is not None:
            told = [key for reading in outcome.because.evidence for key in _holders(reading.subject, topology)]
            keys.update(dict.fromkeys((*told, *topology.pods_of(outcome.subject))))
        if outcome.subject.namespace and any(one.key == outcome.key for one in unused):
            homes.add(outcome.subject.namespace)
    before = (one for one in topology.workloads if one.namespace in homes and _stands_before(one, topology))
    keys.update((key, None) for one in sorted(named) for key in topology.pods_of(one))
    keys.update((key, None) for one in sorted(before) for key in topology.pods_of(one))
    return list(keys)


def _stands_before(one: Subject, topology: Topology) -> bool:
    """Whether it hands requests on, by its name or its image, and holds no GPU."""
    pods = [topology.pods[key] for key in topology.pods_of(one)]
    named = IN_FRONT.search(one.name) or any(ROUTERS.search(pod.image) for pod in pods)
    return bool(named) and not any(pod.gpus for pod in pods)


def _holders(subject: Subject, topology: Topology) -> tuple[str, ...]:
    return topology.pods_of(subject) if subject.kind == "gpu" else ()


def unwatched(snapshot: Snapshot, pods: Sequence[str]) -> list[Pod]:
    """The ready ones among pods (by key) of whose failed requests nothing can be seen and whose logs nobody has read, the first few."""
    read = pod_logs.known(snapshot.columns)
    chosen = [
        pod
        for key in pods
        if (pod := snapshot.topology.pods.get(key)) is not None
        and pod.ready
        and pod.container
        and key not in read
        and all(snapshot.read(ask, key).blind is not None for ask in (ERRORS, FAILURES))
    ]
    return chosen[:MOST]


def closer(cluster: Cluster | Blind, snapshot: Snapshot, pods: Sequence[str]) -> Snapshot:
    """The same snapshot with what the logs of such pods say, or with why they could not be read."""
    if isinstance(cluster, Blind) or snapshot.past:
        return snapshot
    logs = pod_logs.read_running(cluster, unwatched(snapshot, pods), snapshot.at, WINDOW_S)
    if not logs.requests:
        return snapshot
    refused = _refused_since_its_start(cluster, snapshot, logs)
    return replace(
        snapshot,
        columns=logs.into(refused.into(snapshot.columns)),
        sources=(*snapshot.sources, *logs.state(snapshot.sources)),
        requests=snapshot.requests + logs.requests + refused.requests,
    )


def from_their_start(
    cluster: Cluster | Blind, snapshot: Snapshot, pods: Sequence[str], wanted: Collection[Ask]
) -> Snapshot:
    """The same snapshot with what engines and others on GPUs among pods (by key) printed while they started, as far as `wanted` are lines of logs.

    A pod of each workload is read, of the first few; the others are blind, as are those whose logs may not be read.
    """
    lines = {ask for ask in wanted if ask.signal in LINES and ask in snapshot.columns}
    if not lines or isinstance(cluster, Blind) or snapshot.past:
        return snapshot
    first: dict[Subject, Pod] = {}
    topology = snapshot.topology
    for key in sorted(pods):
        pod = topology.pods.get(key)
        if pod is not None and pod.active and pod.container:
            first.setdefault(pod.workload, pod)
    # A server on a GPU that nobody recognises loads weights like one that is.
    known = [pod for of, pod in first.items() if of in topology.engines]
    chosen = [*known, *(pod for pod in first.values() if pod not in known and pod.gpus)]
    logs = pod_logs.read_running(cluster, chosen[:MOST_STARTS], snapshot.at, lines=FROM_ITS_START)
    left = Part("Kubernetes API", "", snapshot.at, unseen={pod.key: NOT_ALL for pod in chosen[MOST_STARTS:]})
    kept = {ask: (*told, left) for ask, told in logs.parts.items() if ask in lines}
    told = replace(logs, parts=kept)
    # The end of a log, read for another reason, says nothing of its start.
    ends = {ask: _without(snapshot.columns[ask], {pod.key for pod in chosen}) for ask in lines}
    return replace(
        snapshot,
        columns=told.into({**snapshot.columns, **ends}),
        sources=(*snapshot.sources, *told.state(snapshot.sources)),
        requests=snapshot.requests + told.requests,
    )


def _without(column: Column, keys: Collection[str]) -> Column:
    parts = (
        replace(part, values={key: value for key, value in part.values.items() if key not in keys or value})
        for part in column.parts
    )
    return Column(column.ask, tuple(parts), column.absent)


def _refused_since_its_start(cluster: Cluster, snapshot: Snapshot, logs: LogsRead) -> LogsRead:
    """What the whole logs of routers that still know no engine say of the cluster's API: a watch that was refused ended with its first line."""
    alone = [key for part in logs.parts.get(LOG_NO_BACKEND.now, ()) for key, line in part.values.items() if line]
    parts: dict[Ask, tuple[Part, ...]] = {LOG_CLUSTER_API.now: (), LOG_WINDOW.now: ()}
    requests = 0
    for key in alone:
        ran = snapshot.read(RUNNING_FOR.now, key)
        if ran.blind is not None:
            continue
        whole = pod_logs.read_running(
            cluster, [snapshot.topology.pods[key]], snapshot.at, int(ran.number) + 1, FROM_ITS_START
        )
        requests += whole.requests
        if any(part.values.get(key) for part in whole.parts.get(LOG_CLUSTER_API.now, ())):
            parts = {ask: (*told, *whole.parts.get(ask, ())) for ask, told in parts.items()}
    return LogsRead(parts, requests)
