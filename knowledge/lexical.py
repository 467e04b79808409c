"""The word index: BM25 over the passages' terms, stored beside the vectors."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from knowledge.vocabulary import terms

# Most questions are short; a pasted log must not cost seconds.
MAX_QUERY_TERMS = 200


def write(texts: Sequence[str], folder: Path) -> None:
    """Index the texts, in their order, into `folder`."""
    index: Any = _bm25s().BM25(method="lucene")
    index.index([terms(text) or ["-"] for text in texts], show_progress=False)
    index.save(folder, show_progress=False)


class WordIndex:
    """A stored word index, read whole into memory."""

    def __init__(self, folder: Path) -> None:
        """Load it; raises OSError, ValueError or KeyError where it is damaged."""
        self._index: Any = _bm25s().BM25.load(folder, show_progress=False)
        self.vocabulary: frozenset[str] = frozenset(self._index.vocab_dict)

    def share(self, term: str) -> float:
        """The share of the passages that have a term, 0 to 1."""
        at = self._index.vocab_dict.get(term)
        starts = self._index.scores["indptr"]
        return float(starts[at + 1] - starts[at]) / int(self._index.scores["num_docs"]) if at is not None else 0.0

    def covered(self, text: str) -> float:
        """How much of a text's words the one passage has that has most of them, rare words counting more; 0 to 1.

        A word that no passage has counts as the rarest, unless it is put together from others, which are told of themselves.
        """
        starts, passages = self._index.scores["indptr"], self._index.scores["indices"]
        count = int(self._index.scores["num_docs"])
        have, wanted = np.zeros(count), 0.0
        for term in list(dict.fromkeys(terms(text)))[:MAX_QUERY_TERMS]:
            at = self._index.vocab_dict.get(term)
            if at is None and "-" in term:
                continue
            found = passages[starts[at] : starts[at + 1]] if at is not None else passages[:0]
            rarity = math.log1p((count - len(found) + 0.5) / (len(found) + 0.5))
            have[found] += rarity
            wanted += rarity
        return float(have.max()) / wanted if wanted else 0.0

    def scores(self, query: str) -> NDArray[np.float32]:
        """BM25 of every passage, in the order it was indexed in; zeros where no term is known."""
        known = [term for term in dict.fromkeys(terms(query)) if term in self.vocabulary][:MAX_QUERY_TERMS]
        if not known:
            return np.zeros(int(self._index.scores["num_docs"]), dtype=np.float32)
        found: NDArray[np.float32] = self._index.get_scores(known)
        return found


def _bm25s() -> Any:
    import bm25s

    # It opens its logger to DEBUG when imported, and would fill everybody's log.
    logging.getLogger("bm25s").setLevel(logging.WARNING)
    return bm25s
