"""Fits `bot.advisor.meant` to the questions in `evals/asked`: `python -m evals.asked_fit` writes the weights and prints what they are worth.

`written.yaml` has the questions of sixteen authors, `held_out.yaml` those of two others: a model that never saw the latter is judged by them,
and the one that is written is fitted to both. `others.yaml` are reports and questions that ask for no rule. Progress goes to standard error.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import yaml
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer

from bot.advisor.meant import NONE, WEIGHTS, Model, Numbers
from knowledge.home import default_home
from knowledge.search import Library
from knowledge.strays import KIN
from knowledge.vocabulary import terms
from tools.casebook import asked_for, rules

FOLDER = Path(__file__).with_name("asked")
# A word of one question alone is mostly a name.
FEWEST = 2
Say = Callable[[str], None]


class Asked(NamedTuple):
    """A question and the rule that it asks for, NONE where it asks for none."""

    text: str
    rule: str


def read(name: str) -> list[Asked]:
    """The questions of a file below `evals/asked`: a list of those that ask for no rule, or a mapping of rules to questions."""
    told = yaml.load((FOLDER / f"{name}.yaml").read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
    if isinstance(told, Mapping):
        return [Asked(str(text), str(rule)) for rule, texts in told.items() for text in texts]
    return [Asked(str(text), NONE) for text in told]


def digest() -> str:
    """Names what the model is fitted to: the questions, and which rules there are. What their pages say may be worded anew without a new fit."""
    whole = hashlib.sha256()
    for path in sorted(FOLDER.glob("*.yaml")):
        whole.update(path.read_bytes())
    whole.update("\n".join(sorted(rules())).encode())
    return whole.hexdigest()[:16]


def _of_rules() -> list[Asked]:
    told = ((case.id, case.words) for case in rules().values())
    return [Asked(text, rule) for rule, words in told for text in (f"{words.title} {words.means}", words.hurts)]


def _kin() -> list[Asked]:
    return [Asked(line, NONE) for line in KIN]


def fit(asked: Sequence[Asked], vectors: Numbers, encoder: str, say: Say) -> Model:
    """The model fitted to questions, by their words and by their vectors, a row each."""
    # Whoever only reads the questions needs no torch.
    from evals.asked_net import fitted

    kept = TfidfVectorizer(tokenizer=terms, token_pattern=None, lowercase=False, sublinear_tf=True, min_df=FEWEST)
    counted = kept.fit_transform([one.text for one in asked]).toarray().astype(np.float32)
    classes = sorted({one.rule for one in asked})
    layers = fitted(counted, vectors, [classes.index(one.rule) for one in asked], say)
    columns = {str(term): int(at) for term, at in kept.vocabulary_.items()}
    return Model(tuple(classes), columns, kept.idf_.astype(np.float32), *layers, encoder, digest())


def right(model: Model, asked: Sequence[Asked], vectors: Numbers | None, first: int) -> float:
    """The share of questions whose rule is among the first so many."""
    order = np.argsort(-model.shares([one.text for one in asked], vectors), axis=1)[:, :first]
    found = [one.rule in {model.classes[at] for at in row} for one, row in zip(asked, order, strict=True)]
    return sum(found) / len(found)


def main(say: Say = lambda line: print(line, file=sys.stderr)) -> None:
    """Fit, judge, write."""
    library = Library.open(default_home())
    written, held_out, others = read("written"), read("held_out"), [*read("others"), *_kin(), *_of_rules()]
    vectors: dict[str, NDArray[np.float32]] = {}
    every = [*written, *others, *held_out]
    for done, one in enumerate(every):
        vectors[one.text] = library.vectors([one.text])[0]
        if done % 500 == 499:
            say(f"{done + 1} of {len(every)} questions read")

    def of(asked: Sequence[Asked]) -> Numbers:
        return np.stack([vectors[one.text] for one in asked])

    say("fitting without the held-out questions")
    blind, known = fit([*written, *others], of([*written, *others]), library.encoder, say), of(held_out)
    by_forms = sum(one.rule in asked_for(one.text) for one in held_out) / len(held_out)
    print(f"held-out questions of other authors, n = {len(held_out)}, {len(rules())} rules:")
    print(f"  the rule comes first              {right(blind, held_out, known, 1):.1%}")
    print(f"  it is among the first three       {right(blind, held_out, known, 3):.1%}")
    print(f"  it comes first, by words alone    {right(blind, held_out, None, 1):.1%}")
    print(f"  its forms match (tools/casebook)  {by_forms:.1%}")
    say("fitting with them")
    fit(every, of(every), library.encoder, say).save(WEIGHTS)


if __name__ == "__main__":
    main()
