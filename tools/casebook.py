"""Every failure mode, found by module name: its check and the words of its docstring. Adding one edits no list."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from functools import cache

import tools.checks
from tools.check import Check, Words, words
from tools.signals import Ask

# A question longer than this is a paste.
MOST_CHARS = 4000


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
def asks(rules: bool = False, asked: frozenset[str] = frozenset()) -> frozenset[Ask]:
    """Everything that the failure modes may look at, and the rules that may explain one; with `rules` what every readiness rule looks at.

    `asked` are rules that somebody asks for.
    """
    return frozenset(
        ask
        for case in cases().values()
        if rules or not case.check.rule or case.check.explains or case.check.felt or case.id in asked
        for ask in case.check.asks
    )


def asks_of(ids: Collection[str]) -> frozenset[Ask]:
    """Everything that these may look at."""
    return frozenset(ask for one in ids for ask in cases()[one].check.asks)


def asked_for(text: str) -> frozenset[str]:
    """The rules, and what is normal though it looks wrong, that a question asks for, by the words that their checks give."""
    lowered = _lowered(text)
    return frozenset(
        case.id for case in cases().values() if any(re.search(words, lowered) for words in case.check.asked)
    )


def signs_named(text: str) -> frozenset[str]:
    """The failure modes whose own sign a question names."""
    lowered = _lowered(text)
    return frozenset(case.id for case in modes().values() if case.check.sign and re.search(case.check.sign, lowered))


def complained_of(text: str) -> frozenset[str]:
    """The rules whose harm a question tells of, by the words that their checks give."""
    lowered = _lowered(text)
    return frozenset(
        case.id for case in rules().values() if any(re.search(words, lowered) for words in case.check.complaints)
    )


def _lowered(text: str) -> str:
    return " ".join(text.lower().split())[:MOST_CHARS]
