"""Scores of one answered incident: pure questions about an answer and what was expected of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from statistics import fmean

from bot.advisor.grounding import ground
from bot.advisor.question import Answer
from evals.fleet.folder import Expected, Incident


@dataclass(frozen=True, slots=True)
class Score:
    """How one incident went. `precision_at_full_recall` is 0 when an expected root is missing."""

    incident: str
    level: str
    expected: list[dict[str, str]]
    got: list[dict[str, str]]
    precision_at_full_recall: float
    exact: bool
    forbidden: list[str]
    blind_ok: bool
    numeric_ok: bool
    seconds: float


def score(incident: Incident, answer: Answer, seconds: float) -> Score:
    """Hold an answer against what its incident expects."""
    got = [Expected(finding.id, finding.subject) for finding in answer.headlines]
    return Score(
        incident=incident.name,
        level=incident.level,
        expected=[asdict(one) for one in incident.expected],
        got=[asdict(one) for one in got],
        precision_at_full_recall=precision_at_full_recall(incident.expected, got),
        exact=set(got) == set(incident.expected),
        forbidden=sorted({finding.id for finding in answer.findings} & set(incident.forbidden)),
        blind_ok=blind_ok(incident, answer),
        numeric_ok=not ground(answer.text, answer, [one.quote for one in answer.citations]).dropped,
        seconds=round(seconds, 2),
    )


def precision_at_full_recall(expected: Sequence[Expected], got: Sequence[Expected]) -> float:
    """The share of true roots among the headlines down to the last expected one; without a fault, 1 for silence."""
    if not expected:
        return 0.0 if got else 1.0
    if any(one not in got for one in expected):
        return 0.0
    return len(expected) / (max(got.index(one) for one in expected) + 1)


def blind_ok(incident: Incident, answer: Answer) -> bool:
    """Whether everything that could not be seen is said to be so, or is itself the headline."""
    said = " ".join(f"{spot.what} {spot.why}" for spot in answer.blind)
    named = {finding.subject for finding in answer.headlines}
    return all(str(one) in said or str(one) in named for one in incident.blind)


def totals(scores: Sequence[Score]) -> dict[str, float | int]:
    """The shares over incidents, with how many there are; `scores` must not be empty."""
    shares = {
        "precision_at_full_recall": [one.precision_at_full_recall for one in scores],
        "exact_root_set": [float(one.exact) for one in scores],
        "blind_ok": [float(one.blind_ok) for one in scores],
        "numeric_ok": [float(one.numeric_ok) for one in scores],
        "forbidden_free": [float(not one.forbidden) for one in scores],
    }
    return {"incidents": len(scores), **{name: round(fmean(values), 4) for name, values in shares.items()}}


def by_level(scores: Sequence[Score]) -> dict[str, dict[str, float | int]]:
    """The totals of each level, levels in order."""
    levels = sorted({one.level for one in scores})
    return {level: totals([one for one in scores if one.level == level]) for level in levels}
