"""Names as people type them, and the names nearest to one that is unknown. Nothing is ever guessed from nearness."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

LONGEST = 120
_WORD_BEFORE_DIGIT = re.compile(r"(?<![a-z0-9])([a-z]{3,})(?=\d)")
_SEPARATORS = re.compile(r"[^a-z0-9.+]+")


class UnknownNameError(ValueError):
    """A model, GPU or instance that no catalogue holds; the message is a sentence for people, `near` the nearest names."""

    def __init__(self, kind: str, name: str, near: tuple[str, ...]) -> None:
        """Keep what was asked for and what comes near."""
        shown = printable(name)
        listed = f"The nearest that I know: {', '.join(near)}." if near else ""
        super().__init__(f"I do not know the {kind} {shown!r}. {listed}".strip())
        self.kind, self.name, self.near = kind, shown, near


def printable(text: str) -> str:
    """A name as it can be shown: one line, no control characters, cut to a length."""
    kept = "".join(c if c.isprintable() else " " for c in text[: 4 * LONGEST])
    return " ".join(kept.split())[:LONGEST]


def fold(text: str) -> str:
    """A name without case and punctuation: `meta-llama/Llama3.1_70B` and `llama 3.1 70b` end alike."""
    text = text[: 40 * LONGEST].lower()
    text = _SEPARATORS.sub(" ", text)
    text = _WORD_BEFORE_DIGIT.sub(r"\1 ", text)
    return " ".join(word.strip(".+") for word in text.split() if word.strip(".+"))


def nearest(name: str, known: Mapping[str, str], most: int = 5) -> tuple[str, ...]:
    """The titles of the names nearest to `name`; `known` maps folded names to titles."""
    from rapidfuzz import fuzz, process

    wanted = fold(name)[:LONGEST]
    if not wanted:
        return ()
    found = process.extract(wanted, list(known), scorer=fuzz.WRatio, limit=4 * most, score_cutoff=55)
    return tuple(dict.fromkeys(known[match] for match, _score, _at in found))[:most]


def index(rows: Iterable[tuple[str, Iterable[str]]]) -> dict[str, str]:
    """Folded name to id; raises ValueError where two rows claim the same name."""
    found: dict[str, str] = {}
    for identity, names in rows:
        for name in (identity, *names):
            key = fold(name)
            if found.setdefault(key, identity) != identity:
                raise ValueError(f"{name!r} names both {found[key]} and {identity}")
    return found
