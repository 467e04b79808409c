"""Does a question belong here? A sum of six signs, none of which decides alone.

How near are the nearest passage and the nearest name of a page; how near are the nearest stray questions and the nearest of the
field's own; are its words known at all; and are they rather the field's or rather the strays'. `python -m evals.question_fit`
fits the weights and says what the sum does without each sign.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass

import numpy as np

from knowledge.encoder import Vectors
from knowledge.vocabulary import terms

# How many of the nearest questions count: one alone may be a chance.
NEIGHBOURS = 5
# One word says e to the power of this at most, so that no word decides alone.
MOST_OF_A_WORD = 4.0
# A word that neither side uses counts as if one text in this many used it.
RARE = 1500.0


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a question (`astray` against it). Cosines are in spreads of what strays reach above their mean."""

    near: float
    called: float
    akin: float
    astray: float
    known: float
    worded: float

    def total(self) -> float:
        """The sum; above zero the question belongs here."""
        told: float = sum(weight * sign for weight, sign in zip(WEIGHTS, astuple(self), strict=True))
        return told - LEAST


# In the order of Signs.
WEIGHTS = (0.63, 0.55, 1.51, -1.96, 5.35, 0.92)
LEAST = 8.3


class Wording:
    """Which words are the field's and which the strays': what share of the texts of each side has a word."""

    def __init__(self, passages_with: Callable[[str], float], kin: Sequence[str], strays: Sequence[str]) -> None:
        """`passages_with` is the share of the passages that have a term, 0 to 1."""
        self._passages_with = passages_with
        self._kin = _shares(kin)
        self._strays = _shares(strays)

    def says(self, text: str) -> float:
        """Above zero where the words are rather the field's. A longer text says more, though not in proportion."""
        found = set(terms(text))
        told = sum(max(-MOST_OF_A_WORD, min(MOST_OF_A_WORD, self._odds(term))) for term in found)
        return told / math.sqrt(len(found)) if found else 0.0

    def _odds(self, term: str) -> float:
        ours = (self._passages_with(term) + self._kin.get(term, 0.0)) / 2.0
        return math.log((ours + 1.0 / RARE) / (self._strays.get(term, 0.0) + 1.0 / RARE))


def nearest(vectors: Vectors, vector: Vectors) -> float:
    """The mean cosine of the nearest few, 0 where there are none."""
    cosines = vectors @ vector
    return float(np.sort(cosines)[-NEIGHBOURS:].mean()) if len(cosines) else 0.0


def _shares(texts: Iterable[str]) -> dict[str, float]:
    told = list(texts)
    counts = Counter(term for text in told for term in set(terms(text)))
    return {term: count / len(told) for term, count in counts.items()}
