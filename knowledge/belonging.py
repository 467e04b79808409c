"""Does a question belong here? A sum of seven signs, none of which decides alone.

How near are the nearest passage, the nearest name of a page and the nearest stray questions; are its words rather the field's or rather
the strays'; does one passage have its rare words together, as an answer would; to which side does it lean by all questions that are
known, near and far; and is it spelled as they are. `python -m evals.question_fit` fits the weights and says what the sum does without
each sign.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import astuple, dataclass
from functools import lru_cache

import numpy as np

from knowledge.encoder import Vectors
from knowledge.spelling import Weights, leaning, stored
from knowledge.vocabulary import terms

# How many of the nearest questions count: one alone may be a chance.
NEIGHBOURS = 5
# One word says e to the power of this at most, so that no word decides alone.
MOST_OF_A_WORD = 4.0
# A word that neither side uses counts as if one text in this many used it.
RARE = 1500.0
# How far a question's side is felt: at a cosine less by this it counts e times less. Wide, so that a topic nobody listed is
# still judged by what lies around it.
REACH = 0.5
# How much a question may differ from its own side before the rest gives way: less follows each listed question, more their middle.
SMOOTH = 0.1

# A sentence of a longer question counts by itself where it has so many words, and has to belong by so much more.
FEWEST_WORDS = 4
MOST_SENTENCES = 4
APART = 0.3
# What lies outside by so much does so whatever one of its sentences says.
FAR = -2.0
_SENTENCE = re.compile(r"(?<=[.?!;])\s+")


@dataclass(frozen=True, slots=True)
class Signs:
    """What speaks for a question (`astray` against it).

    The first three are cosines in spreads of what strays reach above their mean; `covered` is a share, 0 to 1; `worded`, `leaning` and
    `spelled` are above zero for the field, the last two about 1 at most.
    """

    near: float
    called: float
    astray: float
    worded: float
    covered: float
    leaning: float
    spelled: float

    def total(self) -> float:
        """The sum; above zero the question belongs here."""
        told: float = sum(weight * sign for weight, sign in zip(WEIGHTS, astuple(self), strict=True))
        return told - LEAST


@dataclass(frozen=True, slots=True)
class Alone:
    """What is told of a question whatever company it is held against: its text and what it means, its vector, the signs that pages give.

    `mean` and `spread` are those of what strays reach, in which cosines are told.
    """

    text: str
    meant: str
    vector: Vectors
    near: float
    called: float
    covered: float
    mean: float
    spread: float


# In the order of Signs.
WEIGHTS = (0.29, 0.31, -0.88, 0.53, 5.41, 2.72, 1.29)
LEAST = 4.0


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


class Company:
    """The questions that a new one is held against: the field's own and strays, by their vectors and by their words."""

    def __init__(
        self,
        kin: Vectors,
        strays: Vectors,
        wording: Wording,
        sides: Vectors | None = None,
        spelling: Weights | None = None,
    ) -> None:
        """`sides` are those of `sides_of`, computed where they are not at hand; `spelling` is what was learned from the lists unless given."""
        self._strays = strays
        self._all = np.concatenate([kin, strays])
        self._sides = sides_of(kin, strays) if sides is None else sides
        self.wording = wording
        self._spelling = stored() if spelling is None else spelling

    def signs(self, asked: Alone) -> Signs:
        """All that speaks for and against a question."""
        astray = (self.astray(asked.vector) - asked.mean) / asked.spread
        worded, spelled = self.wording.says(asked.meant), self.spelled(asked.text)
        return Signs(asked.near, asked.called, astray, worded, asked.covered, self.leaning(asked.vector), spelled)

    def astray(self, vector: Vectors) -> float:
        """The mean cosine of the nearest few strays, 0 where there are none."""
        cosines = self._strays @ vector
        return float(np.sort(cosines)[-NEIGHBOURS:].mean()) if len(cosines) else 0.0

    def leaning(self, vector: Vectors) -> float:
        """About 1 among the field's own questions, about -1 among strays."""
        return float(_felt(self._all @ vector) @ self._sides)

    def spelled(self, text: str) -> float:
        """About 1 for a text that is spelled as the field's own questions, about -1 as strays."""
        return leaning(text, self._spelling)


def sentences(text: str) -> tuple[str, ...]:
    """The first sentences of a text that has several; those of a few words say too little."""
    found = _SENTENCE.split(text)
    return tuple(one for one in found if len(one.split()) >= FEWEST_WORDS)[:MOST_SENTENCES] if len(found) > 1 else ()


def at_best(whole: float, alone: Iterable[float]) -> float:
    """By how much a question belongs here, as a whole or by one of its sentences: people tell why they ask, and what they suspect."""
    if whole >= 0.0 or whole < FAR:
        return whole
    return max((whole, *(one - APART for one in alone)))


def sides_of(kin: Vectors, strays: Vectors) -> Vectors:
    """How much each question, kin before strays, pulls what lies around it to its side: a kernel ridge regression.

    Both sides count the same, however many questions either has. Takes about a second for 3,000 questions.
    """
    every = np.concatenate([kin, strays]).astype(np.float32)
    return _solved(every.tobytes(), len(kin), len(strays))


@lru_cache(maxsize=1)
def _solved(every: bytes, kin: int, strays: int) -> Vectors:
    """Kept, because a process that builds again and again has the same questions."""
    if not every:
        return np.zeros(kin + strays, dtype=np.float32)
    vectors = np.frombuffer(every, dtype=np.float32).reshape(kin + strays, -1)
    felt = _felt(vectors @ vectors.T)
    counts = np.repeat([kin, strays], [kin, strays]).astype(np.float32)
    felt[np.diag_indices_from(felt)] += SMOOTH * 2.0 * counts / (kin + strays)
    side = np.repeat(np.array([1.0, -1.0], dtype=np.float32), [kin, strays])
    found: Vectors = np.linalg.solve(felt, side).astype(np.float32)
    found.setflags(write=False)
    return found


def _felt(cosines: Vectors) -> Vectors:
    found: Vectors = np.exp((cosines - 1.0) / REACH)
    return found


def _shares(texts: Iterable[str]) -> dict[str, float]:
    told = list(texts)
    counts = Counter(term for text in told for term in set(terms(text)))
    return {term: count / len(told) for term, count in counts.items()}
