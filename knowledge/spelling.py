"""How a question is spelled: runs of letters that the field's own questions have, and those of strays.

Words that no list has still share runs with words that one has (`torchtitan` with `torchtune`, `dcgmproftester` with `dcgm`), and a
question that is short, mistyped or without a word of the field has runs too. `python -m knowledge.spelling` learns the weights from both
lists, and is to be run when one of them changes; searching only reads what it wrote.
"""

from __future__ import annotations

import sys
import zlib
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.strays import DIGEST, KIN, STRAYS

LEARNED = Path(__file__).parent / "spelling.npz"
# Runs of so many letters, kept by their checksum in so many places: two that share a place are rare enough.
RUNS = (3, 4, 5)
PLACES = 1 << 15
# A pasted log is judged by its beginning, as its vector is.
MAX_CHARS = 2000
# How much a question may differ from its own side before the rest gives way.
SMOOTH = 0.3
Weights = NDArray[np.float32]


def runs(text: str) -> NDArray[np.int64]:
    """The places of the runs of letters of a text, each once."""
    plain = f" {' '.join(text.casefold().split())} "[:MAX_CHARS]
    found = {
        zlib.crc32(plain[at : at + size].encode()) % PLACES for size in RUNS for at in range(len(plain) - size + 1)
    }
    return np.array(sorted(found), dtype=np.int64)


def alike(texts: Sequence[str]) -> NDArray[np.float64]:
    """How much of their runs texts share, two by two, 1 with themselves. Takes some seconds for 3,000 questions."""
    having: dict[int, list[int]] = {}
    for row, text in enumerate(texts):
        for place in runs(text).tolist():
            having.setdefault(place, []).append(row)
    shared = np.zeros((len(texts), len(texts)))
    for rows in having.values():
        shared[np.ix_(rows, rows)] += 1.0
    lengths = np.sqrt(np.maximum(shared.diagonal(), 1.0))
    shared /= np.outer(lengths, lengths)
    return shared


def pulls(shared: NDArray[np.float64], kin: int) -> NDArray[np.float64]:
    """How much each text, the first `kin` of them the field's own, pulls those that are like it to its side: both sides count the same."""
    every = len(shared)
    counts = np.repeat([kin, every - kin], [kin, every - kin])
    held = shared + np.diag(SMOOTH * 2.0 * counts / every)
    found: NDArray[np.float64] = np.linalg.solve(held, np.repeat([1.0, -1.0], [kin, every - kin]))
    return found


def learned(kin: Sequence[str], strays: Sequence[str]) -> Weights:
    """What each run says, above zero for the field: a ridge regression in which both sides count the same."""
    every = [*kin, *strays]
    return said_by_runs(every, pulls(alike(every), len(kin)))


def said_by_runs(texts: Sequence[str], pulling: NDArray[np.float64]) -> Weights:
    """What each run says by the texts that have it and by how much these pull."""
    weights = np.zeros(PLACES)
    for text, pull in zip(texts, pulling, strict=True):
        places = runs(text)
        weights[places] += pull / np.sqrt(max(len(places), 1))
    return weights.astype(np.float32)


def leaning(text: str, weights: Weights) -> float:
    """About 1 for a text that is spelled as the field's own questions, about -1 as strays, 0 where nothing of it is known."""
    places = runs(text)
    return float(weights[places].sum() / np.sqrt(len(places))) if len(places) else 0.0


@cache
def stored() -> Weights:
    """The weights that were learned from the lists."""
    with np.load(LEARNED) as kept:
        found: Weights = kept["weights"].astype(np.float32)
    return found


def current() -> bool:
    """Were the stored weights learned from the lists as they are now?"""
    with np.load(LEARNED) as kept:
        return str(kept["digest"]) == DIGEST


def main() -> None:
    """Learn from both lists and store the weights beside this module."""
    weights = learned(KIN, STRAYS)
    np.savez_compressed(LEARNED, weights=weights.astype(np.float16), digest=np.array(DIGEST))
    print(f"{LEARNED.name}: {len(KIN)} questions of the field, {len(STRAYS)} strays", file=sys.stderr)  # noqa: T201


if __name__ == "__main__":
    main()
