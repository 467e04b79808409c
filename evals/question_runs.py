"""Knowledge questions: is the right page among the first hits, and is what lies outside declined?"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from knowledge.search import Library

QUESTIONS = Path(__file__).parent / "questions" / "first.yaml"
FIRST = (1, 3, 5)


def run(file: Path, library: Library) -> Iterator[tuple[dict[str, Any], dict[str, float]]]:
    """Each question with its outcome, and the totals so far.

    The file is a list of `{ask, pages}`; `pages` are the pages that answer it, none of them when it is out of scope.
    """
    try:
        asked = yaml.safe_load(file.read_text(encoding="utf-8"))
        pairs = [(str(one["ask"]), [str(page) for page in one.get("pages") or ()]) for one in asked]
    except (OSError, UnicodeDecodeError, yaml.YAMLError, KeyError, TypeError) as error:
        raise ValueError(f"{file} is no list of {{ask, pages}} ({type(error).__name__})") from None
    inside = declined = wrongly = 0
    outside = 0
    found = dict.fromkeys(FIRST, 0)
    ranks = 0.0
    for question, pages in pairs:
        hits = library.search(question, max(FIRST))
        refused = library.outside(question, hits)
        got = list(dict.fromkeys(hit.passage.page_id for hit in hits))
        rank = next((place for place, page in enumerate(got, 1) if page in pages), 0)
        if pages:
            inside += 1
            wrongly += refused
            ranks += 1 / rank if rank else 0.0
            for first in FIRST:
                found[first] += 0 < rank <= first
        else:
            outside += 1
            declined += refused
        row = {
            "question": question,
            "expected": pages or "declined",
            "got": "declined" if refused else got[:3],
            "ok": (0 < rank <= 3 and not refused) if pages else refused,
        }
        yield row, _totals(inside, outside, found, ranks, declined, wrongly)


def _totals(
    inside: int, outside: int, found: dict[int, int], ranks: float, declined: int, wrongly: int
) -> dict[str, float]:
    totals: dict[str, float] = {"answerable": inside, "out_of_scope": outside}
    for first, count in found.items():
        totals[f"recall@{first}"] = round(count / max(1, inside), 4)
    totals["mrr"] = round(ranks / max(1, inside), 4)
    totals["declined_of_out_of_scope"] = round(declined / max(1, outside), 4)
    totals["wrongly_declined"] = round(wrongly / max(1, inside), 4)
    return totals
