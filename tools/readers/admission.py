"""Pods behind scheduling gates, and what Kueue says of the workload that it made for such a pod.

Kueue names a pod's Workload `pod-`, the pod's name and a hash; that of a StatefulSet or another group after the group. Its events are
about the Workload, so that `kubectl describe pod` shows none of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.facts import Object, at, last_seen, many, name_of, within
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary.admission import GATES, QUEUE_SAID

KINDS = ("pods", "events")
LATELY_S = 3600.0
LONGEST = 300
_QUEUE = "kueue.x-k8s.io/"


def read(listed: Listed) -> Iterator[Told]:
    """The gates of each pod, and for a gated one the last word of its queue within the hour."""
    said = [event for event in listed.of("events") if _of_a_queue(event, listed.now)]
    for pod in listed.of("pods"):
        if not all(name_of(pod)):
            continue
        key = "/".join(name_of(pod))
        names = [str(one.get("name") or "?") for one in many(pod, "spec", "schedulingGates")]
        gates = ", ".join(names)[:LONGEST] if at(pod, "status", "phase") == "Pending" else ""
        facts: dict[Signal, Value] = {GATES: gates}
        yield Told(key, facts, "pods")
        if "events" in listed.items:
            told: dict[Signal, Value] = {QUEUE_SAID: _last(pod, said) if gates else ""}
            yield Told(key, told, "events")


def _of_a_queue(event: Object, now: float) -> bool:
    involved = within(event, "involvedObject")
    when = last_seen(event)
    about = str(involved.get("kind")) == "Workload" and str(involved.get("apiVersion")).startswith(_QUEUE)
    return about and when is not None and now - when <= LATELY_S


def _last(pod: Object, said: Sequence[Object]) -> str:
    """The newest event about the pod's own Workload, or about that of the group which it belongs to."""
    namespace, name = name_of(pod)
    own = [f"pod-{name}"]
    own += [
        f"{str(owner.get('kind')).lower()}-{owner.get('name')}" for owner in many(pod, "metadata", "ownerReferences")
    ]
    group = at(pod, "metadata", "labels", "kueue.x-k8s.io/pod-group-name")
    about = [
        event
        for event in said
        if within(event, "involvedObject").get("namespace") == namespace
        and _belongs(str(within(event, "involvedObject").get("name") or ""), own, str(group or ""))
    ]
    latest = max(about, key=lambda event: last_seen(event) or 0.0, default=None)
    return "" if latest is None else f"{latest.get('reason')}: {latest.get('message')}"[:LONGEST]


def _belongs(workload: str, own: Sequence[str], group: str) -> bool:
    return (bool(group) and workload == group) or any(workload == one or workload.startswith(f"{one}-") for one in own)
