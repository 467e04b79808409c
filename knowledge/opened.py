"""A build of the index with what a search derives from it."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.builds import Build
from knowledge.encoder import Vectors, whole_words
from knowledge.narrowing import Catalogue
from knowledge.ranking import POOL
from knowledge.runbooks import runbook_passage
from knowledge.vocabulary import Vocabulary, terms, whole_terms

# How much of a page is shown below its opening: about two sections, what a window of plain retrieval shows too.
SHOWN_CHARS = 1200
# A long table is shown around the piece that was found.
SHOWN_PIECES = 3
# `vllm:num_requests_waiting`, `max-num-seqs`: nobody writes these by chance.
_IDENTIFIER = re.compile(r"[a-z0-9][_:][a-z0-9]|-\w+-")
_URL = re.compile(r"https?://[^\s<>|\"']+")
_AFTER_URL = ").,;:!?]}"


def _joined(identifier: str) -> str:
    """A flag as an argument, a setting and an attribute: `--max-lora-rank`, `MAX_LORA_RANK`, `max_lora_rank`."""
    return identifier.lower().replace("-", "_")


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

    def shown(self, row: int, vector: Vectors, scores: NDArray[np.float32]) -> str:
        """The opening of the row's page and, whole, the sections nearest to the question by words and by meaning."""
        build = self.build
        rows = self._rows_of[build.passages[row].page_id]
        opening = [build.passages[one].text for one in rows if not build.passages[one].section]
        below = [one for one in rows if build.passages[one].section]
        told: dict[str, str] = {}
        if below:
            near = build.vectors[below] @ vector + scores[below] / max(float(scores.max()), 1e-6)
            order = [below[at] for at in np.argsort(-near, kind="stable")]
            left = SHOWN_CHARS
            for one in order:
                section = build.passages[one].section
                if section in told:
                    continue
                text = self._section(section, one, below)
                if not told or len(text) <= left:
                    told[section] = text
                    left -= len(text)
        return "\n\n".join((*opening, *told.values()))

    def _section(self, section: str, nearest: int, below: list[int]) -> str:
        whole = [one for one in below if self.build.passages[one].section == section]
        at = whole.index(nearest)
        pieces = [self.build.passages[one].text for one in whole[max(0, at - 1) : at + SHOWN_PIECES - 1]]
        return "\n\n".join((f"**{section}**", "\n".join(pieces)))

    @cached_property
    def _owners(self) -> tuple[str, ...]:
        return tuple(page for _, page in self.build.named)

    def has_term(self, text: str) -> bool:
        """Does the text hold a term that is this field's own, or an identifier that some page names?"""
        return any(
            term in self.vocabulary.distinct or (_IDENTIFIER.search(term) and _joined(term) in self._identifiers)
            for term in terms(text)
        )

    @cached_property
    def _identifiers(self) -> frozenset[str]:
        return frozenset(_joined(term) for term in self.build.words.vocabulary if _IDENTIFIER.search(term))

    def known_words(self, text: str) -> float:
        """The share of a text's words that occur in any passage, 0 for a text without words."""
        found = set(whole_terms(text))
        return len(found & self.build.words.vocabulary) / len(found) if found else 0.0
