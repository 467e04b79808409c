"""What the logs of pods that run say: read after the survey, of the few that fail, that are slow, or that a question names.

A log that may not be read, or that does not come, is blind with its reason for that pod: it acquits nobody.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.columns import Column, Part
from tools.log_lines import LINES
from tools.log_lines import read as read_lines
from tools.observe import Cluster
from tools.reading import Blind
from tools.signals import Ask
from tools.snapshot import SourceState
from tools.topology import Pod
from tools.vocabulary.outcomes import LOG_WINDOW

SOURCE = "Kubernetes: logs"
LOGS_OF_FAILING = 4
TAIL_LINES = 400


@dataclass(frozen=True, slots=True)
class LogsRead:
    """Log lines by ask, a part per pod with the request that told it; how many were asked for, and why some could not be read."""

    parts: Mapping[Ask, tuple[Part, ...]] = field(default_factory=dict)
    requests: int = 0
    blind: Blind | None = None

    def into(self, columns: Mapping[Ask, Column]) -> dict[Ask, Column]:
        """The columns with these lines, those that nobody asked for left out."""
        return dict(columns) | {
            ask: Column(ask, (*columns[ask].parts, *parts), columns[ask].absent)
            for ask, parts in self.parts.items()
            if ask in columns
        }

    def state(self, told: Sequence[SourceState]) -> tuple[SourceState, ...]:
        """What to add to the sources of which `told` is known: that logs could not be read, once."""
        if self.blind is None or any(one.name == SOURCE for one in told):
            return ()
        return (SourceState(SOURCE, self.blind, 0, self.requests),)


def read_running(
    cluster: Cluster | Blind, pods: Sequence[Pod], now: float, since_s: int | None = None, lines: int = TAIL_LINES
) -> LogsRead:
    """What the last lines of these pods' serving containers' present logs hold, of the last `since_s` seconds where given."""
    if isinstance(cluster, Blind):
        return LogsRead()
    parts: dict[Ask, list[Part]] = defaultdict(list)
    blind: Blind | None = None
    for pod in pods:
        log = cluster.logs(pod.namespace, pod.name, pod.container, False, tail_lines=lines, since_s=since_s)
        if log.blind is not None:
            blind = blind or log.blind
            for signal in LINES:
                parts[signal.now].append(Part("Kubernetes API", log.path, now, unseen={pod.key: log.blind}))
            continue
        for signal, line in read_lines(log.text).items():
            parts[signal.now].append(Part("Kubernetes API", log.path, now, {pod.key: line}))
        if since_s is not None:
            parts[LOG_WINDOW.now].append(Part("Kubernetes API", log.path, now, {pod.key: float(since_s)}))
    return LogsRead({ask: tuple(told) for ask, told in parts.items()}, len(pods), blind)


def read_failing(
    cluster: Cluster | Blind, pods: Mapping[str, Pod], columns: Mapping[Ask, Column], failing: Sequence[str], now: float
) -> LogsRead:
    """What the logs of pods (by key, worst first) say that serve and fail: of the first few that were not read for another reason."""
    read = known(columns)
    chosen = [pods[key] for key in failing if key in pods and pods[key].container and key not in read]
    return read_running(cluster, chosen[:LOGS_OF_FAILING], now)


def known(columns: Mapping[Ask, Column]) -> frozenset[str]:
    """The pods (by key) whose logs were read, or could not be."""
    told = (columns[signal.now].parts for signal in LINES if signal.now in columns)
    return frozenset(key for parts in told for part in parts for key in (*part.values, *part.unseen))
