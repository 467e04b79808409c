"""Fits the weights of knowledge.belonging: `python -m evals.question_fit`, and what each of its signs is worth.

Strays and kin are told apart in eight parts, each judged by the others. A part has whole topics, the headings of the lists, because the
question that matters is of a topic that nobody listed. The questions of evals/questions that were written while developing are added as
the field's own. The held-out files are only scored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import astuple, fields

import numpy as np
from numpy.typing import NDArray

from evals.question_runs import QUESTIONS, Asked, read
from knowledge.belonging import LEAST, WEIGHTS, Company, Signs, Wording
from knowledge.home import default_home
from knowledge.search import Library
from knowledge.spelling import learned
from knowledge.strays import KIN, STRAYS, topics

Numbers = NDArray[np.float64]
PARTS = 8
# A penalty on large weights: signs overlap, and one must not stand for all.
RIDGE = 0.1
# So many of the field's own questions may be lost for the threshold that is proposed: none of those written while developing.
LOST = 0.0
HELD_OUT = "held_out"


def signs(library: Library, asked: Sequence[str], kin: Sequence[int], strays: Sequence[int]) -> Numbers:
    """A row of signs for each question, as if only these kin and strays (by their places) had been written."""
    words = Wording(library.passages_with, [KIN[at] for at in kin], [STRAYS[at] for at in strays])
    ours, theirs = library.listed()
    spelling = learned([KIN[at] for at in kin], [STRAYS[at] for at in strays])
    company = Company(ours[list(kin)], theirs[list(strays)], words, spelling=spelling)
    return np.array([astuple(library.signs(one, company)) for one in asked])


def fit(rows: Numbers, own: NDArray[np.bool_]) -> tuple[Numbers, float]:
    """Weights and threshold of a logistic regression in which both sides count the same."""
    mean, spread = rows.mean(axis=0), rows.std(axis=0)
    known = np.column_stack([(rows - mean) / spread, np.ones(len(rows))])
    each = np.where(own, 0.5 / own.sum(), 0.5 / (~own).sum()) * len(own)
    penalty = np.diag([RIDGE] * rows.shape[1] + [0.0])
    weights = np.zeros(known.shape[1])
    for _ in range(30):
        said = 1.0 / (1.0 + np.exp(-known @ weights))
        slope = known.T @ (each * (own - said)) - penalty @ weights
        bend = (known * (each * said * (1.0 - said))[:, None]).T @ known + penalty
        weights += np.linalg.solve(bend, slope)
    scaled = weights[:-1] / spread
    return scaled, float(scaled @ mean - weights[-1])


def _crossed(library: Library) -> tuple[Numbers, NDArray[np.bool_]]:
    rng = np.random.default_rng(0)
    part_of_kin, part_of_stray = (_parts(topics(name), rng) for name in ("kin.txt", "strays.txt"))
    rows, own = [], []
    for part in range(PARTS):
        kin, strays = np.flatnonzero(part_of_kin != part).tolist(), np.flatnonzero(part_of_stray != part).tolist()
        told = [KIN[at] for at in np.flatnonzero(part_of_kin == part)]
        away = [STRAYS[at] for at in np.flatnonzero(part_of_stray == part)]
        rows.append(signs(library, told + away, kin, strays))
        own += [True] * len(told) + [False] * len(away)
    return np.concatenate(rows), np.array(own)


def _parts(of: Sequence[int], rng: np.random.Generator) -> NDArray[np.int64]:
    part: NDArray[np.int64] = rng.permutation(max(of) + 1)[list(of)] % PARTS
    return part


def _told(name: str, totals: Numbers, asked: Sequence[Asked], least: float) -> None:
    own = np.array([one.answerable for one in asked])
    declined = totals < least
    outside = f"declined {declined[~own].sum()} of {(~own).sum()}" if (~own).any() else ""
    inside = f"wrongly {declined[own].sum()} of {own.sum()}" if own.any() else ""
    print(f"  {name:28} {outside:24} {inside}")


def main() -> None:
    """Fit, propose, score, leave out."""
    library = Library.open(default_home())
    files = {file.stem: read(file) for file in sorted(QUESTIONS.glob("*.yaml"))}
    everything = range(len(KIN)), range(len(STRAYS))
    told = {name: signs(library, [one.ask for one in asked], *everything) for name, asked in files.items()}
    rows, own = _crossed(library)
    ours = [told[name][[one.answerable for one in asked]] for name, asked in files.items() if HELD_OUT not in name]
    rows, own = np.concatenate([rows, *ours]), np.append(own, [True] * sum(map(len, ours)))
    names = [one.name for one in fields(Signs)]
    print("now:", dict(zip(names, WEIGHTS, strict=True)), "least", LEAST)
    for left_out in ("", *names):
        kept = [at for at, name in enumerate(names) if name != left_out]
        weights, _ = fit(rows[:, kept], own)
        least = float(np.quantile(np.concatenate(ours)[:, kept] @ weights, LOST))
        print(f"without {left_out}" if left_out else "all", np.round(weights, 2).tolist(), "least", round(least, 2))
        for name, asked in files.items():
            if HELD_OUT in name or name == "outside":
                _told(name, told[name][:, kept] @ weights, asked, least)


if __name__ == "__main__":
    main()
