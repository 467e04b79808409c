"""Replicas that were preempted lately: by the scheduler, by a kubelet for a critical pod, or by Kueue for another workload.

The pod is gone when people look: what stays is the scheduler's event about it. Its successor bears another name, so that the workload is
told by the ReplicaSet in the pod's name. Who took the place is told by uid (by name before 1.27), and by the event's `related` object.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tools.facts import Object, at, last_seen, many, name_of, within
from tools.gone_pods import deployments, owner_of
from tools.quantity import seconds
from tools.readers import Listed, Told, Value
from tools.reading import Subject
from tools.signals import Signal
from tools.vocabulary.displaced import PREEMPTED, PREEMPTED_AGO, TOOK_PLACE

KINDS = ("pods", "events", "replicasets", "deployments", "statefulsets")
# Some clusters keep their events longer than the usual hour.
LATELY_S = 24 * 3600.0
LONGEST = 250
# The scheduler's, Kueue's and Volcano's words for it; a pod that a node evicted for want of a resource is another matter.
_EVENTS = {"Preempted": re.compile(r""), "EvictedDueToPreempted": re.compile(r""), "Evict": re.compile(r"\bpreempt")}
_BY_SCHEDULER = frozenset({"PreemptionByScheduler"})
# Kueue's Workload of a pod is called after it, with a hash; that of a group or a set after the group.
_QUEUED = re.compile(
    r"^(?:pod|statefulset|deployment|leaderworkerset|raycluster|rayservice|job|jobset)-(?P<name>.{1,230})-[a-z0-9]{4,6}$"
)
_KUEUE = "kueue.x-k8s.io/"
_UID = re.compile(r"^Preempted by (?:pod )?(?P<who>[\w./-]{1,320}) on node (?P<node>[\w.-]{1,253})")


@dataclass(frozen=True, slots=True)
class _Preempted:
    """One preemption: when, of which pod, in whose words, and of whom they speak."""

    when: float
    said: str
    who: str = ""


def read(listed: Listed) -> Iterator[Told]:
    """The newest preemption of each workload within the day; an empty text where there was none."""
    if "events" not in listed.items:
        return
    newest = _newest(listed)
    known = {Subject(kind.removesuffix("s"), *name_of(item)) for kind in KINDS[3:] for item in listed.of(kind)}
    for subject in sorted({*known, *listed.by_workload}, key=str):
        if not subject.name:
            continue
        one = newest.get(subject)
        facts: dict[Signal, Value] = {PREEMPTED: "", TOOK_PLACE: ""}
        if one is not None:
            facts = {
                PREEMPTED: one.said[:LONGEST],
                PREEMPTED_AGO: max(0.0, listed.now - one.when),
                TOOK_PLACE: one.who[:LONGEST],
            }
        yield Told(str(subject), facts, "events")


def _newest(listed: Listed) -> dict[Subject, _Preempted]:
    by_uid = {str(at(pod, "metadata", "uid") or "?"): pod for pod in listed.of("pods")}
    by_name = {"/".join(name_of(pod)): pod for pod in listed.of("pods")}
    found: dict[Subject, _Preempted] = {}
    for subject, one in (*_told_by_events(listed, by_uid, by_name), *_told_by_pods(listed)):
        if listed.now - LATELY_S <= one.when <= listed.now and one.when >= getattr(found.get(subject), "when", 0.0):
            found[subject] = one
    return found


def _told_by_events(
    listed: Listed, by_uid: Mapping[str, Object], by_name: Mapping[str, Object]
) -> Iterator[tuple[Subject, _Preempted]]:
    owners = deployments(listed)
    for event in listed.of("events"):
        reason, message = str(event.get("reason") or ""), str(event.get("message") or "")[:2000]
        words, when = _EVENTS.get(reason), last_seen(event)
        if words is None or when is None or not words.search(message):
            continue
        involved = within(event, "involvedObject")
        namespace, name = str(involved.get("namespace") or ""), str(involved.get("name") or "")
        queued = involved.get("kind") == "Workload" and str(involved.get("apiVersion")).startswith(_KUEUE)
        if queued:
            match = _QUEUED.match(name)
            name = match["name"] if match else ""
        elif involved.get("kind") != "Pod":
            continue
        if not (namespace and name):
            continue
        who = _who(event, message, by_uid, by_name)
        yield owner_of(listed, owners, namespace, name), _Preempted(when, f"{name}: {message}", who)


def _told_by_pods(listed: Listed) -> Iterator[tuple[Subject, _Preempted]]:
    """Pods that are there still: on their way out, or left behind as failed."""
    for pod in listed.of("pods"):
        namespace, name = name_of(pod)
        owner = listed.pods.get(f"{namespace}/{name}")
        if owner is None:
            continue
        for one in many(pod, "status", "conditions"):
            meant = one.get("type") == "DisruptionTarget" and one.get("status") == "True"
            kubelet = at(pod, "status", "reason") == "Preempting" and one.get("reason") == "TerminationByKubelet"
            when = seconds(one.get("lastTransitionTime"))
            if meant and when is not None and (one.get("reason") in _BY_SCHEDULER or kubelet):
                said = str(at(pod, "status", "message") or "") if kubelet else str(one.get("message") or "")
                yield owner.workload, _Preempted(when - 1.0, f"{name}: {said}")  # the event tells more


def _who(event: Object, message: str, by_uid: Mapping[str, Object], by_name: Mapping[str, Object]) -> str:
    """The pod that took the place, with its priority, where it can be seen; its name alone where only that is told."""
    match = _UID.match(message)
    related = within(event, "related")
    named = f"{related.get('namespace') or ''}/{related.get('name') or ''}" if related.get("kind") == "Pod" else ""
    told = match["who"] if match else ""
    pod = by_uid.get(told) or by_name.get(told) or by_name.get(named)
    if pod is None:
        return f"pod {named or told}" if named or "/" in told else ""
    priority, kind = at(pod, "spec", "priority"), str(at(pod, "spec", "priorityClassName") or "")
    rank = f" of priority {priority}" if isinstance(priority, int) else ""
    return f"pod {'/'.join(name_of(pod))}{rank}{f' ({kind})' if kind else ''}"
