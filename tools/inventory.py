"""What Rackside can read: every runtime and exporter module found by name. Adding one edits no list."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from types import ModuleType

import tools.exporters
import tools.runtimes
from tools.series import Source


@cache
def sources() -> tuple[Source, ...]:
    """Every source of every runtime and exporter, in the order in which they are preferred."""
    found = [source for package in (tools.runtimes, tools.exporters) for source in _sources_in(package)]
    return tuple(sorted(found, key=lambda source: (source.order, source.name)))


@cache
def runtimes() -> tuple[Source, ...]:
    """The sources that are serving engines."""
    return tuple(source for source in sources() if source.serving)


def _sources_in(package: ModuleType) -> list[Source]:
    found: list[Source] = []
    for module in pkgutil.iter_modules(package.__path__):
        found.extend(importlib.import_module(f"{package.__name__}.{module.name}").SOURCES)
    return found
