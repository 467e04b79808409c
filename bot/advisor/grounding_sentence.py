"""A sentence as the rules of grounding look at it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.advisor.grounding_record import Record
from bot.advisor.grounding_tokens import Tokens


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence in the forms that the rules look at.

    `whole` is the plain text, `quoted` the text as written, with the texts that may be quoted whole blanked out, `shown` plain, `spans` its code spans, `prose` plain
    without spans and markers, `verbatim` whether a text of the answer contains all of it.
    """

    whole: str
    quoted: str
    shown: str
    spans: tuple[str, ...]
    prose: str
    said: Tokens
    objects: frozenset[str]
    verbatim: bool


Rule = Callable[[Sentence, Record], str]
