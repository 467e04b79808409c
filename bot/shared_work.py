"""The same question asked at once by many is investigated once.

An ask shares the answer of another when it lay in the inbox before that answer was found: it overlapped the investigation, so what was
seen then is as fresh for it. An ask that came later is looked into anew.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from contextvars import ContextVar
from dataclasses import dataclass, field, replace

from bot.advisor.question import Answer, Question
from bot.desk import Answerer, Progress

# When the ask that is being answered in this thread arrived, in seconds since the epoch; None outside of any.
arrived: ContextVar[float | None] = ContextVar("arrived", default=None)
KEPT_S = 300.0
WAITING = "Waiting for the same investigation, which somebody else asked for"


@dataclass
class _Flight:
    done: threading.Event = field(default_factory=threading.Event)
    answer: Answer | None = None
    at: float = 0.0


class Shared:
    """An answerer over another, called from many threads."""

    def __init__(self, answer: Answerer, clock: Callable[[], float] = time.time) -> None:
        """Share what `answer` finds."""
        self._answer, self._clock = answer, clock
        self._lock = threading.Lock()
        self._flights: dict[Question, _Flight] = {}

    def __call__(self, question: Question, progress: Progress) -> Answer:
        """Answer, or wait for whoever is answering the same."""
        since = arrived.get()
        if since is None:
            return self._answer(question, progress)
        key = replace(question, text=None if question.text is None else _same(question.text))
        with self._lock:
            self._forget()
            known = self._flights.get(key)
            mine = known is None or (known.done.is_set() and (known.answer is None or since > known.at))
            flight = _Flight() if mine or known is None else known
            self._flights[key] = flight
        if mine:
            return self._fly(flight, question, progress)
        progress(WAITING)
        while not flight.done.wait(1.0):
            progress(WAITING)
        if flight.answer is None:
            # It failed: everybody is told by a try of their own.
            return self._answer(question, progress)
        return replace(flight.answer, question=question.text)

    def _fly(self, flight: _Flight, question: Question, progress: Progress) -> Answer:
        try:
            flight.answer = self._answer(question, progress)
            flight.at = self._clock()
            return flight.answer
        finally:
            flight.done.set()

    def _forget(self) -> None:
        limit = self._clock() - KEPT_S
        for key in [key for key, one in self._flights.items() if one.done.is_set() and one.at < limit]:
            del self._flights[key]


def _same(text: str) -> str:
    """A question as it is compared: case, spaces and closing punctuation make no difference."""
    return " ".join(text.casefold().split()).rstrip("?!. ")
