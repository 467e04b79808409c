"""What Rackside can read: every runtime and exporter module found by name. Adding one edits no list.

A vocabulary module may say by which series a source carries its signals (`SERIES`): they are added to what the source has.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from types import ModuleType

import tools.exporters
import tools.runtimes
from tools.series import Series, Source
from tools.signals import Signal
from tools.vocabulary import modules

_custom: tuple[Source, ...] = ()


def use(custom: tuple[Source, ...]) -> None:
    """Read these servers too, in place of those given before: what settings map (see `tools.custom_servers`)."""
    global _custom  # noqa: PLW0603 - settings are one per process, and every look-up must agree on them
    if custom != _custom:
        _custom = custom
        sources.cache_clear()
        runtimes.cache_clear()


@cache
def sources() -> tuple[Source, ...]:
    """Every source of every runtime and exporter, and the servers that settings map, in the order in which they are preferred."""
    return tuple(sorted((*built_in(), *_custom), key=lambda source: (source.order, source.name)))


def built_in() -> tuple[Source, ...]:
    """The sources that come with Rackside."""
    found = [_complete(source) for package in (tools.runtimes, tools.exporters) for source in _sources_in(package)]
    unknown = {name for module in modules() for name in _series(module)} - {source.name for source in found}
    if unknown:
        raise ValueError(f"the vocabulary names sources that no module has: {', '.join(sorted(unknown))}")
    return tuple(found)


@cache
def runtimes() -> tuple[Source, ...]:
    """The sources that are serving engines."""
    return tuple(source for source in sources() if source.serving)


def _complete(source: Source) -> Source:
    more = {signal: series for module in modules() for signal, series in _series(module).get(source.name, {}).items()}
    twice = sorted(signal.name for signal in more if signal in source.signals)
    if twice:
        raise ValueError(f"{source.name} has {', '.join(twice)} already: a signal is mapped in one place")
    return replace(source, signals={**source.signals, **more}) if more else source


def _series(module: ModuleType) -> Mapping[str, Mapping[Signal, tuple[Series, ...]]]:
    found: Mapping[str, Mapping[Signal, tuple[Series, ...]]] = getattr(module, "SERIES", {})
    return found


def _sources_in(package: ModuleType) -> list[Source]:
    found: list[Source] = []
    for module in pkgutil.iter_modules(package.__path__):
        found.extend(importlib.import_module(f"{package.__name__}.{module.name}").SOURCES)
    return found
