"""Readers of Kubernetes objects beyond the core facts of `tools/facts.py`, a module per theme, found by name.

A module names the kinds that it needs listed (`KINDS`) and has `read(listed)`, which yields `Told`. It is a pure function over
raw API objects: what an object does not hold is absent, never zero; what could not be listed is left out, and is blind.
A reader for readiness rules alone names its facts (`FACTS`): its kinds are listed only where one of them is asked for.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from types import ModuleType
from typing import Any

from tools.reading import Subject
from tools.signals import Signal
from tools.topology import Pod

Object = Mapping[str, Any]
Value = float | str


@dataclass(frozen=True, slots=True)
class Told:
    """Facts of one subject. `key` is `namespace/pod`, a node's name or a workload's `kind/namespace/name`; `kind` was listed."""

    key: str
    facts: Mapping[Signal, Value]
    kind: str


@dataclass(frozen=True)
class Listed:
    """What the API listed at `now`, by kind (plural). A kind that could not be listed is not in `items`."""

    now: float
    items: Mapping[str, Sequence[Object]]
    pods: Mapping[str, Pod] = field(default_factory=dict)

    def of(self, kind: str) -> Sequence[Object]:
        """The objects of a kind, none where it could not be listed."""
        return self.items.get(kind, ())

    @cached_property
    def by_workload(self) -> dict[Subject, tuple[Object, ...]]:
        """The pods of each workload."""
        found: dict[Subject, list[Object]] = {}
        for item in self.of("pods"):
            meta = item.get("metadata")
            if not isinstance(meta, Mapping):
                continue
            pod = self.pods.get(f"{meta.get('namespace', '')}/{meta.get('name', '')}")
            if pod is not None:
                found.setdefault(pod.workload, []).append(item)
        return {subject: tuple(pods) for subject, pods in found.items()}


@cache
def modules() -> tuple[ModuleType, ...]:
    """Every reader, loaded."""
    return tuple(importlib.import_module(f"{__name__}.{one.name}") for one in pkgutil.iter_modules(__path__))


def wanted(signals: Collection[Signal] | None = None) -> tuple[ModuleType, ...]:
    """The readers that tell something of what is asked for; every one where nothing is named."""
    facts = [(module, getattr(module, "FACTS", None)) for module in modules()]
    return tuple(
        module for module, told in facts if signals is None or told is None or any(one in signals for one in told)
    )


def kinds(signals: Collection[Signal] | None = None) -> tuple[str, ...]:
    """The kinds that those readers need listed."""
    return tuple(dict.fromkeys(kind for module in wanted(signals) for kind in module.KINDS))


def read(listed: Listed, signals: Collection[Signal] | None = None) -> Iterator[Told]:
    """Everything that those readers tell."""
    for module in wanted(signals):
        yield from module.read(listed)
