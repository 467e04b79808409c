"""Ranks from several legs fused into one: reciprocal rank fusion, of passages or of the pages that they are of."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from knowledge.encoder import Vectors

# The paper that proposed it has 60; with 10 what any leg puts first counts for more, which on our questions finds the page at once
# more often (`rackside eval --questions --against` prints the rest of the ablation).
RRF = 10.0
POOL = 50
Key = TypeVar("Key", bound=Hashable)
Other = TypeVar("Other", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Leg(Generic[Key]):
    """What one way of searching found, best first, and how much its word counts."""

    found: Sequence[Key]
    weight: float = 1.0

    def of(self, owner: Callable[[Key], Other]) -> Leg[Other]:
        """The same with each thing replaced by what it belongs to, at its best rank."""
        return Leg(tuple(dict.fromkeys(map(owner, self.found))), self.weight)


def fused(legs: Iterable[Leg[Key]]) -> dict[Key, float]:
    """Everything that a leg found with its score, best first; 1.0 is what every leg puts first."""
    told = list(legs)
    most = sum(leg.weight for leg in told) / RRF
    scores: dict[Key, float] = {}
    for leg in told:
        for rank, key in enumerate(leg.found):
            scores[key] = scores.get(key, 0.0) + leg.weight / (RRF + rank)
    # Sorting is stable: what scores the same stays in the order in which the legs told it.
    return {key: scores[key] / most for key in sorted(scores, key=lambda key: -scores[key])}


def best_words(scores: NDArray[np.float32], rows: NDArray[np.int64] | None) -> list[int]:
    """The rows with the highest BM25, best first, of those that share a word with the question."""
    considered = np.flatnonzero(scores > 0.0) if rows is None else rows[scores[rows] > 0.0]
    if len(considered) > POOL:
        considered = considered[np.argpartition(-scores[considered], POOL)[:POOL]]
    return [int(row) for row in sorted(considered, key=lambda row: (-scores[row], row))]


def exact(vectors: Vectors, vector: Vectors, rows: NDArray[np.int64]) -> list[int]:
    """The nearest of some rows: quicker than a filter in the database, which slows with the index's size."""
    cosines = vectors[rows] @ vector
    return [int(row) for row in rows[np.argsort(-cosines, kind="stable")[:POOL]]]
