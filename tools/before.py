"""What changed just before a finding began: rollouts, scaling, node events, configuration and traffic, near in time and no proof of cause.

Kubernetes tells what its objects and events still hold; kube-state-metrics tells the rest, versions of ConfigMaps included
(the ConfigMaps themselves are never read).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from tools.finding import Happened
from tools.happenings import TOGETHER_S, Happening, Happenings
from tools.measure import MARK
from tools.moments import rfc3339
from tools.narrowing import one_of
from tools.reading import Blind, Subject
from tools.snapshot import Snapshot
from tools.sources.prom import Points, PromSource
from tools.traffic import traffic

WINDOW_S = 30 * 60.0
STEP_S = 60.0
SHOWN = 4
NAMES_MOST = 100
WORKLOADS_MOST = 2
# What changes more often than this in the window beats like a heart (leases kept in ConfigMaps).
RESTLESS = 3
EVENTS_KEPT_S = 3600.0
_METRICS: tuple[tuple[str, str], ...] = (
    ("kube_deployment_spec_replicas", "deployment"),
    ("kube_deployment_metadata_generation", "deployment"),
    ("kube_statefulset_replicas", "statefulset"),
    ("kube_configmap_metadata_resource_version", ""),
    ("kube_node_spec_unschedulable", "node"),
    ('kube_node_status_condition{condition="Ready",status="true"}', "node"),
)
_NODE_TURNS = {4: ("was uncordoned", "was cordoned"), 5: ("became not ready", "became ready")}
_SYSTEM = "kube-root-ca.crt"


def before(
    prom: PromSource | Blind, snapshot: Snapshot, subject: Subject, moment: float, within_s: float
) -> tuple[tuple[Happened, ...], str]:
    """What changed in the half hour before a moment on and around a subject, nearest first, and what could not be seen of it."""
    whom = around(snapshot, subject)
    start, end = moment - max(WINDOW_S, within_s), moment + STEP_S
    told = [one for one in (snapshot.happenings or Happenings()).changes if one.subject in whom]
    series, unseen = _from_series(prom, snapshot, whom, start, end)
    found = [one for one in told if start <= one.at <= end]
    found += [one for one in series if not any(_same(one, other) for other in told)]
    if not isinstance(prom, Blind):
        found += traffic(prom, snapshot, sorted(snapshot.topology.workloads_of(subject))[:WORKLOADS_MOST], moment)
    # That it became unready is the fault itself.
    found = [one for one in found if not (one.subject == subject and one.kind == "node" and "not ready" in one.text)]
    nearest = sorted(found, key=lambda one: (-one.at, str(one.subject), one.text))[:SHOWN]
    return tuple(_happened(one, moment) for one in nearest), _unseen(snapshot, start, unseen)


def around(snapshot: Snapshot, subject: Subject) -> frozenset[Subject]:
    """The subject, its workloads and its nodes."""
    topology = snapshot.topology
    nodes = {Subject("node", "", name) for name in topology.nodes_of(subject)}
    return frozenset({subject, *topology.workloads_of(subject), *nodes})


def _same(one: Happening, other: Happening) -> bool:
    # A rollout and its scaling are one change, however many series moved.
    kinds = {one.kind, other.kind}
    alike = one.kind == other.kind or kinds <= {"rollout", "scale", "autoscaler"}
    return one.subject == other.subject and alike and abs(one.at - other.at) <= TOGETHER_S


def _happened(one: Happening, moment: float) -> Happened:
    minutes = max(0.0, round((moment - one.at) / 60.0))
    return Happened(
        kind=one.kind,
        at=rfc3339(one.at),
        subject=str(one.subject),
        text=f"{one.subject} {one.text}; that happened {_minutes(minutes)} before.",
        minutes_before=minutes,
        source=one.source,
    )


def _minutes(minutes: float) -> str:
    if minutes < 1:
        return "less than a minute"
    return "1 minute" if minutes == 1 else f"{minutes:.0f} minutes"


def _unseen(snapshot: Snapshot, start: float, more: Sequence[str]) -> str:
    told: list[str] = []
    if snapshot.past:
        told.append("what Kubernetes objects and events told then (it keeps no past)")
    elif snapshot.happenings is None:
        told.append("rollouts and events (Kubernetes could not be asked)")
    else:
        told += [f"{kind} (they could not be listed)" for kind in sorted(snapshot.happenings.absent)]
        if start < snapshot.at - EVENTS_KEPT_S:
            told.append("events older than about an hour (Kubernetes keeps none)")
    told += more
    return f"Of the time before it could not be seen: {'; '.join(told)}." if told else ""


def _from_series(
    prom: PromSource | Blind, snapshot: Snapshot, whom: Collection[Subject], start: float, end: float
) -> tuple[list[Happening], list[str]]:
    if isinstance(prom, Blind):
        return [], ["changes of ConfigMaps (Prometheus could not be asked)"]
    queries = {i: text for i in range(len(_METRICS)) if (text := _query(i, whom, snapshot.matchers))}
    if not queries:
        return [], []
    union = " or ".join(f'label_replace({text}, "{MARK}", "{i}", "", "")' for i, text in queries.items())
    points, blind = prom.range(union, start - STEP_S, min(end, snapshot.at), STEP_S)
    if blind is not None:
        return [], ["what series tell of changes (Prometheus did not answer in full)"]
    by_place: dict[int, list[Points]] = defaultdict(list)
    for one in points:
        place = one.labels.get(MARK, "")
        if place.isdecimal():
            by_place[int(place)].append(one)
    found = [*_of_workloads(by_place), *_of_nodes(by_place), *_of_configs(by_place[3], snapshot, whom)]
    unseen = [] if 3 not in queries or by_place[3] else ["changes of ConfigMaps (no series tells of them)"]
    return [one for one in found if one.subject in whom or one.kind == "config"], unseen


def _query(place: int, whom: Collection[Subject], matchers: str) -> str:
    metric, label = _METRICS[place]
    name, _, more = metric.partition("{")
    kind = label or "configmap"
    those = [one for one in whom if one.kind == kind or (not label and one.namespace)]
    if not those or len(those) > NAMES_MOST:
        return ""
    inner = [matchers, more.rstrip("}")]
    if label:
        inner.append(one_of(label, {one.name for one in those}))
    if kind == "node":
        return f"max by (node) ({name}{{{','.join(part for part in inner if part)}}})"
    spaces = {one.namespace for one in those}
    # Prometheus may have renamed the label, where the exporter's own namespace stands.
    both = (f'{one_of("namespace", spaces)},exported_namespace=""', one_of("exported_namespace", spaces))
    by = f"namespace, exported_namespace, {kind}"
    return " or ".join(
        f"max by ({by}) ({name}{{{','.join(part for part in (*inner, where) if part)}}})" for where in both
    )


def _turns(points: Points) -> Iterator[tuple[float, float, float]]:
    """When a series changed, from which value to which. A gap is no change unless the value is another after it."""
    for (_, was), (moment, now) in pairwise(zip(points.times, points.values, strict=True)):
        if was != now:
            yield moment, was, now


def _space(points: Points) -> str:
    return points.labels.get("exported_namespace") or points.labels.get("namespace", "")


def _of_workloads(by_place: Mapping[int, Sequence[Points]]) -> Iterator[Happening]:
    scaled: set[tuple[Subject, float]] = set()
    for place, kind in ((0, "deployment"), (2, "statefulset")):
        for one in by_place.get(place, ()):
            subject = Subject(kind, _space(one), one.labels.get(kind, ""))
            for moment, was, now in _turns(one):
                scaled.add((subject, moment))
                text = f"was scaled from {was:.0f} to {now:.0f} replicas"
                yield Happening("scale", moment, subject, text, "kube-state-metrics via Prometheus")
    for one in by_place.get(1, ()):
        subject = Subject("deployment", _space(one), one.labels.get("deployment", ""))
        for moment, was, now in _turns(one):
            if not any((subject, other) in scaled for other in (moment - STEP_S, moment, moment + STEP_S)):
                text = f"had its specification changed (generation {was:.0f} to {now:.0f})"
                yield Happening("rollout", moment, subject, text, "kube-state-metrics via Prometheus")


def _of_nodes(by_place: Mapping[int, Sequence[Points]]) -> Iterator[Happening]:
    for place, words in _NODE_TURNS.items():
        for one in by_place.get(place, ()):
            for moment, _, now in _turns(one):
                subject = Subject("node", "", one.labels.get("node", ""))
                yield Happening("node", moment, subject, words[now == 1.0], "kube-state-metrics via Prometheus")


def _of_configs(found: Sequence[Points], snapshot: Snapshot, whom: Collection[Subject]) -> Iterator[Happening]:
    used = None
    if snapshot.happenings is not None and "pods" not in snapshot.happenings.absent:
        used = {(one.namespace, name) for one in whom for name in snapshot.happenings.configs.get(one, ())}
    for one in found:
        namespace, name = _space(one), one.labels.get("configmap", "")
        turns = list(_turns(one))
        if name == _SYSTEM or len(turns) >= RESTLESS or (used is not None and (namespace, name) not in used):
            continue
        for moment, _, _ in turns:
            subject = Subject("configmap", namespace, name)
            yield Happening("config", moment, subject, "was changed", "kube-state-metrics via Prometheus")
