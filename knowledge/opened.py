"""A build of the index with what a search derives from it."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.belonging import Company, Wording
from knowledge.builds import Build
from knowledge.encoder import Vectors, whole_words
from knowledge.narrowing import Catalogue
from knowledge.passages import Passage
from knowledge.ranking import POOL
from knowledge.runbooks import runbook_passage
from knowledge.strays import KIN, STRAYS
from knowledge.vocabulary import Vocabulary, terms, words

# How much of a page is shown below its opening: two to three sections. A section for which there is no room is cut at a sentence, unless
# only so few characters are left that nothing is said in them.
SHOWN_CHARS = 1800
LEAST_SHOWN = 160
# How much the words of a section's last heading count beside its text: headings are mostly questions.
HEADINGS_WEIGHT = 1.0
# The pages that are generated from the checks are many and alike, and their few words come near to much: of two that rank the same
# the written page is read first.
GENERATED_PACK = "failure-modes"
GENERATED_WEIGHT = 0.8
# A long table is shown around the piece that was found.
SHOWN_PIECES = 3
_SENTENCE_ENDS = re.compile(r"(?<=[.!?:;])(?=\s)|(?<=\n)")
_URL = re.compile(r"https?://[^\s<>|\"']+")
_AFTER_URL = ").,;:!?]}"


@dataclass(frozen=True, slots=True)
class Section:
    """The passages of one heading, in their order; of a long one, those around the nearest.

    Only so many characters of it are shown as there is `room` for, None for all.
    """

    passages: tuple[Passage, ...]
    room: int | None = None

    @property
    def heading(self) -> str:
        """The path of headings."""
        return self.passages[0].section

    @property
    def text(self) -> str:
        """All of it, as Markdown without its heading."""
        return "\n".join(passage.text for passage in self.passages)

    @property
    def shown(self) -> str:
        """The same below its heading, its first sentences where there is no room for all; "" where there is none for one."""
        head = f"**{self.heading}**\n\n"
        if self.room is None or len(head) + len(self.text) <= self.room:
            return head + self.text
        begun = ""
        for sentence in _SENTENCE_ENDS.split(self.text):
            if len(head) + len(begun) + len(sentence) > self.room:
                break
            begun += sentence
        return f"{head}{begun.rstrip()}" if begun.strip() else ""


class Opened:
    """A build and its vocabulary, names and rows; replaced as a whole when the pointer moves."""

    def __init__(self, build: Build, folder: Path) -> None:
        """Derive what every search needs; the rest when it is first asked for."""
        self.build = build
        self.folder = folder
        self.vocabulary = Vocabulary([name for name, _ in build.named], build.words.vocabulary, whole_words())
        self.catalogue = Catalogue(build)
        self._rows_of: dict[str, list[int]] = {}
        for row, passage in enumerate(build.passages):
            self._rows_of.setdefault(passage.page_id, []).append(row)

    def page_of(self, row: int) -> str:
        """The id of the page that a passage is of."""
        return self.build.passages[row].page_id

    def called(self, vector: Vectors, rows: NDArray[np.int64] | None) -> list[str]:
        """The pages whose titles and other names come nearest, best first; only those that `rows` are of."""
        cosines = self.build.names @ vector
        if rows is not None:
            within = {self.page_of(int(row)) for row in rows}
            cosines = np.where([page in within for page in self._owners], cosines, -np.inf)
        count = min(POOL, len(cosines))
        nearest = np.argpartition(-cosines, count - 1)[:count]
        order = nearest[np.argsort(-cosines[nearest], kind="stable")]
        return list(dict.fromkeys(self._owners[int(at)] for at in order if cosines[at] > -np.inf))

    def opening_of(self, row: int) -> str:
        """What the page of a passage says before its first heading."""
        told = [self.build.passages[one] for one in self._rows_of[self.page_of(row)]]
        return "\n\n".join(passage.text for passage in told if not passage.section)

    def pointed_to(self, text: str) -> int | None:
        """The row of the page or section that an address in the text leads to (an alert's runbook), None where none does."""
        for url in _URL.findall(text):
            passage = runbook_passage(url.rstrip(_AFTER_URL), self.build.pages.values())
            if passage is not None:
                rows = self._rows_of[passage.partition("#")[0]]
                return self.build.rows.get(passage, rows[0])
        return None

    def nearest_of(self, page: str, vector: Vectors, rows: NDArray[np.int64] | None) -> int:
        """The row of a page that comes nearest to the question."""
        kept = self._rows_of[page]
        if rows is not None:
            wanted = set(rows.tolist())
            kept = [row for row in kept if row in wanted]
        return kept[int((self.build.vectors[kept] @ vector).argmax())]

    def names_exactly(self, row: int, wanted: frozenset[str]) -> float:
        """The share of the identifiers that the heading of a passage has, 0 where there are none."""
        if not wanted:
            return 0.0
        passage = self.build.passages[row]
        written = {word.lower().replace("-", "_") for word in words(f"{passage.title} {passage.section}")}
        return len(wanted & written) / len(wanted)

    def weighed(self, found: dict[str, float]) -> dict[str, float]:
        """Pages with their scores, those of generated pages lowered, best first."""
        told = {
            page: score * (GENERATED_WEIGHT if self.build.pages[page].pack.id == GENERATED_PACK else 1.0)
            for page, score in found.items()
        }
        return {page: told[page] for page in sorted(told, key=lambda page: -told[page])}

    def heading_says(self, row: int, asked: frozenset[str]) -> float:
        """How far the index terms of a question and of a passage's last heading are the same, rare ones counting more; 0 to 1."""
        heading = set(terms(self.build.passages[row].section.split(" › ")[-1]))
        both, either = self._rarity(heading & asked), self._rarity(heading) + self._rarity(asked)
        return 2.0 * both / either if either else 0.0

    def _rarity(self, found: Iterable[str]) -> float:
        known = (term for term in found if term in self.build.words.vocabulary)
        return sum(math.log1p(1.0 / self.build.words.share(term)) for term in known)

    def shown(
        self,
        row: int,
        vector: Vectors,
        scores: NDArray[np.float32],
        wanted: frozenset[str],
        asked: frozenset[str] = frozenset(),
    ) -> tuple[Section, ...]:
        """The sections of the row's page that come nearest to the question by words, meaning, heading and what they name, nearest first.

        The nearest is whole, and together they have about SHOWN_CHARS.
        """
        build = self.build
        below = [one for one in self._rows_of[build.passages[row].page_id] if build.passages[one].section]
        told: dict[str, Section] = {}
        if below:
            near = build.vectors[below] @ vector + scores[below] / max(float(scores.max()), 1e-6)
            near += np.array([self.names_exactly(one, wanted) for one in below])
            near += HEADINGS_WEIGHT * np.array([self.heading_says(one, asked) for one in below])
            left = SHOWN_CHARS
            for one in (below[at] for at in np.argsort(-near, kind="stable")):
                section = build.passages[one].section
                if section not in told:
                    found = self._section(section, one, below)
                    if told:
                        found = replace(found, room=left)
                    if not told or len(found.shown) >= min(LEAST_SHOWN, len(found.text)):
                        told[section] = found
                        left -= len(found.shown)
                    if left < LEAST_SHOWN:
                        break
        return tuple(told.values())

    def _section(self, section: str, nearest: int, below: list[int]) -> Section:
        whole = [one for one in below if self.build.passages[one].section == section]
        at = whole.index(nearest)
        pieces = whole[max(0, at - 1) : at + SHOWN_PIECES - 1]
        return Section(tuple(self.build.passages[one] for one in pieces))

    @cached_property
    def _owners(self) -> tuple[str, ...]:
        return tuple(page for _, page in self.build.named)

    @cached_property
    def company(self) -> Company:
        """The questions that a new one is held against."""
        build = self.build
        return Company(build.kin, build.strays, Wording(build.words.share, KIN, STRAYS), build.sides)
