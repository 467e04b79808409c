"""Score Rackside: `python -m evals [--incidents DIR] [--questions FILE] [--json]`.

One line per incident or question, then totals with n. Somebody else's incidents need incident.yaml, objects/, logs/ and metrics.om.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from evals import incident_runs, question_runs
from evals.fleet.prometheus import CannotRunError
from evals.score import Score
from knowledge.home import default_home
from knowledge.search import Library


def main(arguments: Sequence[str]) -> int:
    """Run the evals that are asked for; 0 when they ran, 2 when they could not."""
    parser = argparse.ArgumentParser(prog="python -m evals", description="Score incidents and questions.")
    parser.add_argument("--incidents", type=Path, help="a folder of incident folders (default: ours)")
    parser.add_argument("--questions", type=Path, help="a YAML file of questions (default: ours)")
    parser.add_argument("--json", action="store_true", help="print one JSON line each")
    chosen = parser.parse_args(arguments)
    both = chosen.incidents is None and chosen.questions is None
    library = Library.open(default_home())
    try:
        if chosen.incidents is not None or both:
            _incidents(chosen.incidents or incident_runs.INCIDENTS, library, chosen.json)
        if chosen.questions is not None or both:
            _questions(chosen.questions or question_runs.QUESTIONS, library, chosen.json)
    except (CannotRunError, ValueError) as problem:
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


def _questions(file: Path, library: Library, as_json: bool) -> None:
    totals: dict[str, float] = {}
    for row, so_far in question_runs.run(file, library):
        totals = so_far
        if as_json:
            print(json.dumps(row, ensure_ascii=False), flush=True)
        elif not row["ok"]:
            print(f"✗ {row['question']}  expected {row['expected']}, got {row['got']}")
    print(json.dumps(totals) if as_json else "  ".join(f"{name} {value}" for name, value in totals.items()))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
