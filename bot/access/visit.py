"""What is being answered in this thread of execution: for which ask, in which scope, and what was read for it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from bot.advisor.question import Allowed, Answer


@dataclass
class Visit:
    """One ask under way. `read` holds the sources and queries behind what was answered, each once."""

    allowed: Allowed
    read: dict[tuple[str, str], None] = field(default_factory=dict)
    model: str = ""
    intents: list[str] = field(default_factory=list)

    def saw(self, answer: Answer) -> None:
        """Note what an answer rests on."""
        for finding in answer.findings:
            for evidence in finding.evidence:
                self.read[evidence.source, evidence.query] = None
        for trace in answer.traces.values():
            self.read[trace.source, trace.query] = None
        for citation in answer.citations:
            self.read["knowledge", citation.id] = None
        self.model = answer.model.name if answer.model else self.model
        self.intents.append(answer.intent)


_CURRENT: ContextVar[Visit | None] = ContextVar("visit", default=None)


def current() -> Visit | None:
    """The visit of this thread, None outside of any."""
    return _CURRENT.get()


def allowed() -> Allowed | None:
    """What may be looked at in this visit; None outside of any. For desks that read without the advisor."""
    visit = _CURRENT.get()
    return visit.allowed if visit else None


@contextmanager
def visiting(scope: Allowed) -> Iterator[Visit]:
    """Answer within a scope: everything that the advisor is asked in here is narrowed to it."""
    visit = Visit(scope)
    token = _CURRENT.set(visit)
    try:
        yield visit
    finally:
        _CURRENT.reset(token)
