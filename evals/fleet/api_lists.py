"""Lists of the stand-in: selected, cut into pages from one moment's view, remembered for the watch that follows."""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from evals.fleet import api_select
from evals.fleet.api_answers import RefusedError
from evals.fleet.api_kinds import Object, Resource, belongs
from tools.facts import name_of

KEPT = 64
_FIRST_VERSION = 20_000_000  # above every version that the simulator gives an object
_OLD = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list without the "
    "continue parameter, or use the continue token in this response to retrieve the remainder of the results."
)


class Page(NamedTuple):
    """A part of a list and the list's metadata."""

    items: Sequence[Object]
    metadata: Object


class Lists:
    """The views that were listed lately, by resource version; older ones have expired, as etcd compacts them away."""

    def __init__(self) -> None:
        """Nothing was listed yet."""
        self._views: dict[str, list[Object]] = {}
        self._versions = itertools.count(_FIRST_VERSION)
        self._lock = threading.Lock()

    def view(self, version: str) -> list[Object] | None:
        """What was listed at a version, None when it has expired."""
        with self._lock:
            return self._views.get(version)

    def keep(self, items: list[Object]) -> str:
        """Remember a view; the version to ask for it."""
        with self._lock:
            version = str(next(self._versions))
            self._views[version] = items
            while len(self._views) > KEPT:
                del self._views[next(iter(self._views))]
        return version

    def page(self, items: list[Object] | None, asked: Mapping[str, str]) -> tuple[Page, int]:
        """The page that is asked for, and how many were read before it; `items` is None when a token continues a list."""
        limit = _limit(asked)
        if items is None:
            version, start, read = _read_token(asked["continue"])
            found = self.view(version)
            if found is None:
                raise RefusedError(410, _OLD)
        else:
            version, start, read, found = self.keep(items), 0, 0, items
        metadata: Object = {"resourceVersion": version}
        end = start + limit if limit else len(found)
        if end < len(found):
            metadata["continue"] = _token(version, end, read + 1)
            if not (asked.get("labelSelector") or asked.get("fieldSelector")):
                metadata["remainingItemCount"] = len(found) - end
        return Page(found[start:end], metadata), read


def expired() -> RefusedError:
    """410 for a page whose list was compacted away."""
    return RefusedError(410, _OLD)


def select(objects: Sequence[Object], resource: Resource, namespace: str, asked: Mapping[str, str]) -> list[Object]:
    """The objects of a resource that a query selects, in the order in which etcd keeps them."""
    try:
        by_label = api_select.labels(asked.get("labelSelector", ""))
        by_field = api_select.fields(asked.get("fieldSelector", ""), resource.kind)
    except ValueError as why:
        raise RefusedError(400, str(why)) from None
    found = [
        item
        for item in objects
        if belongs(item, resource)
        and (not namespace or name_of(item)[0] == namespace)
        and by_label(item)
        and by_field(item)
    ]
    return sorted(found, key=name_of)


def changes(
    before: Mapping[tuple[str, str], Object], after: Mapping[tuple[str, str], Object]
) -> Iterator[tuple[str, Object]]:
    """What a watch tells between two views: ADDED, MODIFIED and DELETED objects."""
    for key, item in after.items():
        if key not in before:
            yield "ADDED", item
        elif before[key] is not item and before[key] != item:
            yield "MODIFIED", item
    for key, item in before.items():
        if key not in after:
            yield "DELETED", item


def _limit(asked: Mapping[str, str]) -> int:
    try:
        limit = int(asked.get("limit") or 0)
    except ValueError:
        raise RefusedError(400, f"limit: Invalid value: {asked['limit'][:40]!r}") from None
    return max(0, limit)


def _token(version: str, start: int, read: int) -> str:
    return base64.urlsafe_b64encode(json.dumps({"rv": version, "start": start, "read": read}).encode()).decode()


def _read_token(token: str) -> tuple[str, int, int]:
    try:
        content = json.loads(base64.urlsafe_b64decode(token))
        return str(content["rv"]), int(content["start"]), int(content["read"])
    except (binascii.Error, ValueError, KeyError, TypeError):
        raise RefusedError(400, "continue key is not valid") from None
