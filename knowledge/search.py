"""Questions to passages: words and vectors searched side by side and fused by rank."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledge.belonging import Alone, Company, Signs, at_best, sentences
from knowledge.builds import Build, current_build, open_build
from knowledge.encoder import Encoder, Say, Vectors, count_tokens, encoder_id, load_encoder
from knowledge.home import PACKS
from knowledge.index import IndexProblem
from knowledge.items import Item, items
from knowledge.narrowing import Only
from knowledge.opened import Opened, Section
from knowledge.pages import Page, load_shelf
from knowledge.passages import Passage, cut
from knowledge.ranking import POOL, Leg, best_words, exact, fused
from knowledge.sources.folders import USER_PACK
from knowledge.vocabulary import Reworded, identifiers, terms

# What a page's own names say counts half of what its passages say.
NAMES_WEIGHT = 0.5
# A heading that has the very flag, metric or number of the question counts as much as all the words.
EXACT_WEIGHT = 1.0
# What users added is known, whatever field it is of: a question that comes so near to a page of theirs belongs here. In spreads above
# the mean that strays reach; strays about a neighbouring field reach 1.5 of a page that only names it, questions that such a page
# answers 2 and more.
THEIRS_NEAR = 2.0
# The encoder reads 256 tokens, and a question is at its beginning; the rest of a pasted log is noise.
MAX_QUERY_CHARS = 2000
# How many pages are shown where nobody says how many, and by how many a question is judged.
SHOWN = 5
_REMEMBERED = 64
Found = TypeVar("Found")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]+")


@dataclass(frozen=True, slots=True)
class Hit:
    """A passage that was found, the best of its page.

    `score` is the fused rank, 1 when every leg puts it first; `cosine` is to the question. `sections` are those of the page that come
    nearest to the question, nearest first, and `text` is what to read of the page: the answer that it opens with and these sections.
    """

    passage: Passage
    score: float
    cosine: float
    text: str = ""
    sections: tuple[Section, ...] = ()


@dataclass(frozen=True, slots=True)
class Parts:
    """The parts of a search, each of which `evals` can leave out to see what it is worth."""

    words: bool = True
    vectors: bool = True
    names: bool = True
    short_forms: bool = True
    typos: bool = True
    folded: bool = True
    exact: bool = True
    weighed: bool = True
    headings: bool = True


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question as it is searched."""

    text: str
    reworded: Reworded
    words: str
    vector: Vectors
    exact: frozenset[str]


class Library:
    """The knowledge base, opened for reading; safe to share between threads. Parts are loaded when first needed.

    Pages can be had by id with no index and no encoder; a search needs both, and follows the index when it
    is rebuilt.
    """

    def __init__(self, home: Path, *, embeddings: str, chroma_url: str, packs: Path, base_url: str, say: Say) -> None:
        """Use `Library.open`."""
        self._home = home
        self._embeddings = embeddings
        self._chroma_url = chroma_url
        self._packs = packs
        self._base_url = base_url
        self._say = say
        self._lock = threading.RLock()
        self._opened: Opened | None = None
        self._encoder: Encoder | None = None
        self._shelf: tuple[Path | None, dict[str, Page]] | None = None
        self._asked: OrderedDict[tuple[str, str], _Asked] = OrderedDict()
        self._parts = Parts()

    @classmethod
    def open(
        cls,
        home: Path,
        *,
        embeddings: str = "",
        chroma_url: str = "",
        packs: Path = PACKS,
        base_url: str = "",
        encoder: Encoder | None = None,
        parts: Parts | None = None,
        say: Say = lambda _: None,
    ) -> Library:
        """A library over the index in `home`. Reads nothing yet, so it cannot fail.

        `embeddings` and `chroma_url` are as in `build_index`; `base_url` goes before the paths of the
        packs' pages.
        """
        library = cls(home, embeddings=embeddings, chroma_url=chroma_url, packs=packs, base_url=base_url, say=say)
        library._encoder = encoder
        library._parts = parts or Parts()
        return library

    def search(self, query: str, k: int = SHOWN, only: Only | None = None) -> list[Hit]:
        """The best passage of each of the `k` best pages, best first; any text is a query, an empty one finds nothing.

        `only` keeps it to some of the passages; items of a checklist and passages of named pages stand for themselves.

        Raises IndexProblem where the index is missing, damaged or of another encoder, EncoderProblem where
        that fails.
        """
        text = clean(query)
        if not text or k < 1:
            return []
        with self._lock:
            return self._following(lambda opened: self._search(opened, text, k, only or Only()))

    def outside(self, query: str, hits: Iterable[Hit], by: float = 0.0) -> bool:
        """Does the question lie outside what is known? `hits` are what `search` found for it, all packs searched.

        It is measured against questions that do and questions that do not, at every build, so that it holds for any encoder and any
        pages. `by` is how far outside at least, in the unit of `Signs.total`.
        """
        text, found = clean(query), list(hits)
        best = max((hit.cosine for hit in found), default=0.0)
        if not text or best <= 0.0:
            return True
        theirs = max((hit.cosine for hit in found if hit.passage.pack == USER_PACK.id), default=-1.0)
        with self._lock:
            return self._following(lambda opened: self._is_stray(opened, text, best, theirs, by))

    def signs(self, query: str, company: Company | None = None) -> Signs:
        """What speaks for and against a question, held against all that are known or against `company`."""
        asked = self.alone(query)
        with self._lock:
            return self._following(lambda opened: (company or opened.company).signs(asked))

    def alone(self, query: str) -> Alone:
        """What is told of a question by the pages alone."""
        text = clean(query)
        with self._lock:
            return self._following(lambda opened: self._alone(opened, text, self._best(opened, text)))

    def vectors(self, texts: Iterable[str]) -> Vectors:
        """The vectors of texts as questions, a row each, of `encoder`; a text without words has the vector of an empty one."""
        with self._lock:
            return self._following(lambda opened: np.stack([self._ask(opened, clean(one)).vector for one in texts]))

    @property
    def encoder(self) -> str:
        """The id of the encoder that vectors are of."""
        return self._encoder.id if self._encoder is not None else encoder_id(self._embeddings)

    def passages_with(self, term: str) -> float:
        """The share of the passages that have an index term."""
        with self._lock:
            return self._following(lambda opened: opened.build.words.share(term))

    def listed(self) -> tuple[Vectors, Vectors]:
        """The vectors of the field's own questions and of strays, in the order in which they are written."""
        with self._lock:
            return self._following(lambda opened: (opened.build.kin, opened.build.strays))

    def page(self, page_id: str) -> Page | None:
        """The page of this id: from the index, or from the packs when there is none. Loads no encoder."""
        return self._pages().get(page_id)

    def opening(self, page_id: str) -> Passage | None:
        """The answer that a page opens with, or its first passage; None for an unknown page."""
        passages = self.passages(page_id)
        return passages[0] if passages else None

    def passages(self, page_id: str) -> list[Passage]:
        """A page's passages in reading order, none for an unknown page. Loads no encoder."""
        page = self.page(page_id)
        return [self._linked(passage) for passage in cut(page, count_tokens)] if page else []

    def item(self, passage_id: str) -> Item | None:
        """The checklist item that a passage of the index begins, None where it begins none."""
        with self._lock:
            return self._following(lambda opened: opened.catalogue.items.get(passage_id))

    def items(self, pack: str = "") -> list[Item]:
        """Every checklist item, or those of one pack, in their order. Loads no encoder."""
        return [item for item in items(self.pages()) if not pack or item.pack == pack]

    def pages(self) -> list[Page]:
        """Every page that is known, by id."""
        return [page for _, page in sorted(self._pages().items())]

    def close(self) -> None:
        """Let go of the index."""
        with self._lock:
            if self._opened:
                self._opened.build.close()
                self._opened = None

    def _pages(self) -> dict[str, Page]:
        with self._lock:
            folder = current_build(self._home)
            if self._shelf is None or self._shelf[0] != folder:
                self._shelf = (folder, self._read_pages(folder))
            return self._shelf[1]

    def _read_pages(self, folder: Path | None) -> dict[str, Page]:
        if folder is not None:
            try:
                return Build(folder).pages
            except IndexProblem as problem:
                self._say(f"{problem} Until then the pages are those of the packs.")
        return {page.id: page for page in load_shelf(self._packs).pages}

    def _following(self, act: Callable[[Opened], Found]) -> Found:
        """What `act` finds in the build that counts, tried again when the build was swept away meanwhile."""
        while True:
            before = current_build(self._home)
            try:
                return act(self._current())
            except IndexProblem:
                if current_build(self._home) == before:
                    raise

    def _current(self) -> Opened:
        """The build that counts now, opened once."""
        folder = current_build(self._home)
        if self._opened is None or folder != self._opened.folder:
            build = open_build(
                self._home,
                encoder_id(self._embeddings) if self._encoder is None else self._encoder.id,
                self._chroma_url,
            )
            opened = Opened(build, build.folder)
            if self._opened:
                self._opened.build.close()
            self._opened = opened
            self._asked.clear()
        return self._opened

    def _search(self, opened: Opened, text: str, k: int, only: Only) -> list[Hit]:
        rows = opened.catalogue.rows(only) if only else None
        if rows is not None and not len(rows):
            return []
        asked = self._ask(opened, text)
        scores = opened.build.words.scores(asked.words)
        alone = only.passages_alone or not self._parts.folded
        ranked = self._ranked(opened, asked, scores, rows, alone)
        if alone:
            return [self._hit(opened, asked, row, score) for row, score in islice(ranked, k)]
        wanted = asked.exact if self._parts.exact else frozenset()
        said = frozenset(terms(asked.words)) if self._parts.headings else frozenset()
        return [
            self._hit(opened, asked, row, score, opened.shown(row, asked.vector, scores, wanted, said))
            for row, score in islice(ranked, k)
        ]

    def _ranked(
        self,
        opened: Opened,
        asked: _Asked,
        scores: NDArray[np.float32],
        rows: NDArray[np.int64] | None,
        alone: bool,
    ) -> Iterator[tuple[int, float]]:
        """Rows of passages with their scores, best first: any of a page where they stand `alone`, else the best one of each page."""
        build = opened.build
        legs: list[Leg[int]] = []
        if self._parts.words:
            legs.append(Leg(best_words(scores, rows)))
        if self._parts.vectors:
            near = build.nearest(asked.vector, POOL) if rows is None else exact(build.vectors, asked.vector, rows)
            legs.append(Leg(near))
        ranked = fused(legs)
        if alone:
            yield from ranked.items()
            return
        if self._parts.exact and asked.exact:
            named = {row: opened.names_exactly(row, asked.exact) for row in ranked}
            exactly = sorted((row for row in named if named[row]), key=lambda row: -named[row])
            legs.append(Leg(exactly, EXACT_WEIGHT))
            ranked = fused(legs)
        pages = [leg.of(opened.page_of) for leg in legs]
        pointed = opened.pointed_to(asked.text)
        if self._parts.names:
            pages.append(Leg(opened.called(asked.vector, rows), NAMES_WEIGHT))
        best = {opened.page_of(row): row for row in reversed(ranked)}
        found = opened.weighed(fused(pages)) if self._parts.weighed else fused(pages)
        if pointed is not None and (rows is None or pointed in rows):
            best[opened.page_of(pointed)] = pointed
            found = {opened.page_of(pointed): 1.0} | found | {opened.page_of(pointed): 1.0}
        for page, score in found.items():
            yield best[page] if page in best else opened.nearest_of(page, asked.vector, rows), score

    def _hit(
        self, opened: Opened, asked: _Asked, row: int, score: float, sections: tuple[Section, ...] | None = None
    ) -> Hit:
        cosine = float(opened.build.vectors[row] @ asked.vector)
        passage = opened.build.passages[row]
        if sections is None:
            return Hit(self._linked(passage), round(score, 4), round(cosine, 4), passage.text)
        text = "\n\n".join((opened.opening_of(row), *(section.shown for section in sections)))
        linked = tuple(Section(tuple(map(self._linked, section.passages)), section.room) for section in sections)
        return Hit(self._linked(passage), round(score, 4), round(cosine, 4), text, linked)

    def _is_stray(self, opened: Opened, text: str, best: float, theirs: float, by: float) -> bool:
        if opened.pointed_to(text) is not None:
            return False
        build = opened.build
        told = build.manifest
        if theirs >= told.stray_mean + THEIRS_NEAR * told.stray_spread:
            return False
        whole = opened.company.signs(self._alone(opened, text, best)).total()
        alone = (self._alone(opened, one, self._best(opened, one)) for one in sentences(text))
        return at_best(whole, (opened.company.signs(one).total() for one in alone)) < -by

    def _alone(self, opened: Opened, text: str, best: float) -> Alone:
        asked = self._ask(opened, text)
        mean, spread = opened.build.manifest.stray_mean, max(opened.build.manifest.stray_spread, 1e-3)
        near, called = ((one - mean) / spread for one in (best, float((opened.build.names @ asked.vector).max())))
        covered = opened.build.words.covered(asked.reworded.text)
        return Alone(text, asked.reworded.text, asked.vector, near, called, covered, mean, spread)

    def _best(self, opened: Opened, text: str) -> float:
        """The best cosine among the passages that a search shows first."""
        if not text:
            return 0.0
        asked = self._ask(opened, text)
        scores = opened.build.words.scores(asked.words)
        found = islice(self._ranked(opened, asked, scores, None, not self._parts.folded), SHOWN)
        return max((round(float(opened.build.vectors[row] @ asked.vector), 4) for row, _ in found), default=0.0)

    def _ask(self, opened: Opened, text: str) -> _Asked:
        key = (opened.folder.name, text)
        if key in self._asked:
            self._asked.move_to_end(key)
            return self._asked[key]
        if self._encoder is None:
            self._encoder = load_encoder(self._home, self._embeddings, self._say)
        reworded = opened.vocabulary.reword(text)
        if not self._parts.typos:
            reworded = replace(reworded, text=text)
        if not self._parts.short_forms:
            reworded = replace(reworded, added=())
        meant = f"{reworded.text} ({', '.join(reworded.added)})" if reworded.added else reworded.text
        # The vector gains by what a short form stands for; among the words it would only push aside the short form itself.
        asked = _Asked(text, reworded, f"{text} {reworded.text}", self._encoder.queries([meant])[0], identifiers(text))
        self._asked[key] = asked
        if len(self._asked) > _REMEMBERED:
            self._asked.popitem(last=False)
        return asked

    def _linked(self, passage: Passage) -> Passage:
        if not self._base_url or passage.pack == USER_PACK.id:
            return passage
        return replace(passage, url=f"{self._base_url.rstrip('/')}/{passage.url}")


def clean(query: str) -> str:
    """A question as one line of at most 2,000 printable characters."""
    return " ".join(_UNPRINTABLE.sub(" ", query).split())[:MAX_QUERY_CHARS]
