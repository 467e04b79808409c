"""How kube-state-metrics writes samples: conditions with a series for every status, sanitised resources, allow-listed labels."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from evals.fleet.sample import Sample, SampleType, labels_of
from tools.facts import at, many
from tools.quantity import quantity, seconds

Object = Mapping[str, Any]
STATUSES = ("True", "False", "Unknown")
_BYTES = {"memory", "storage", "ephemeral-storage"}


def one(name: str, value: float = 1.0, kind: SampleType = "gauge", /, **labels: str) -> Sample:
    """One sample."""
    return Sample(name, labels_of(**labels), float(value), kind)


def text(item: object, *path: str) -> str:
    """The text at a path, empty where there is none."""
    found = at(item, *path) if isinstance(item, Mapping) else None
    return "" if found is None else str(found)


def flag(value: object) -> str:
    """A boolean as a label."""
    return "true" if value else "false"


def timed(name: str, moment: object, **labels: str) -> Iterator[Sample]:
    """A time in seconds since the epoch, nothing where there is none."""
    when = seconds(moment)
    if when is not None:
        yield one(name, when, **labels)


def created(name: str, item: Object, **labels: str) -> Iterator[Sample]:
    """When an object was created, and when it was deleted if it is going."""
    yield from timed(f"{name}_created", at(item, "metadata", "creationTimestamp"), **labels)
    yield from timed(f"{name}_deletion_timestamp", at(item, "metadata", "deletionTimestamp"), **labels)


def counts(
    name: str, item: Object, fields: Mapping[str, str], part: str = "status", /, **labels: str
) -> Iterator[Sample]:
    """Numbers of a part of an object by the suffix of their series; a number that is left out is 0, as in Go."""
    for suffix, field in fields.items():
        yield one(f"{name}_{suffix}", at(item, part, field) or 0, **labels)


def statuses(name: str, now: object, label: str = "status", **labels: str) -> Iterator[Sample]:
    """A series for each status that a condition may have."""
    for status in STATUSES:
        yield one(name, now == status, **{label: status.lower()}, **labels)


def conditions(name: str, item: Object, **labels: str) -> Iterator[Sample]:
    """Every condition of an object."""
    for condition in many(item, "status", "conditions"):
        yield from statuses(name, condition.get("status"), condition=text(condition, "type"), **labels)


def owners(item: Object) -> Iterator[dict[str, str]]:
    """The labels of every owner; one set of empty labels for an object without."""
    found = many(item, "metadata", "ownerReferences")
    for owner in found:
        told = {"owner_kind": text(owner, "kind"), "owner_name": text(owner, "name")}
        yield told | {"owner_is_controller": flag(owner.get("controller"))}
    if not found:
        yield dict.fromkeys(("owner_kind", "owner_name", "owner_is_controller"), "")


def resources(name: str, found: object, of_node: bool = False, /, **labels: str) -> Iterator[Sample]:
    """Quantities by resource and unit. Resources that are neither known nor extended are left out."""
    for key, amount in found.items() if isinstance(found, Mapping) else ():
        unit, value = _unit(str(key), of_node), quantity(amount)
        if unit and value is not None:
            yield one(name, value, resource=sanitised(str(key)), unit=unit, **labels)


def _unit(resource: str, of_node: bool) -> str:
    if resource == "cpu":
        return "core"
    if resource in _BYTES or resource.startswith(("hugepages-", "attachable-volumes-")):
        return "byte"
    extended = "/" in resource and "kubernetes.io/" not in resource and not resource.startswith("requests.")
    return "integer" if extended or (of_node and resource == "pods") else ""


def sanitised(name: str) -> str:
    """A name as a Prometheus label: `nvidia.com/gpu` becomes `nvidia_com_gpu`."""
    return re.sub(r"[^a-zA-Z0-9_]", "_", name)


def allowed_labels(name: str, item: Object, allowed: Collection[str], **labels: str) -> Iterator[Sample]:
    """An object's own labels, those of `--metric-labels-allowlist` only (`*` for all); nothing without a list."""
    if not allowed:
        return
    own = at(item, "metadata", "labels") or {}
    kept = {key: str(value) for key, value in own.items() if "*" in allowed or key in allowed}
    yield one(name, **labels, **{_label(key): value for key, value in _unique(kept)})


def _label(key: str) -> str:
    return "label_" + re.sub(r"([a-z0-9])([A-Z])", r"\1_\2", sanitised(key)).lower()


def _unique(kept: Mapping[str, str]) -> Iterable[tuple[str, str]]:
    """Labels whose names collide once they are sanitised are numbered: `_conflict1`, `_conflict2`."""
    names: dict[str, list[str]] = {}
    for key in sorted(kept):
        names.setdefault(_label(key), []).append(key)
    for keys in names.values():
        for number, key in enumerate(keys, 1):
            yield (key if len(keys) == 1 else f"{key}_conflict{number}"), kept[key]
