"""Score Rackside: `python -m evals [--incidents DIR] [--questions FILE] [--against] [--json]`, or `rackside eval`.

One line per incident or question, then totals with n, per level for incidents (`--only NAME...`, `--level 0 3` for some). Somebody else's incidents need incident.yaml, objects/, logs/ and metrics.om.
`--against` asks the same questions of plain Chroma and plain BM25, and of our own search with each part left out, and has
vllm-doctor look at the same incidents in the same Prometheus.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path

from evals import incident_runs, question_runs
from evals.fleet.prometheus import CannotRunError
from evals.incident_baseline import CannotCompareError, VllmDoctor, about_vllm, precision
from evals.question_baselines import PlainBM25, PlainChroma
from evals.question_runs import Asked, Ours, Searcher, Totals
from evals.score import Score, by_level, score, totals
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
        "--against",
        action="store_true",
        help="also ask baselines: vllm-doctor the incidents, plain searches and ours with parts left out the questions",
    )
    parser.add_argument("--only", nargs="+", default=[], metavar="NAME", help="incidents by name or pattern")
    parser.add_argument("--level", nargs="+", default=[], metavar="LEVEL", help="incidents of these levels (0 to 4)")
    parser.add_argument("--json", action="store_true", help="print one JSON line each")
    chosen = parser.parse_args(arguments)
    both = chosen.incidents is None and chosen.questions is None
    library = Library.open(default_home())
    try:
        if chosen.incidents is not None or both:
            _incidents(chosen, library)
        if chosen.questions is not None or both:
            _questions(
                question_runs.read(chosen.questions or question_runs.QUESTIONS), library, chosen.against, chosen.json
            )
    except (CannotRunError, IndexProblem, EncoderProblem, ValueError) as problem:
        print(f"evals: {problem}", file=sys.stderr)
        return 2
    return 0


def _incidents(chosen: argparse.Namespace, library: Library) -> None:
    root = chosen.incidents or incident_runs.INCIDENTS
    folders = incident_runs.folders(root, chosen.only, chosen.level)
    if not folders:
        which = " that fits --only and --level" if chosen.only or chosen.level else ""
        raise ValueError(f"there is no incident{which} below {root}")
    rival = _rival() if chosen.against else None
    scores: list[Score] = []
    theirs: list[tuple[Score, float]] = []
    began = time.monotonic()
    ran_all = (
        incident_runs.run(folders, library, rival) if rival else incident_runs.run_side_by_side(folders, default_home())
    )
    for ran in ran_all:
        one = score(ran.incident, ran.answer, ran.seconds)
        scores.append(one)
        row = asdict(one)
        if ran.baseline is not None:
            row["vllm_doctor"] = list(ran.baseline)
            if about_vllm(ran.incident):
                theirs.append((one, precision({e.id for e in ran.incident.expected}, ran.baseline)))
        if chosen.json:
            print(json.dumps(row), flush=True)
            if sys.stderr.isatty():
                print(f"{len(scores)}/{len(folders)} {one.incident}", file=sys.stderr, flush=True)
        else:
            mark = "✓" if one.exact and one.blind_ok and one.numeric_ok and not one.forbidden else "✗"
            got = ", ".join(f"{g['id']} on {g['subject']}" for g in one.got) or "nothing"
            also = f"; vllm-doctor: {', '.join(ran.baseline) or 'nothing'}" if ran.baseline is not None else ""
            count = f"{len(scores)}/{len(folders)}"
            print(
                f"{mark} {count:>7}  level {one.level}  {one.incident:<26} {got}  ({one.seconds:.1f} s){also}",
                flush=True,
            )
    _print_totals(scores, theirs, chosen.json)
    took = time.monotonic() - began
    print(f"{took:.0f} s, {took / len(scores):.1f} s an incident", file=sys.stderr)


def _rival() -> VllmDoctor | None:
    try:
        return VllmDoctor(default_home())
    except CannotCompareError as why:
        print(why, file=sys.stderr)
        return None


def _print_totals(scores: Sequence[Score], theirs: Sequence[tuple[Score, float]], as_json: bool) -> None:
    rows: dict[str, dict[str, float | int]] = {f"level {level}": row for level, row in by_level(scores).items()}
    if as_json:
        whole: dict[str, object] = {**totals(scores), "levels": by_level(scores)}
        if theirs:
            whole["against"] = _beside(theirs)
        print(json.dumps(whole))
        return
    rows["all levels"] = totals(scores)
    for name, row in rows.items():
        print(f"{name}: " + "  ".join(f"{what} {value}" for what, value in row.items()))
    if theirs:
        told = _beside(theirs)
        print(
            f"incidents of vLLM's own metrics (n {told['incidents']}), precision at full recall: "
            f"Rackside {told['rackside']}, vllm-doctor {told['vllm_doctor']}; "
            f"of them without a fault (n {told['without_fault']}) silent: "
            f"Rackside {told['rackside_silent']}, vllm-doctor {told['vllm_doctor_silent']}"
        )


def _beside(theirs: Sequence[tuple[Score, float]]) -> dict[str, float | int | None]:
    healthy = [(one, value) for one, value in theirs if not one.expected]
    n = len(healthy)
    return {
        "incidents": len(theirs),
        "rackside": round(sum(one.precision_at_full_recall for one, _ in theirs) / len(theirs), 4),
        "vllm_doctor": round(sum(value for _, value in theirs) / len(theirs), 4),
        "without_fault": n,
        "rackside_silent": round(sum(not one.got for one, _ in healthy) / n, 4) if n else None,
        "vllm_doctor_silent": round(sum(value for _, value in healthy) / n, 4) if n else None,
    }


def _questions(asked: Sequence[Asked], library: Library, against: bool, as_json: bool) -> None:
    ours = Ours(library)
    found = Totals()
    for one in question_runs.run(asked, ours):
        found.outcomes.append(one)
        if as_json:
            print(json.dumps(one.row(), ensure_ascii=False), flush=True)
        elif not one.ok:
            row = one.row()
            lacking = f"; not in the first passages: {', '.join(row['missing'])}" if row["missing"] else ""
            print(f"✗ {row['question']}  expected {row['expected']}, got {row['got']}{lacking}")
    _shares("Rackside", found, as_json)
    if against:
        encoder = load_encoder(default_home())
        others: dict[str, Callable[[], Searcher]] = {
            "plain Chroma, MiniLM": lambda: PlainChroma(library.pages(), encoder),
            "plain BM25": lambda: PlainBM25(library.pages()),
        }
        parts = {
            "without the word index": Parts(words=False),
            "without vectors": Parts(vectors=False),
            "without pages' names": Parts(names=False),
            "without short forms": Parts(short_forms=False),
            "without mended typos": Parts(typos=False),
            "without folding pages": Parts(folded=False),
            "without what is named exactly": Parts(exact=False),
            "without lowering generated pages": Parts(weighed=False),
            "without headings": Parts(headings=False),
        }
        for name, left in parts.items():
            others[name] = lambda left=left: Ours(Library.open(default_home(), encoder=encoder, parts=left))  # type: ignore[misc]
        for name, make in others.items():
            searcher, found = make(), Totals()
            found.outcomes.extend(question_runs.run(asked, searcher))
            _shares(name, found, as_json)


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
