"""What becomes of a question: looked at live, told from the pages, sized or declined. `python -m evals.intents [FILE]` scores intents.yaml.

Each question is put to the advisor as it is, in a place where nothing can be seen: what it does there hangs on the words alone.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.advisor.advisor import Advisor
from bot.advisor.question import Question
from knowledge.home import default_home
from knowledge.search import Library
from tools.reading import Blind, Reason

INTENTS = Path(__file__).parent / "intents.yaml"
PARTS = ("tuned", "held_out", "later", "last")
NOWHERE = Blind(Reason.NOT_SET, "nothing is asked of any source")


@dataclass(frozen=True, slots=True)
class Wanted:
    """A question of a kind, what is to become of it, and in which part of the file it stands."""

    ask: str
    kind: str
    want: str
    part: str


def read(file: Path = INTENTS) -> list[Wanted]:
    """The questions of a file, a list of `{kind, want, tuned, held_out}`."""
    stored = yaml.safe_load(file.read_text(encoding="utf-8"))
    return [
        Wanted(ask, one["kind"], one["want"], part) for one in stored for part in PARTS for ask in one.get(part) or ()
    ]


def become(asked: list[Wanted], library: Library) -> Iterator[tuple[Wanted, str]]:
    """Each question with the intent of its answer."""
    advisor = Advisor(lambda _cluster: (NOWHERE, NOWHERE, ""), library)
    for one in asked:
        yield one, advisor.answer(Question(one.ask)).intent


def main() -> None:
    """Score a file, or ours."""
    asked = read(Path(sys.argv[1]) if len(sys.argv) > 1 else INTENTS)
    right: Counter[tuple[str, str]] = Counter()
    of: Counter[tuple[str, str]] = Counter()
    for one, got in become(asked, Library.open(default_home())):
        of[one.kind, one.part] += 1
        right[one.kind, one.part] += got == one.want
        if got != one.want:
            print(f"{got} instead of {one.want} ({one.part}): {one.ask}")
    for kind, part in of:
        print(f"{kind}, {part}: {right[kind, part]} of {of[kind, part]}")


if __name__ == "__main__":
    main()
