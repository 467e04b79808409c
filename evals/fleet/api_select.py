"""Label and field selectors as the API server reads them; a selector that it would refuse raises ValueError."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

Test = Callable[[Mapping[str, Any]], bool]

_SET = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s+(?P<op>in|notin)\s*\((?P<values>[^()]*)\)\s*(?:,|$)")
_ONE = re.compile(r"\s*(?P<key>[^\s!=,()]+)\s*(?P<op>==|!=|=)\s*(?P<value>[^\s,()]*)\s*(?:,|$)")
_HAS = re.compile(r"\s*(?P<no>!?)\s*(?P<key>[^\s!=,()]+)\s*(?:,|$)")
_FIELD = re.compile(r"(?P<key>[A-Za-z.]+)(?P<op>==|!=|=)(?P<value>.*)")
_EVERYWHERE = {"metadata.name", "metadata.namespace"}
# The fields that the server indexes; any other is refused with 400.
FIELDS = {
    "Pod": {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    },
    "Node": {"spec.unschedulable"},
    "Namespace": {"status.phase"},
    "ReplicaSet": {"status.replicas"},
    "Job": {"status.successful"},
    "Event": {
        *(
            f"involvedObject.{name}"
            for name in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        "reason",
        "reportingComponent",
        "source",
        "type",
    },
}


def labels(selector: str) -> Test:
    """A test of an object's labels: `a=b,c!=d,e in (f,g),h,!i`."""
    tests: list[Test] = []
    rest = selector
    while rest.strip():
        match = _SET.match(rest) or _ONE.match(rest) or _HAS.match(rest)
        if match is None:
            raise ValueError(f"unable to parse requirement: found {rest.strip()[:40]!r}")
        tests.append(_label(match.groupdict()))
        rest = rest[match.end() :]
    return lambda item: all(test(item) for test in tests)


def _label(found: Mapping[str, str]) -> Test:
    key = found["key"]

    def value(item: Mapping[str, Any]) -> str | None:
        told = ((item.get("metadata") or {}).get("labels") or {}).get(key)
        return None if told is None else str(told)

    if "values" in found:
        wanted = {part.strip() for part in found["values"].split(",")}
        if found["op"] == "in":
            return lambda item: value(item) in wanted
        return lambda item: value(item) not in wanted
    if "value" in found:
        if found["op"] == "!=":
            return lambda item: value(item) != found["value"]
        return lambda item: value(item) == found["value"]
    return (lambda item: value(item) is None) if found["no"] else (lambda item: value(item) is not None)


def fields(selector: str, kind: str) -> Test:
    """A test of an object's fields; only what the server indexes for a kind can be asked."""
    tests: list[Test] = []
    for part in filter(None, (piece.strip() for piece in selector.split(","))):
        match = _FIELD.fullmatch(part)
        if match is None:
            raise ValueError(f"invalid selector: {part!r}; can't understand {part!r}")
        if match["key"] not in _EVERYWHERE | FIELDS.get(kind, set()):
            raise ValueError(f"field label not supported: {match['key']}")
        tests.append(_field(match["key"], match["value"], match["op"] != "!="))
    return lambda item: all(test(item) for test in tests)


def _field(key: str, wanted: str, equal: bool) -> Test:
    path = ("source", "component") if key == "source" else tuple(key.split("."))

    def test(item: Mapping[str, Any]) -> bool:
        here: Any = item
        for step in path:
            here = here.get(step) if isinstance(here, Mapping) else None
        told = "" if here is None else str(here).lower() if isinstance(here, bool) else str(here)
        return (told == wanted) is equal

    return test
