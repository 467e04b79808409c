"""Which readiness rules a question is about, by its meaning: people ask for a rule in words that nobody can list.

Two small networks over the words and the sentence encoder's vectors, with a class for every rule and one for everything else that people
report and ask; the mean of what they say counts. They were fitted to the questions in `evals/asked` by `python -m evals.asked_fit`, which says
how often they are right on those of other authors. That alone tells nobody anything: a rule is told only where the cluster breaks it and nothing else is wrong. Of several that are broken the rarer is the likelier meant: what is broken
nearly everywhere (`bot.advisor.rates`) is no sign that somebody asks for it.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.advisor.rates import ALERTS, rate
from knowledge.belonging import sentences
from knowledge.encoder import EncoderProblem
from knowledge.index import IndexProblem
from knowledge.search import Library
from knowledge.vocabulary import terms
from tools.casebook import rules

Numbers = NDArray[np.float32]
WEIGHTS = Path(__file__).with_name("meant.npz")
# The class of all that asks for no rule.
NONE = ""
# What is less likely than this is not looked for.
LEAST = 0.01
# From this likelihood on, given what is broken, a rule is asked for; from the other on so surely that it comes before what ails those beside it,
# and that it is said where it is not so.
LIKELY = 0.2
SURELY = 0.7
# So often at least is any rule broken; and so much the rates are trusted, 0 to 1: they are those of incidents, not of everybody's fleet.
SELDOM, TRUST = 0.06, 0.8
# What has the form of one rule is about another one where that is so likely, and each of those whose form it has so little.
PLAINLY, UNLIKELY = 0.5, 0.1
# So little is left for what asks for no rule.
HARDLY = 0.35
# A question is of one's own fleet where a rule is so likely asked for.
OWN = 0.15
MOST = 12
# So much a sentence counts that asks nothing; and so much of it is lost where the whole surely asks for no rule.
TOLD, WHOLE = 0.6, 0.3
# How a question ends that only asks how something is, whatever was told before.
_STATE = re.compile(
    # After a comma and an `or` it is one of two answers to what was asked before.
    r"(?:(?:^|[.?!;:]\s+)(?:and |so |but |or )?|,\s+(?:and |so |but )?)(?:(?:is|are|does|do|did|was|were|has|have)"
    r" (?:it|they|this|that|these|those|everything|(?:there )?(?:anything|something)|all|(?:the|our|my)(?: [\w-]+){0,2} (?:cluster|fleet|site)s?)"
    r"(?: (?:still|really|already|now|all|even|just|actually))* (?:ok|okay|fine|broken|dead|alive|lives?|up|down|healthy|sick|over|works?|working|runs?|running|normal|dying|stuck|wrong|bad"
    r"|good|well|gone|serious|urgent|recovered|safe now|(?!missing|going|being|using|having|getting)[a-z]+ing)\b"
    # How somebody is, by name.
    r"|(?:is|are) [\w/.-]+ (?:still |really |now )?(?:ok|okay|fine|healthy|well|broken|dead|alive|in trouble|affected)(?= (?:right )?now\b| by (?:it|that|this)\b|,? (?:or|and)\b|\W*$)"
    # Whether one has to get up for it.
    r"|(?:do|should|must) (?:i|we) (?:really |still |now )?(?:(?:have|need) to )?(?:act|wake|page|worry|panic|drain|restart|reboot|roll ?back|scale|raise|buy|need more|call)\b)"
    r"[^.?!]{0,60}\?*\s*$",
    re.IGNORECASE,
)
# What is said before a comma makes a state one that is only imagined.
_SUPPOSED = re.compile(
    r"\b(?:if|when|whenever|once|in case|should|suppose|say|after|as soon as)\b[^.?!;:]*$", re.IGNORECASE
)
_ARRAYS = ("rarity", "by_vectors", "bias", "out", "out_bias")


@dataclass(frozen=True, slots=True)
class About:
    """What a question may ask for: rules (by id) with how likely the question, or a sentence of it, asks for each, and how likely it asks for none of them."""

    shares: Mapping[str, float]
    none: float = 0.0

    def given(self, broken: Collection[str], watched: bool = False) -> dict[str, float]:
        """How likely each of the rules that are broken is asked for, given that these are broken and the others are kept, 0 to 1.

        `watched` says that some alert rules are kept: it weighs where the question hardly asks for no rule at all.
        """
        watched = watched and self.none < HARDLY
        lifted = {
            rule: share / (rate(rule, watched) + SELDOM) ** TRUST
            for rule, share in self.shares.items()
            if rule in broken
        }
        kept = sum(share for rule, share in self.shares.items() if rule not in broken)
        whole = self.none + kept + sum(lifted.values())
        return {rule: share / whole for rule, share in lifted.items()}

    @property
    def worth(self) -> frozenset[str]:
        """The rules that may be told, if they alone are broken, or be said not to be so. Of alert rules all are looked at where one is worth it."""
        found = {
            rule for rule, share in self.shares.items() if share >= SURELY or self.given({rule}, True)[rule] >= LIKELY
        }
        alerts = any(ALERTS.search(rule) for rule in found)
        return frozenset(found | {rule for rule in rules() if alerts and ALERTS.search(rule)})

    @property
    def surely(self) -> frozenset[str]:
        """The rules that are asked for whether or not they are broken."""
        return frozenset(rule for rule, share in self.shares.items() if share >= SURELY)

    @property
    def own(self) -> bool:
        """Whether it is of one's own fleet."""
        return max(self.shares.values(), default=0.0) >= OWN


NOTHING = About({}, 1.0)


@dataclass(frozen=True)
class Model:
    """The fitted networks, along the first axis of each array: `by_words` is hidden by terms, `by_vectors` hidden by dimensions of `encoder`'s
    vectors, `out` classes by hidden."""

    classes: tuple[str, ...]
    columns: Mapping[str, int]
    rarity: Numbers
    by_words: Numbers
    by_vectors: Numbers
    bias: Numbers
    out: Numbers
    out_bias: Numbers
    encoder: str
    digest: str

    def shares(self, texts: Sequence[str], vectors: Numbers | None) -> Numbers:
        """How likely each class is, a row for each text; every row sums to 1. Without vectors the words alone speak."""
        counted = self.counted(texts)
        told = np.zeros((len(texts), len(self.classes)), dtype=np.float32)
        for words, meaning, bias, out, out_bias in zip(
            self.by_words, self.by_vectors, self.bias, self.out, self.out_bias, strict=True
        ):
            hidden = counted @ words.T + bias
            if vectors is not None:
                hidden = hidden + vectors @ meaning.T
            told += _logs(np.maximum(hidden, 0.0) @ out.T + out_bias) / len(self.by_words)
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
        """Write it where `load` finds it: in half precision, and what words weigh in steps of a 127th of the heaviest of each hidden unit."""
        arrays = {name: getattr(self, name).astype(np.float16) for name in _ARRAYS}
        step = np.maximum(np.abs(self.by_words).max(axis=-1, keepdims=True), 1e-9) / 127
        steps = np.round(self.by_words / step).astype(np.int8)
        words = np.array(sorted(self.columns, key=lambda term: self.columns[term]))
        told = np.array([self.encoder, self.digest])
        np.savez_compressed(
            path, classes=np.array(self.classes), words=words, told=told, step=step, steps=steps, **arrays
        )


@cache
def load(path: Path = WEIGHTS) -> Model:
    """The model that is shipped."""
    with np.load(path) as stored:
        encoder, digest = (str(one) for one in stored["told"])
        arrays = {name: stored[name].astype(np.float32) for name in _ARRAYS}
        by_words = stored["steps"] * stored["step"]
        columns = {str(term): at for at, term in enumerate(stored["words"])}
        classes = tuple(str(one) for one in stored["classes"])
    return Model(classes=classes, columns=columns, by_words=by_words, encoder=encoder, digest=digest, **arrays)


def meant(library: Library, text: str) -> About:
    """What a question may ask for; by its words alone where no index is there or another encoder was chosen."""
    model, texts = load(), tuple(dict.fromkeys((text, *sentences(text))))
    if not text.strip() or _of_a_state(text):
        return NOTHING
    vectors = None
    if library.encoder == model.encoder:
        with suppress(IndexProblem, EncoderProblem):
            vectors = library.vectors(texts)
    return ranked(model, texts, model.shares(texts, vectors))


def ranked(model: Model, texts: Sequence[str], shares: Numbers) -> About:
    """The same of the shares of a question (the first of the texts) and of its sentences: a background may be told first, so the best of them counts.

    A sentence counts less where others ask and it does not, and the surer the whole asks for no rule.
    """
    none = float(shares[0][model.classes.index(NONE)])
    asks = any("?" in text for text in texts[1:])
    weights = [1.0, *((1.0 if "?" in text or not asks else TOLD) * (1.0 - WHOLE * none) for text in texts[1:])]
    best: Sequence[float] = (shares * np.array(weights, dtype=np.float32)[:, None]).max(axis=0).tolist()
    told = sorted(zip(best, model.classes, strict=True), reverse=True)
    rules = {rule: share for share, rule in told if rule != NONE}
    likely = {rule: share for rule, share in list(rules.items())[:MOST] if share >= LEAST}
    others = sum(rules.values()) - sum(likely.values())
    return About(likely, none + others)


def means_another(about: About, asked: Collection[str]) -> bool:
    """Whether a question that has the form of asking for some rules rather means another, and not one of them."""
    shares = about.shares
    most, others = max(shares.values(), default=0.0), sum(shares.values())
    # Or about one of several that it hardly differs between, and about hardly anything else.
    of_some = others >= PLAINLY and about.none < HARDLY and not any(rule in shares for rule in asked)
    plainly = most >= PLAINLY or of_some
    return bool(asked) and plainly and all(shares.get(rule, 0.0) < UNLIKELY for rule in asked)


def of_those_meant(about: About, asked: Collection[str]) -> frozenset[str]:
    """The rules whose form a question has, without those that it hardly means beside one that it plainly does; none where it means another."""
    if means_another(about, asked):
        return frozenset()
    plainly = any(about.shares.get(rule, 0.0) >= PLAINLY for rule in asked)
    return frozenset(rule for rule in asked if not plainly or about.shares.get(rule, 0.0) >= UNLIKELY)


def _of_a_state(text: str) -> bool:
    found = _STATE.search(text)
    return found is not None and not (found[0].startswith(",") and _SUPPOSED.search(text[: found.start()]))


def _logs(told: Numbers) -> Numbers:
    highest = told.max(axis=1, keepdims=True)
    logs: Numbers = told - highest - np.log(np.exp(told - highest).sum(axis=1, keepdims=True))
    return logs
