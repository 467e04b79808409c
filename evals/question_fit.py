"""Fits the weights of knowledge.belonging: `python -m evals.question_fit`, and what each of its signs is worth.

Strays and kin are told apart in eight parts, each judged by the others. A part has whole topics, the headings of the lists, because the
question that matters is of a topic that nobody listed. The questions of evals/questions that were written while developing are added as
the field's own. The held-out files are only scored. What pages alone say of a question is kept below RACKSIDE_HOME, so that a second
run of the same index takes seconds. Progress goes to standard error.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, astuple, dataclass, fields
from multiprocessing import get_context
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.question_runs import QUESTIONS, Asked, read
from knowledge.belonging import LEAST, WEIGHTS, Alone, Company, Signs, Wording
from knowledge.builds import current_build
from knowledge.home import default_home
from knowledge.search import Library
from knowledge.spelling import alike, pulls, said_by_runs
from knowledge.strays import KIN, STRAYS, topics

Numbers = NDArray[np.float64]
Say = Callable[[str], None]
PARTS = 8
# A penalty on large weights: signs overlap, and one must not stand for all.
RIDGE = 0.1
# Weights are compared where so many of the field's own questions are lost.
LOST = 0.01
HELD_OUT = "held_out"
# Raise it when Alone or what it is filled with changes: what was kept before is asked anew.
KEPT_VERSION = 1
# Fewer questions than this are asked sooner than a worker has opened the index.
WORTH_WORKERS = 200
WORKERS = 2
TOLD_EVERY_S = 5.0
NAMES = tuple(one.name for one in fields(Signs))


class Kept:
    """What pages alone say of questions, each asked once for an index and kept on disk."""

    def __init__(self, library: Library, home: Path | None, build: str, say: Say) -> None:
        """Keep below the `home` of the library, nowhere where it is None, for the build of this name."""
        self._library = library
        self._home = home
        self._file = home / "question_fit" / f"{build}-v{KEPT_VERSION}.npz" if home else None
        self._say = say
        self._known: dict[str, Alone] = {}
        if self._file and self._file.exists():
            with np.load(self._file) as stored:
                told = json.loads(str(stored["told"]))
                for one, vector in zip(told, stored["vectors"], strict=True):
                    self._known[one["asked"]] = Alone(vector=vector, **one["alone"])

    def alone(self, asked: Sequence[str]) -> list[Alone]:
        """What pages say of each question."""
        missing = [one for one in dict.fromkeys(asked) if one not in self._known]
        last = began = time.monotonic()
        for at, (one, told) in enumerate(self._ask(missing), 1):
            self._known[one] = told
            if time.monotonic() - last > TOLD_EVERY_S:
                last = time.monotonic()
                left = (len(missing) - at) * (last - began) / at
                self._say(f"{at} of {len(missing)} questions asked, {left:.0f} s to go")
        if missing and self._file:
            self._store(self._file)
        return [self._known[one] for one in asked]

    def _ask(self, missing: Sequence[str]) -> Iterator[tuple[str, Alone]]:
        if len(missing) < WORTH_WORKERS or not self._home:
            yield from ((one, self._library.alone(one)) for one in missing)
            return
        # Each worker opens the index for itself and reckons on one core.
        with ProcessPoolExecutor(WORKERS, get_context("spawn"), _opened, (self._home,)) as workers:
            yield from zip(missing, workers.map(_alone, missing, chunksize=16), strict=True)

    def _store(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        told = [
            {"asked": asked, "alone": {name: value for name, value in asdict(one).items() if name != "vector"}}
            for asked, one in self._known.items()
        ]
        vectors = np.array([one.vector for one in self._known.values()])
        partial = file.with_suffix(".partial.npz")
        np.savez(partial, told=np.array(json.dumps(told)), vectors=vectors)
        partial.replace(file)


_library: list[Library] = []


def _opened(home: Path) -> None:
    _library.append(Library.open(home))


def _alone(asked: str) -> Alone:
    return _library[0].alone(asked)


@dataclass(frozen=True)
class Listed:
    """The listed questions: kin and strays, their vectors, and how alike all of them are spelled, kin before strays."""

    kin: Sequence[str]
    strays: Sequence[str]
    vectors: tuple[NDArray[np.float32], NDArray[np.float32]]
    spelled: Numbers

    def company(self, passages_with: Callable[[str], float], kin: Sequence[int], strays: Sequence[int]) -> Company:
        """As if only these kin and strays, by their places, had been written."""
        told, away = [self.kin[at] for at in kin], [self.strays[at] for at in strays]
        both = [*kin, *(len(self.kin) + at for at in strays)]
        runs = said_by_runs([*told, *away], pulls(self.spelled[np.ix_(both, both)], len(told)))
        ours, theirs = self.vectors
        words = Wording(passages_with, told, away)
        return Company(ours[list(kin)], theirs[list(strays)], words, spelling=runs)


def listed(library: Library, kin: Sequence[str] = KIN, strays: Sequence[str] = STRAYS) -> Listed:
    """The lists as the index holds them; ValueError where it was built of others."""
    vectors = library.listed()
    if tuple(map(len, vectors)) != (len(kin), len(strays)):
        raise ValueError("the index was built of other lists: run rackside knowledge index")
    return Listed(kin, strays, vectors, alike([*kin, *strays]))


def signs(asked: Sequence[Alone], company: Company) -> Numbers:
    """A row of signs for each question."""
    return np.array([astuple(company.signs(one)) for one in asked]).reshape(-1, len(NAMES))


def fit(rows: Numbers, own: NDArray[np.bool_]) -> tuple[Numbers, float]:
    """Weights and threshold of a logistic regression in which both sides count the same."""
    mean, spread = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
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


def crossed(
    library: Library, lists: Listed, kept: Kept, part_of: tuple[NDArray[np.int64], NDArray[np.int64]], say: Say
) -> tuple[Numbers, NDArray[np.bool_]]:
    """The signs of every listed question, each by the parts that it is not in, and which of them are the field's own."""
    part_of_kin, part_of_stray = part_of
    rows, own = [], []
    parts = np.unique(np.concatenate(part_of)).tolist()
    for part in parts:
        say(f"part {part + 1} of {len(parts)} is judged by the others")
        kin, strays = np.flatnonzero(part_of_kin != part).tolist(), np.flatnonzero(part_of_stray != part).tolist()
        told = [lists.kin[at] for at in np.flatnonzero(part_of_kin == part).tolist()]
        away = [lists.strays[at] for at in np.flatnonzero(part_of_stray == part).tolist()]
        rows.append(signs(kept.alone(told + away), lists.company(library.passages_with, kin, strays)))
        own += [True] * len(told) + [False] * len(away)
    return np.concatenate(rows), np.array(own)


def parts(of: Sequence[int], rng: np.random.Generator) -> NDArray[np.int64]:
    """The part of each question, by its topic."""
    part: NDArray[np.int64] = rng.permutation(max(of) + 1)[list(of)] % PARTS
    return part


def area(totals: Numbers, own: NDArray[np.bool_]) -> float:
    """How often one of the field's own has more than one that is not: the area under the curve."""
    ours, theirs = np.sort(totals[own]), totals[~own]
    above = len(ours) - np.searchsorted(ours, theirs, side="right")
    level = np.searchsorted(ours, theirs, side="right") - np.searchsorted(ours, theirs, side="left")
    return float((above + level / 2).sum() / (len(ours) * len(theirs)))


def declined(totals: Numbers, own: NDArray[np.bool_], lost: float) -> int:
    """How many that are not the field's own are declined where this share of its own is lost."""
    return int((totals[~own] < np.quantile(totals[own], lost)).sum())


def _each_by_the_others(
    told: Mapping[str, Numbers], files: Mapping[str, Sequence[Asked]], weights: Numbers, columns: Sequence[int]
) -> tuple[int, int]:
    """How many are declined, and how many of the field's own, where each file has the threshold that suits the other files."""
    totals = {name: told[name][:, columns] @ weights for name in files}
    own = {name: np.array([one.answerable for one in asked]) for name, asked in files.items()}
    away = lost = 0
    for name in files:
        others = np.concatenate([totals[one][own[one]] for one in files if one != name])
        below = totals[name] < np.quantile(others, LOST)
        away += int(below[~own[name]].sum())
        lost += int(below[own[name]].sum())
    return away, lost


def _told(name: str, totals: Numbers, asked: Sequence[Asked], least: float) -> None:
    own = np.array([one.answerable for one in asked])
    away = totals < least
    outside = f"declined {away[~own].sum()} of {(~own).sum()}" if (~own).any() else ""
    inside = f"wrongly {away[own].sum()} of {own.sum()}" if own.any() else ""
    print(f"  {name:28} {outside:24} {inside}")


def _said(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def main() -> None:
    """Fit, propose, score, leave out."""
    home = default_home()
    library = Library.open(home)
    build = current_build(home)
    kept = Kept(library, home, build.name if build else "none", _said)
    _said("how the lists are spelled")
    lists = listed(library)
    files = {file.stem: read(file) for file in sorted(QUESTIONS.glob("*.yaml"))}
    _said("what the pages say of each question")
    kept.alone([*lists.kin, *lists.strays, *(one.ask for asked in files.values() for one in asked)])
    everything = lists.company(library.passages_with, range(len(lists.kin)), range(len(lists.strays)))
    told: dict[str, Numbers] = {}
    for name, asked in files.items():
        _said(f"{len(asked)} questions of {name}")
        told[name] = signs(kept.alone([one.ask for one in asked]), everything)
    rng = np.random.default_rng(0)
    cut = (parts(topics("kin.txt"), rng), parts(topics("strays.txt"), rng))
    rows, own = crossed(library, lists, kept, cut, _said)
    report(files, told, rows, own)


def report(
    files: Mapping[str, Sequence[Asked]], told: Mapping[str, Numbers], rows: Numbers, own: NDArray[np.bool_]
) -> None:
    """Print the weights that ship, those that fit, and what each sign is worth."""
    crossed_only = len(rows)
    ours = [told[name][[one.answerable for one in asked]] for name, asked in files.items() if HELD_OUT not in name]
    rows, own = np.concatenate([rows, *ours]), np.append(own, [True] * sum(map(len, ours)))
    exams = np.concatenate([told[name] for name in files])
    answerable = np.array([one.answerable for asked in files.values() for one in asked])

    def say(what: str, weights: Numbers, least: float, columns: Sequence[int]) -> None:
        by_parts = area(rows[:crossed_only, columns] @ weights, own[:crossed_only])
        totals = exams[:, columns] @ weights
        print(
            f"{what}: {np.round(weights, 2).tolist()} least {least:.2f}, parts {by_parts:.4f}, exams {area(totals, answerable):.4f},"
            f" declined {declined(totals, answerable, LOST)} of {(~answerable).sum()} when {LOST:.0%} are lost,"
            " each by the threshold of the others {} and {} lost".format(
                *_each_by_the_others(told, files, weights, columns)
            )
        )

    columns = list(range(len(NAMES)))
    print(", ".join(NAMES))
    say("ships", np.array(WEIGHTS), LEAST, columns)
    for name, asked in files.items():
        _told(name, told[name] @ np.array(WEIGHTS), asked, LEAST)
    print("threshold: declined of those outside, wrongly of the field's own")
    totals = exams @ np.array(WEIGHTS)
    for least in np.round(LEAST + np.arange(-0.6, 0.61, 0.1), 2).tolist():
        away = totals < least
        print(f"  {least:4} {away[~answerable].sum():6} {away[answerable].sum():4}{' ships' if least == LEAST else ''}")
    for left_out in ("", *NAMES):
        columns = [at for at, name in enumerate(NAMES) if name != left_out]
        weights, _ = fit(rows[:, columns], own)
        least = float(np.quantile((exams[:, columns] @ weights)[answerable], LOST))
        say(f"without {left_out}" if left_out else "fits", weights, least, columns)
        if not left_out:
            for name, asked in files.items():
                _told(name, told[name] @ weights, asked, least)
            same = np.array_equal(np.round(weights, 2), np.array(WEIGHTS))
            print("what ships is what fits" if same else "what ships is not what fits")


if __name__ == "__main__":
    main()
