"""A second look at servers that a question names and that nothing explains: the last minutes of their own logs.

A server that counts as ready, and of whose requests nothing is exported, may fail every one of them unseen. Its log is read only then, and
only back over a window: what it says is of now, as a count of failed requests would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools import pod_logs
from tools.failing_replicas import ERRORS, FAILURES
from tools.observe import Cluster
from tools.reading import Blind
from tools.snapshot import Snapshot
from tools.topology import Pod

WINDOW_S = 900
MOST = 4


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
    return replace(
        snapshot,
        columns=logs.into(snapshot.columns),
        sources=(*snapshot.sources, *logs.state(snapshot.sources)),
        requests=snapshot.requests + logs.requests,
    )
