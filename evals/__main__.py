"""Score Rackside: `python -m evals [--incidents DIR] [--questions FILE] [--against] [--json]`, or `rackside eval`.

One line per incident or question, then totals with n. Somebody else's incidents need incident.yaml, objects/, logs/ and metrics.om.
`--against` asks the same questions of plain Chroma and plain BM25, and of our own search with each part left out.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from evals import incident_runs, question_runs
from evals.fleet.prometheus import CannotRunError
from evals.question_baselines import PlainBM25, PlainChroma
from evals.question_runs import Asked, Ours, Searcher, Totals
from evals.score import Score
from knowledge.encoder import EncoderProblem, load_encoder
from knowledge.home import default_home
from knowledge.index import IndexProblem
from knowledge.search import Library, Parts


def main(arguments: Sequence[str]) -> int:
    """Run the evals that are asked for; 0 when they ran, 2 when they could not."""
    parser = argparse.ArgumentParser(prog="python -m evals", description="Score incidents and questions.")
    parser.add_argument(
        "--incidents",
        type=Path,
        nargs="?",
        const=incident_runs.INCIDENTS,
        help="a folder of incident folders (default: ours)",
    )
    parser.add_argument(
        "--questions",
        type=Path,
        nargs="?",
        const=question_runs.QUESTIONS,
        help="a YAML file of questions, or a folder of them (default: ours)",
    )
    parser.add_argument(
        "--against", action="store_true", help="the questions also against baselines and with parts left out"
    )
    parser.add_argument("--json", action="store_true", help="print one JSON line each")
    chosen = parser.parse_args(arguments)
    both = chosen.incidents is None and chosen.questions is None
    library = Library.open(default_home())
    try:
        if chosen.incidents is not None or both:
            _incidents(chosen.incidents or incident_runs.INCIDENTS, library, chosen.json)
        if chosen.questions is not None or both:
            _questions(
                question_runs.read(chosen.questions or question_runs.QUESTIONS), library, chosen.against, chosen.json
            )
    except (CannotRunError, IndexProblem, EncoderProblem, ValueError) as problem:
        print(f"evals: {problem}", file=sys.stderr)
        return 2
    return 0


def _incidents(root: Path, library: Library, as_json: bool) -> None:
    folders = incident_runs.folders(root)
    if not folders:
        raise ValueError(f"there is no incident below {root}")
    scores: list[Score] = []
    for one in incident_runs.run(folders, library):
        scores.append(one)
        if as_json:
            print(json.dumps(asdict(one)), flush=True)
        else:
            mark = "✓" if one.exact and one.blind_ok and one.numeric_ok and not one.forbidden else "✗"
            got = ", ".join(f"{g['id']} on {g['subject']}" for g in one.got) or "nothing"
            print(f"{mark} level {one.level}  {one.incident:<26} {got}  ({one.seconds:.1f} s)", flush=True)
    n = len(scores)
    totals = {
        "incidents": n,
        "precision_at_full_recall": round(sum(one.precision_at_full_recall for one in scores) / n, 4),
        "exact_root_set": round(sum(one.exact for one in scores) / n, 4),
        "blind_ok": round(sum(one.blind_ok for one in scores) / n, 4),
        "numeric_ok": round(sum(one.numeric_ok for one in scores) / n, 4),
        "forbidden_free": round(sum(not one.forbidden for one in scores) / n, 4),
    }
    print(json.dumps(totals) if as_json else "  ".join(f"{name} {value}" for name, value in totals.items()))


def _questions(asked: Sequence[Asked], library: Library, against: bool, as_json: bool) -> None:
    ours = Ours(library)
    totals = Totals()
    for one in question_runs.run(asked, ours):
        totals.outcomes.append(one)
        if as_json:
            print(json.dumps(one.row(), ensure_ascii=False), flush=True)
        elif not one.ok:
            row = one.row()
            lacking = f"; not in the first passages: {', '.join(row['missing'])}" if row["missing"] else ""
            print(f"✗ {row['question']}  expected {row['expected']}, got {row['got']}{lacking}")
    _shares("Rackside", totals, as_json)
    if against:
        encoder = load_encoder(default_home())
        others: dict[str, Callable[[], Searcher]] = {
            "plain Chroma, MiniLM": lambda: PlainChroma(library.pages(), encoder),
            "plain BM25": lambda: PlainBM25(library.pages()),
        }
        parts = {
            "without the word index": Parts(words=False),
            "without vectors": Parts(vectors=False),
            "without short forms": Parts(short_forms=False),
            "without mended typos": Parts(typos=False),
            "without folding pages": Parts(folded=False),
        }
        for name, left in parts.items():
            others[name] = lambda left=left: Ours(Library.open(default_home(), encoder=encoder, parts=left))  # type: ignore[misc]
        for name, make in others.items():
            searcher, totals = make(), Totals()
            totals.outcomes.extend(question_runs.run(asked, searcher))
            _shares(name, totals, as_json)


def _shares(name: str, totals: Totals, as_json: bool) -> None:
    shares = totals.shares()
    if as_json:
        print(json.dumps({"searcher": name, **shares}), flush=True)
    else:
        print(
            f"{name}: " + "  ".join(f"{what} {'n/a' if share is None else share}" for what, share in shares.items()),
            flush=True,
        )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
