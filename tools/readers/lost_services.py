"""Services that select nobody, told of the workload whose pods they nearly select.

A workload that another Service still selects, and one without pods, has lost nothing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence

from tools.facts import Object, at, name_of, within
from tools.readers import Listed, Told
from tools.readers.services import around
from tools.vocabulary.reachability import LOST_SERVICE

KINDS = ("services", "pods", "deployments", "statefulsets")
LONGEST = 250


def read(listed: Listed) -> Iterator[Told]:
    """One fact of each workload that has pods; empty where a Service selects them or none ever seems to have been for them."""
    if not {"services", "pods"} <= listed.items.keys():
        return
    services: dict[str, list[Object]] = defaultdict(list)
    pods: dict[str, list[Mapping[str, object]]] = defaultdict(list)
    for item in listed.of("services"):
        services[name_of(item)[0]].append(item)
    for item in listed.of("pods"):
        pods[name_of(item)[0]].append(within(item, "metadata", "labels"))
    lost = {space: [one for one in found if _lost(one, pods[space])] for space, found in services.items()}
    for whose in around(listed):
        if not listed.by_workload.get(whose.subject):
            continue
        space = whose.subject.namespace
        held = any(_selects(_selector(one), whose.labels) for one in services.get(space, ()))
        said = "" if held else _nearest(whose.subject.name, whose.labels, lost.get(space, ()))
        yield Told(str(whose.subject), {LOST_SERVICE: said}, "services")


def _selector(service: Object) -> Mapping[str, object]:
    return within(service, "spec", "selector")


def _selects(selector: Mapping[str, object], labels: Mapping[str, object]) -> bool:
    return bool(selector) and all(labels.get(key) == value for key, value in selector.items())


def _lost(service: Object, pods: Sequence[Mapping[str, object]]) -> bool:
    selector = _selector(service)
    named = at(service, "spec", "type") != "ExternalName"
    return named and bool(selector) and not any(_selects(selector, labels) for labels in pods)


def _nearest(name: str, labels: Mapping[str, object], lost: Sequence[Object]) -> str:
    """The lost Service that is named like the workload, or of whose selector most and not all holds."""
    for service in lost:
        called, selector = name_of(service)[1], _selector(service)
        missing = {key: value for key, value in selector.items() if labels.get(key) != value}
        if called == name or len(missing) < len(selector):
            wanted = ", ".join(f"{key}={value}" for key, value in sorted(missing.items()))
            return f"service {called} selects {wanted}, which the pods do not have"[:LONGEST]
    return ""
