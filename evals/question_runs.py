"""Knowledge questions: are the right page and the facts among the first passages, and is what lies outside declined?"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import yaml

from knowledge.search import Library

QUESTIONS = Path(__file__).parent / "questions"
FIRST = (1, 3, 5)
# The passages that have to hold the facts together: what a person reads before giving up.
READ = 3
# The same for everybody, whatever they call a passage: so many characters, as long as three of ours are.
READ_CHARS = 4000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question; one with neither pages nor facts is out of scope. `pages` answer it.

    Each of `facts` is what an answer has to hold, as the spellings of which one is enough; a question may have none.
    """

    ask: str
    pages: tuple[str, ...] = ()
    facts: tuple[tuple[str, ...], ...] = ()

    @property
    def answerable(self) -> bool:
        """Is it within what the pages are about?"""
        return bool(self.pages or self.facts)


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage that a searcher returned: the page that it is of, and its whole text."""

    page: str
    text: str


class Searcher(Protocol):
    """What can be scored. One that cannot decline says so by returning None."""

    def search(self, question: str, k: int) -> list[Piece]:
        """The best `k` passages, best first."""

    def declines(self, question: str) -> bool | None:
        """Is the question outside of what it knows?"""


class Ours:
    """Rackside's library as a searcher."""

    def __init__(self, library: Library) -> None:
        """Search `library`."""
        self._library = library

    def search(self, question: str, k: int) -> list[Piece]:
        """The hits, each with its title and the text that is shown of it."""
        return [
            Piece(hit.passage.page_id, f"{hit.passage.title}\n{hit.text}") for hit in self._library.search(question, k)
        ]

    def declines(self, question: str) -> bool | None:
        """As the advisor decides it."""
        return self._library.outside(question, self._library.search(question, max(FIRST)))


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one question went. `rank` is the place of the first right page, 0 when it is not there.

    `facts` says whether the first passages hold every fact, None where the question names none; `equal` says it of the first
    READ_CHARS characters, where every searcher is read equally far. `read` is how many characters the first passages have.
    """

    asked: Asked
    got: tuple[str, ...]
    rank: int
    facts: bool | None
    missing: tuple[str, ...]
    declined: bool | None
    equal: bool | None = None
    read: int = 0

    @property
    def ok(self) -> bool:
        """Answerable: in the first passages, by its facts where it names some, and not declined. Else declined."""
        if not self.asked.answerable:
            return self.declined is True
        return not self.declined and (self.facts if self.facts is not None else 0 < self.rank <= READ)

    def row(self) -> dict[str, Any]:
        """For people and for JSON."""
        return {
            "question": self.asked.ask,
            "expected": list(self.asked.pages) or ("its facts" if self.asked.facts else "declined"),
            "got": "declined" if self.declined else list(self.got[:READ]),
            "missing": list(self.missing),
            "ok": self.ok,
        }


@dataclass(slots=True)
class Totals:
    """Counts over outcomes."""

    outcomes: list[Outcome] = field(default_factory=list)

    def shares(self) -> dict[str, float | None]:
        """Recall, MRR, facts and decline figures with their n; None where nothing was measured."""
        inside = [one for one in self.outcomes if one.asked.answerable]
        placed = [one for one in inside if one.asked.pages]
        outside = [one for one in self.outcomes if not one.asked.answerable]
        proven = [one for one in inside if one.facts is not None]
        declined = [one for one in self.outcomes if one.declined]
        measured = any(one.declined is not None for one in self.outcomes)
        shares: dict[str, float | None] = {"answerable": len(inside), "out_of_scope": len(outside)}
        for first in FIRST:
            shares[f"recall@{first}"] = _share(sum(0 < one.rank <= first for one in placed), len(placed))
        shares["mrr"] = _share(sum(1 / one.rank for one in placed if one.rank), len(placed))
        shares["with_facts"] = len(proven)
        shares[f"facts@{READ}"] = _share(sum(bool(one.facts) for one in proven), len(proven))
        shares[f"facts in {READ_CHARS} characters"] = _share(sum(bool(one.equal) for one in proven), len(proven))
        shares["characters read"] = round(sum(one.read for one in inside) / len(inside)) if inside else None
        rightly = sum(not one.asked.answerable for one in declined)
        shares["decline_precision"] = _share(rightly, len(declined)) if measured else None
        shares["decline_recall"] = _share(rightly, len(outside)) if measured else None
        return shares


def read(file: Path) -> list[Asked]:
    """The questions of a YAML file, a list of `{ask, pages, facts}`, or of every file of a folder.

    Raises ValueError with a sentence where it is something else.
    """
    files = sorted(file.glob("*.yaml")) if file.is_dir() else [file]
    if not files:
        raise ValueError(f"there is no file of questions in {file}")
    asked: list[Asked] = []
    for one in files:
        try:
            stored = yaml.safe_load(one.read_text(encoding="utf-8"))
            asked.extend(_asked(entry) for entry in stored)
        except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"{one} is no list of {{ask, pages, facts}} ({type(error).__name__})") from None
    return asked


def run(asked: Sequence[Asked], searcher: Searcher) -> Iterator[Outcome]:
    """Each question with its outcome."""
    for one in asked:
        pieces = searcher.search(one.ask, max(FIRST))
        pages = tuple(dict.fromkeys(piece.page for piece in pieces))
        rank = next((place for place, page in enumerate(pages, 1) if page in one.pages), 0)
        texts = [piece.text for piece in pieces]
        missing = _missing(one, "\n".join(texts[:READ]))
        yield Outcome(
            one,
            pages,
            rank,
            not missing if one.facts else None,
            missing,
            searcher.declines(one.ask),
            not _missing(one, "\n".join(texts)[:READ_CHARS]) if one.facts else None,
            sum(map(len, texts[:READ])),
        )


def _missing(asked: Asked, text: str) -> tuple[str, ...]:
    said = " ".join(text.casefold().split())
    return tuple(fact[0] for fact in asked.facts if not any(" ".join(way.casefold().split()) in said for way in fact))


def _asked(entry: dict[str, Any]) -> Asked:
    facts = tuple(
        tuple(map(str, fact)) if isinstance(fact, list) else (str(fact),) for fact in entry.get("facts") or ()
    )
    return Asked(str(entry["ask"]), tuple(map(str, entry.get("pages") or ())), facts)


def _share(part: float, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
