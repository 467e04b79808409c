"""A second look at servers that a question names and that nothing explains: the last minutes of their own logs.

A server that counts as ready, and of whose requests nothing is exported, may fail every one of them unseen. Its log is read only then, and
only back over a window: what it says is of now, as a count of failed requests would be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from tools.columns import Part, Value
from tools.failing_replicas import ERRORS, FAILURES
from tools.log_lines import LINES
from tools.log_lines import read as read_lines
from tools.observe import Cluster
from tools.reading import Blind
from tools.signals import Ask
from tools.snapshot import Snapshot
from tools.topology import Pod
from tools.vocabulary.outcomes import LOG_WINDOW

WINDOW_S = 900
MOST = 4


def unwatched(snapshot: Snapshot, pods: Sequence[str]) -> list[Pod]:
    """The ready ones among pods (by key) of whose failed requests nothing can be seen and whose logs nobody has read, the first few."""
    read = {
        key
        for line in LINES
        if (column := snapshot.columns.get(line.now))
        for part in column.parts
        for key in part.values
    }
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


def closer(cluster: Cluster | Blind, snapshot: Snapshot, pods: Sequence[str]) -> Snapshot | None:
    """The same snapshot with what the logs of such pods say, None where there is none to read, or none says anything."""
    if isinstance(cluster, Blind) or snapshot.past:
        return None
    found: dict[Ask, dict[str, Value]] = {}
    path, asked = "", 0
    for pod in unwatched(snapshot, pods):
        log = cluster.logs(pod.namespace, pod.name, pod.container, False, since_s=WINDOW_S)
        asked += 1
        if log.blind is not None:
            continue
        path = path or log.path
        for signal, line in read_lines(log.text).items():
            found.setdefault(signal.now, {})[pod.key] = line
        found.setdefault(LOG_WINDOW.now, {})[pod.key] = float(WINDOW_S)
    if not any(line for ask, lines in found.items() if ask != LOG_WINDOW.now for line in lines.values()):
        return None
    columns = dict(snapshot.columns)
    for ask, values in found.items():
        if ask in columns:
            part = Part("Kubernetes API", path, snapshot.at, values)
            columns[ask] = replace(columns[ask], parts=(*columns[ask].parts, part))
    return replace(snapshot, columns=columns, requests=snapshot.requests + asked)
