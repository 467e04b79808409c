"""A desk turns what was asked into the message that answers it. One module of `bot/desks` per kind of ask.

A desk module has `KINDS` (the kinds it composes) and `open_desk(bench) -> Desk`; it is found by its name, no list has to be edited.
A desk may run more than once for one ask (a process may die in between): it only reads, and what it returns is kept.
"""

from __future__ import annotations

import importlib
import pkgutil
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, NotRequired, TypedDict

from bot.advisor.question import Answer, Question
from bot.blocks import Message
from bot.store.records import Ask, Store

if TYPE_CHECKING:
    from bot.settings import Settings

Progress = Callable[[str], None]
Answerer = Callable[[Question, Progress], Answer]


class Part(TypedDict):
    """A further message in the thread of the first."""

    text: str
    blocks: list[dict[str, Any]]


class Composed(TypedDict):
    """A message as it is kept between steps; `more` follows it in its thread, each posted once.

    With `seen_by` only that person sees it, and with '-' it is not posted at all.
    """

    text: str
    blocks: list[dict[str, Any]]
    good: bool
    scope: dict[str, str] | None
    more: list[Part]
    seen_by: NotRequired[str]


Desk = Callable[[Ask, Progress], Composed]
# Called about every 15 seconds with the time of day; returns what is due. Each is accepted once, by its key.
Chore = Callable[[float], Iterable[Ask]]


@dataclass(frozen=True, slots=True)
class Bench:
    """What desks, chores and routes stand on. `settings` is None where only questions are answered (tests)."""

    answer: Answerer
    store: Store
    home: Path
    team: str = ""
    settings: Settings | None = None
    clock: Callable[[], float] = time.time


def composed(
    message: Message, *, good: bool = True, scope: dict[str, str] | None = None, more: Iterable[Message] = ()
) -> Composed:
    """Messages in the form that is kept. `good` chooses the reaction that closes the work."""
    parts: list[Part] = [{"text": part.text, "blocks": part.blocks} for part in more]
    return {"text": message.text, "blocks": message.blocks, "good": good, "scope": scope, "more": parts}


def modules(package: ModuleType, prefix: str = "") -> Iterator[ModuleType]:
    """The modules of a package whose names begin so, by name."""
    for found in sorted(pkgutil.iter_modules(package.__path__), key=lambda one: one.name):
        if found.name.startswith(prefix):
            yield importlib.import_module(f"{package.__name__}.{found.name}")


def desks(bench: Bench) -> dict[str, Desk]:
    """Every kind of ask with its desk."""
    import bot.desks

    found: dict[str, Desk] = {}
    for module in modules(bot.desks):
        desk = module.open_desk(bench)
        for kind in module.KINDS:
            if kind in found:
                raise ValueError(f"two desks compose {kind!r}")
            found[kind] = desk
    return found


def narrowing_kinds() -> frozenset[str]:
    """The kinds that can be answered for a part of the fleet: those of the desks that say so with `NARROWS`, as they ask the bench alone."""
    import bot.desks

    return frozenset(kind for module in modules(bot.desks) for kind in getattr(module, "NARROWS", ()))


def chores(bench: Bench) -> list[Chore]:
    """What is looked after in the background, from `bot/chores` (each module has `open_chore(bench) -> Chore`)."""
    import bot.chores

    return [module.open_chore(bench) for module in modules(bot.chores)]
