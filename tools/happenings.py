"""What Kubernetes objects and events tell of the time before: rollouts, scaling, nodes that came and went, and since when a pod or node is as it is.

Pure functions over raw API objects. Only moments that an object states are told; an object that states none tells nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from tools.facts import Object, at, autoscaler_target, many, name_of, within
from tools.quantity import seconds
from tools.reading import Subject
from tools.rollouts import differences
from tools.topology import Pod

Kind = Literal["rollout", "scale", "node", "config", "autoscaler", "traffic"]
# Nobody asks what changed longer ago than this before a fault that is still looked at.
KEPT_S = 24 * 3600.0
# What the same subject tells twice within this time is one change.
TOGETHER_S = 300.0
_REVISION = "deployment.kubernetes.io/revision"
_OF_A_NODE = {
    "NodeReady": "became ready",
    "NodeNotReady": "became not ready",
    "NodeNotSchedulable": "was cordoned",
    "NodeSchedulable": "was uncordoned",
    "Rebooted": "was rebooted",
    "RegisteredNode": "joined the cluster",
    "RemovingNode": "is being removed",
    "NodeHasInsufficientMemory": "ran short of memory",
    "NodeHasDiskPressure": "ran short of disk",
    "EvictionThresholdMet": "began to evict pods",
}
_SCALED = {"ScalingReplicaSet", "SuccessfulCreate", "SuccessfulDelete"}
_TAINTS = {
    "node.kubernetes.io/unschedulable": "was cordoned",
    "node.kubernetes.io/not-ready": "became not ready",
    "node.kubernetes.io/unreachable": "became unreachable",
}
_LONGEST = 160


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that changed at `at` (seconds since the epoch). `text` goes on from the subject: `was cordoned`."""

    kind: Kind
    at: float
    subject: Subject
    text: str
    source: str = "Kubernetes API"


@dataclass(frozen=True, slots=True)
class State:
    """Since when a pod or node is as it is now: `what` goes on from its name, `said` says where that stands."""

    what: str
    since: float
    said: str


@dataclass(frozen=True)
class Happenings:
    """All of it: changes oldest first, states by pod key or node name, the ConfigMaps that each workload's pods use.

    `absent` are the kinds that could not be listed.
    """

    changes: tuple[Happening, ...] = ()
    states: Mapping[str, tuple[State, ...]] = field(default_factory=dict)
    configs: Mapping[Subject, frozenset[str]] = field(default_factory=dict)
    absent: frozenset[str] = frozenset()


def happenings(
    lists: Mapping[str, Sequence[Object]], pods: Mapping[str, Pod], now: float, absent: frozenset[str] = frozenset()
) -> Happenings:
    """Read the lists (by plural kind) for what changed within a day before `now`."""
    found: list[Happening] = [
        *_rollouts(lists.get("replicasets", ())),
        *_events(lists.get("events", ()), lists.get("horizontalpodautoscalers", ())),
        *_nodes(lists.get("nodes", ())),
    ]
    kept = {one for one in found if now - KEPT_S <= one.at <= now}
    return Happenings(
        changes=tuple(sorted(_apart(kept), key=lambda one: (one.at, str(one.subject), one.text))),
        states=_states(lists.get("pods", ()), lists.get("nodes", ()), _backing_off(lists.get("events", ())), now),
        configs=_configs(lists.get("pods", ()), pods),
        absent=absent & {"pods", "replicasets", "events", "nodes"},
    )


def _apart(found: set[Happening]) -> list[Happening]:
    """Each change once: a node's condition and its event tell the same, and so do a rollout and the scaling that carries it out."""
    kept: dict[Subject, list[Happening]] = defaultdict(list)
    for one in sorted(found, key=lambda each: (each.kind == "scale", each.at, each.text)):
        same = [other for other in kept[one.subject] if abs(other.at - one.at) <= TOGETHER_S]
        begins = one.text.split(" from ")[0]
        told = any(other.text == one.text for other in same)
        carried = one.kind == "scale" and any(
            other.kind == "rollout" or other.text.split(" from ")[0] == begins for other in same
        )
        if not told and not carried:
            kept[one.subject].append(one)
    return [one for those in kept.values() for one in those]


def _rollouts(replicasets: Sequence[Object]) -> Iterator[Happening]:
    by_owner: dict[Subject, list[tuple[int, Object]]] = defaultdict(list)
    for item in replicasets:
        namespace, _ = name_of(item)
        owner = next((ref for ref in many(item, "metadata", "ownerReferences") if ref.get("kind") == "Deployment"), {})
        revision = str(within(item, "metadata", "annotations").get(_REVISION) or "")
        if owner.get("name") and revision.isascii() and revision.isdecimal() and len(revision) < 12:
            by_owner[Subject("deployment", namespace, str(owner["name"]))].append((int(revision), item))
    for subject, revisions in by_owner.items():
        ordered = sorted(revisions, key=lambda one: one[0])
        for i, (number, item) in enumerate(ordered):
            created = seconds(at(item, "metadata", "creationTimestamp"))
            if created is None:
                continue
            if i == 0:
                # Older revisions may have been pruned: only the first of all is known to be the beginning.
                text = "was created" if number == 1 else f"rolled out revision {number}"
            else:
                changed = differences(ordered[i - 1][1], item)
                text = f"rolled out revision {number}" + (f" ({changed})" if changed else "")
            yield Happening("rollout", created, subject, text)


def _events(events: Sequence[Object], autoscalers: Sequence[Object]) -> Iterator[Happening]:
    targets = {name_of(item): autoscaler_target(item) for item in autoscalers}
    for event in events:
        reason = str(event.get("reason") or "")
        involved = within(event, "involvedObject")
        kind, name = str(involved.get("kind") or ""), str(involved.get("name") or "")
        namespace = str(involved.get("namespace") or "")
        if not name:
            continue
        for moment in _moments(event):
            if kind == "Node" and reason in _OF_A_NODE:
                yield Happening("node", moment, Subject("node", "", name), _OF_A_NODE[reason])
            elif reason == "SuccessfulRescale" and kind == "HorizontalPodAutoscaler":
                subject = targets.get((namespace, name))
                if subject is not None:
                    text = f"was rescaled by its autoscaler ({_short(event.get('message'))})"
                    yield Happening("autoscaler", moment, subject, text)
            elif reason in _SCALED and kind in {"Deployment", "StatefulSet"}:
                yield Happening("scale", moment, Subject(kind.lower(), namespace, name), _short(event.get("message")))


def _moments(event: Object) -> set[float]:
    """The first and the last time of an event, where it says them."""
    told = (
        event.get("firstTimestamp"),
        event.get("lastTimestamp"),
        at(event, "series", "lastObservedTime"),
        event.get("eventTime"),
    )
    found = {moment for text in told if text and (moment := seconds(text)) is not None}
    created = seconds(at(event, "metadata", "creationTimestamp"))
    return found or ({created} if created is not None else set())


def _nodes(nodes: Sequence[Object]) -> Iterator[Happening]:
    for item in nodes:
        _, name = name_of(item)
        subject = Subject("node", "", name)
        created = seconds(at(item, "metadata", "creationTimestamp"))
        if not name:
            continue
        if created is not None:
            yield Happening("node", created, subject, "joined the cluster")
        for condition in many(item, "status", "conditions"):
            moment = seconds(condition.get("lastTransitionTime"))
            if condition.get("type") == "Ready" and moment is not None:
                ready = condition.get("status") == "True"
                yield Happening("node", moment, subject, "became ready" if ready else "became not ready")
        for taint in many(item, "spec", "taints"):
            moment = seconds(taint.get("timeAdded"))
            if moment is not None and taint.get("key") in _TAINTS:
                yield Happening("node", moment, subject, _TAINTS[str(taint["key"])])


def _backing_off(events: Sequence[Object]) -> dict[str, float]:
    """Since when the kubelet has been waiting between restarts, by pod."""
    found: dict[str, float] = {}
    for event in events:
        involved = within(event, "involvedObject")
        if event.get("reason") == "BackOff" and involved.get("kind") == "Pod":
            key = f"{involved.get('namespace', '')}/{involved.get('name', '')}"
            found[key] = min([*_moments(event), *([found[key]] if key in found else [])], default=float("inf"))
    return found


def _states(
    pods: Sequence[Object], nodes: Sequence[Object], backing_off: Mapping[str, float], now: float
) -> dict[str, tuple[State, ...]]:
    found: dict[str, tuple[State, ...]] = {}
    for item in pods:
        namespace, name = name_of(item)
        told = [one for one in _pod_states(item) if one.since <= now]
        unready = any(one.what == "has not been ready" for one in told)
        begun = backing_off.get(f"{namespace}/{name}", float("inf"))
        if unready and begun <= now:
            told.append(State("has been backing off from restarts", begun, "its events"))
        if name and told:
            found[f"{namespace}/{name}"] = tuple(told)
    for item in nodes:
        _, name = name_of(item)
        told = [one for one in _node_states(item) if one.since <= now]
        if name and told:
            found[name] = tuple(told)
    return found


def _pod_states(item: Object) -> Iterator[State]:
    conditions = {str(one.get("type")): one for one in many(item, "status", "conditions")}
    for kind, what in (("PodScheduled", "has not been scheduled"), ("Ready", "has not been ready")):
        condition = conditions.get(kind, {})
        moment = seconds(condition.get("lastTransitionTime"))
        if condition.get("status") == "False" and moment is not None:
            yield State(what, moment, f"the condition {kind} of the pod")
    ends = (
        seconds(at(status, state, "terminated", "finishedAt"))
        for status in many(item, "status", "containerStatuses")
        for state in ("state", "lastState")
    )
    ended = max((moment for moment in ends if moment is not None), default=None)
    if ended is not None:
        yield State("last ended", ended, "the status of its container")


def _node_states(item: Object) -> Iterator[State]:
    for condition in many(item, "status", "conditions"):
        moment = seconds(condition.get("lastTransitionTime"))
        if condition.get("type") == "Ready" and condition.get("status") != "True" and moment is not None:
            yield State("has not been ready", moment, "the condition Ready of the node")


def _configs(items: Sequence[Object], pods: Mapping[str, Pod]) -> dict[Subject, frozenset[str]]:
    found: dict[Subject, set[str]] = defaultdict(set)
    for item in items:
        pod = pods.get("/".join(name_of(item)))
        if pod is not None:
            found[pod.workload] |= set(_config_names(item))
    return {subject: frozenset(names) for subject, names in found.items()}


def _config_names(pod: Object) -> Iterator[str]:
    for volume in many(pod, "spec", "volumes"):
        yield from _named(at(volume, "configMap", "name"))
        for source in many(volume, "projected", "sources"):
            yield from _named(at(source, "configMap", "name"))
    for container in (*many(pod, "spec", "containers"), *many(pod, "spec", "initContainers")):
        for source in many(container, "envFrom"):
            yield from _named(at(source, "configMapRef", "name"))
        for variable in many(container, "env"):
            yield from _named(at(variable, "valueFrom", "configMapKeyRef", "name"))


def _named(name: object) -> Iterator[str]:
    if isinstance(name, str) and name:
        yield name


def _short(text: object) -> str:
    told = " ".join(str(text or "").split())
    told = told[:1].lower() + told[1:]
    return told if len(told) <= _LONGEST else told[: _LONGEST - 1] + "…"
