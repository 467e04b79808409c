"""Which readiness rules a question is about, by its meaning: people ask for a rule in words that nobody can list.

Two linear models, one over the words and one over the sentence encoder's vectors, each with a class for every rule and one for everything
else that people report and ask; their word counts as that of two independent witnesses. They were fitted to the questions in `evals/asked`
by `python -m evals.asked_fit`, which says how often they are right on those of other authors. That alone tells nobody anything: a rule is
told only where the cluster breaks it and nothing else is wrong.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from knowledge.belonging import sentences
from knowledge.encoder import EncoderProblem
from knowledge.index import IndexProblem
from knowledge.search import Library
from knowledge.vocabulary import terms
from tools.outcomes import Outcome, Verdict
from tools.topology import CLUSTER

Numbers = NDArray[np.float32]
WEIGHTS = Path(__file__).with_name("meant.npz")
# The class of all that asks for no rule.
NONE = ""
# What is less likely than this is not looked for.
LEAST = 0.02
# From this share on it is asked for; from the other on so surely that it comes before what ails those beside it, and that it is said where it
# is not so. A rule that everybody breaks takes twice as much.
LIKELY = 0.15
SURELY = 0.7
# One that is broken is not told where another one, which is kept, is so many times as likely meant.
TIMES = 4.0
# What has the form of one rule is about another one where that is so likely, and each of those whose form it has so little.
PLAINLY, UNLIKELY = 0.6, 0.1
MOST = 12
# How a question ends that only asks how something is, whatever was told before.
_STATE = re.compile(
    r"(?:^|[.?!;,:]\s+)(?:and |so |but |or )?(?:(?:is|are|does|do|did|was|were|has|have) (?:it|they|this|that|these|those|everything|anything|something|all)"
    r"(?: (?:still|really|already|now|all|even|just|actually))* (?:ok|okay|fine|broken|dead|alive|lives?|up|down|healthy|sick|over|works?|working|runs?|running|normal|dying|stuck|wrong|bad"
    r"|good|well|gone|serious|urgent|recovered|safe now|(?!missing|going|being|using|having|getting)[a-z]+ing)\b"
    # Whether one has to get up for it.
    r"|(?:do|should|must) (?:i|we) (?:really |still |now )?(?:(?:have|need) to )?(?:act|wake|page|worry|panic|drain|restart|reboot|roll ?back|scale|raise|buy|need more|call)\b)"
    r"[^.?!]{0,60}\?*\s*$",
    re.IGNORECASE,
)
_ARRAYS = ("weights", "bias", "rarity", "by_words", "words_bias")


@dataclass(frozen=True, slots=True)
class Meaning:
    """A rule (by id) and how likely the question, or a sentence of it, asks for it, 0 to 1."""

    rule: str
    likely: float


@dataclass(frozen=True)
class Model:
    """The fitted models. `weights` has a row for each class and a column for each dimension of `encoder`'s vectors, `by_words` one for each term."""

    classes: tuple[str, ...]
    weights: Numbers
    bias: Numbers
    columns: Mapping[str, int]
    rarity: Numbers
    by_words: Numbers
    words_bias: Numbers
    encoder: str
    digest: str

    def shares(self, texts: Sequence[str], vectors: Numbers | None) -> Numbers:
        """How likely each class is, a row for each text; every row sums to 1. Without vectors the words alone speak."""
        told = _logs(self.counted(texts) @ self.by_words.T + self.words_bias)
        if vectors is not None:
            told = told + _logs(vectors @ self.weights.T + self.bias)
        shares: Numbers = np.exp(_logs(told))
        return shares

    def counted(self, texts: Sequence[str]) -> Numbers:
        """The terms of texts, a row of length 1 for each: the rarer the heavier, a repeated one by the logarithm of its count."""
        rows = np.zeros((len(texts), len(self.columns)), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            for term, count in Counter(terms(text)).items():
                if term in self.columns:
                    row[self.columns[term]] = (1.0 + math.log(count)) * self.rarity[self.columns[term]]
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        counted: Numbers = rows / np.maximum(lengths, 1e-9)
        return counted

    def save(self, path: Path) -> None:
        """Write it where `load` finds it, in half precision."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        words = np.array(sorted(self.columns, key=lambda term: self.columns[term]))
        told = np.array([self.encoder, self.digest])
        np.savez_compressed(path, classes=np.array(self.classes), words=words, told=told, **arrays)


@cache
def load(path: Path = WEIGHTS) -> Model:
    """The model that is shipped."""
    with np.load(path) as stored:
        encoder, digest = (str(one) for one in stored["told"])
        arrays = {name: stored[name].astype(np.float32) for name in _ARRAYS}
        columns = {str(term): at for at, term in enumerate(stored["words"])}
        classes = tuple(str(one) for one in stored["classes"])
    return Model(classes=classes, columns=columns, encoder=encoder, digest=digest, **arrays)


def meant(library: Library, text: str) -> tuple[Meaning, ...]:
    """The rules that a question may ask for, likeliest first; by its words alone where no index is there or another encoder was chosen."""
    model, texts = load(), tuple(dict.fromkeys((text, *sentences(text))))
    if not text.strip() or _STATE.search(text):
        return ()
    vectors = None
    if library.encoder == model.encoder:
        with suppress(IndexProblem, EncoderProblem):
            vectors = library.vectors(texts)
    return ranked(model, model.shares(texts, vectors))


def ranked(model: Model, shares: Numbers) -> tuple[Meaning, ...]:
    """The same of the shares of a question and of its sentences: a background may be told first, so the best of them counts."""
    best: Sequence[float] = shares.max(axis=0).tolist()
    found = (Meaning(rule, share) for rule, share in zip(model.classes, best, strict=True) if rule != NONE)
    return tuple(sorted((one for one in found if one.likely >= LEAST), key=lambda one: -one.likely)[:MOST])


def means_another(about: Sequence[Meaning], asked: Collection[str]) -> bool:
    """Whether a question that has the form of asking for some rules rather means another, and not one of them."""
    likely = {one.rule: one.likely for one in about}
    most = max(likely.values(), default=0.0)
    return bool(asked) and most >= PLAINLY and all(likely.get(rule, 0.0) < UNLIKELY for rule in asked)


def weighed(likely: Mapping[str, float], outcomes: Iterable[Outcome], *, named: bool = False) -> dict[str, float]:
    """The same by half for rules that nobody keeps: who asks about somebody rather means what sets him apart from others.

    By half again for those of the whole cluster, where somebody is `named`.
    """
    judged = [outcome for outcome in outcomes if outcome.case.id in likely]
    kept = {outcome.case.id for outcome in judged if outcome.verdict is Verdict.QUIET}
    of_all = {outcome.case.id for outcome in judged if outcome.subject == CLUSTER} if named else set()
    halves = {rule: (rule not in kept) + (rule in of_all) for rule in likely}
    return {rule: share / 2.0 ** halves[rule] for rule, share in likely.items()}


def _logs(told: Numbers) -> Numbers:
    highest = told.max(axis=1, keepdims=True)
    logs: Numbers = told - highest - np.log(np.exp(told - highest).sum(axis=1, keepdims=True))
    return logs
