"""Replicas that were told to stop within the day and are gone: by a rollout, a scale-in, a drain or somebody's hand.

A kubelet says `Stopping container NAME` of each container that it ends for such a reason, and other words before it restarts one in its
place ("failed liveness probe, will be restarted"); a ReplicaSet says which pods it deleted. Both speak of the pod, by its name.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from tools.facts import at, last_seen, name_of, within
from tools.gone_pods import deployments, owner_of
from tools.quantity import seconds
from tools.readers import Listed, Told
from tools.reading import Subject
from tools.vocabulary.stopped import REPLICA_STOPPED, REPLICAS_STOPPED

KINDS = ("pods", "events", "replicasets", "deployments", "statefulsets")
FACTS = (REPLICAS_STOPPED, REPLICA_STOPPED)
LATELY_S = 24 * 3600.0
_STOPPING = re.compile(r"^Stopping container \S{1,63}$")
_DELETED = re.compile(r"^Deleted pod: (\S{1,253})$|\b[Pp]od (\S{1,253}) in StatefulSet \S+ successful$")


def read(listed: Listed) -> Iterator[Told]:
    """How many, and the last of them with the time at which it was told; none where events show none."""
    if "events" not in listed.items:
        return
    stopped: dict[Subject, dict[str, float]] = defaultdict(dict)
    owners = deployments(listed)
    since = {name_of(pod): seconds(at(pod, "metadata", "creationTimestamp")) or 0.0 for pod in listed.of("pods")}
    for namespace, name, when in _told(listed):
        # A pod that stays had one of its containers stopped, which is no end of the replica; a set gives the old name to a new pod.
        ended = since.get((namespace, name), when) >= when
        if ended and listed.now - LATELY_S <= when <= listed.now:
            of = stopped[owner_of(listed, owners, namespace, name)]
            of[name] = max(when, of.get(name, 0.0))
    known = {Subject(kind.removesuffix("s"), *name_of(item)) for kind in KINDS[3:] for item in listed.of(kind)}
    for subject in sorted({*known, *listed.by_workload}, key=str):
        if not subject.name:
            continue
        gone = stopped.get(subject, {})
        last = max(gone.items(), key=lambda one: one[1], default=None)
        said = f"{last[0]} at {datetime.fromtimestamp(last[1], UTC):%H:%M} UTC" if last is not None else ""
        yield Told(str(subject), {REPLICAS_STOPPED: float(len(gone)), REPLICA_STOPPED: said}, "events")


def _told(listed: Listed) -> Iterator[tuple[str, str, float]]:
    for event in listed.of("events"):
        reason, message = str(event.get("reason") or ""), str(event.get("message") or "")[:2000]
        involved, when = within(event, "involvedObject"), last_seen(event)
        namespace, name = str(involved.get("namespace") or ""), str(involved.get("name") or "")
        if when is None or not (namespace and name):
            continue
        if reason == "Killing" and involved.get("kind") == "Pod" and _STOPPING.match(message):
            yield namespace, name, when
        elif reason == "SuccessfulDelete" and (match := _DELETED.search(message)):
            yield namespace, match[1] or match[2], when
