"""Whether all that runs was listed: what is not among the workloads of a snapshot may be there all the same."""

from __future__ import annotations

from tools.reading import Reason
from tools.signals import GPU_REQUEST, NODE_GPUS, Ask
from tools.snapshot import Snapshot

# The objects were read and do not state it.
_NOT_STATED = frozenset({Reason.NO_SERIES, Reason.NOTHING_OBSERVED})


def unlisted(snapshot: Snapshot) -> str:
    """Why workloads may run that the snapshot does not show; empty where Kubernetes listed all pods.

    The snapshot must have been taken with `GPU_REQUEST.now`, which is read of pods alone.
    """
    for source in snapshot.sources:
        if source.name == "Kubernetes" and source.blind is not None:
            return str(source.blind)
    if snapshot.sees_nothing:
        return "no source answered"
    pods = snapshot.columns.get(GPU_REQUEST.now)
    return "" if pods is None or pods.absent.reason in _NOT_STATED else str(pods.absent)


def requests_unseen(snapshot: Snapshot) -> str:
    """Why pods may hold GPUs that nobody tells of; empty where their requests were listed, by Kubernetes or by kube-state-metrics."""
    return _untold(snapshot, GPU_REQUEST.now)


def gpus_unseen(snapshot: Snapshot) -> str:
    """Why nodes may have GPUs that nobody tells of; empty where nodes were listed, by Kubernetes or by kube-state-metrics."""
    return _untold(snapshot, NODE_GPUS.now)


def _untold(snapshot: Snapshot, ask: Ask) -> str:
    column = snapshot.columns.get(ask)
    if column is None or column.absent.reason in _NOT_STATED or any(part.blind is None for part in column.parts):
        return ""
    return str(column.absent)
