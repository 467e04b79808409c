"""Every failure mode, found by module name: its check and the words of its docstring. Adding one edits no list."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import tools.checks
from tools.check import Check, Words, words
from tools.signals import Ask


@dataclass(frozen=True)
class Case:
    """A failure mode: its id (the module's name), its check, its words."""

    id: str
    check: Check
    words: Words


@cache
def cases() -> Mapping[str, Case]:
    """Every failure mode by id, in alphabetical order."""
    found: dict[str, Case] = {}
    for module in pkgutil.iter_modules(tools.checks.__path__):
        loaded = importlib.import_module(f"tools.checks.{module.name}")
        found[module.name] = Case(module.name, loaded.CHECK, words(loaded.__doc__))
    return found


def modes() -> Mapping[str, Case]:
    """The failure modes alone, without the readiness rules."""
    return {name: case for name, case in cases().items() if not case.check.rule}


def rules() -> Mapping[str, Case]:
    """The readiness rules alone."""
    return {name: case for name, case in cases().items() if case.check.rule}


@cache
def asks(rules: bool = False) -> frozenset[Ask]:
    """Everything that the failure modes may look at, and the rules that may explain one; with `rules` what every readiness rule looks at."""
    return frozenset(
        ask
        for case in cases().values()
        if rules or not case.check.rule or case.check.explains
        for ask in case.check.asks
    )
