"""An audit as plain data: what `rackside audit --json` prints (`rackside schema audit`), and what every other form is made of."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from bot.audit import Judged, State, worst_first
from bot.audit_score import By, Scored, score, scores
from bot.store.readiness import Place

TITLES: dict[State, str] = {
    "pass": "pass",
    "fail": "fail",
    "unknown": "unknown",
    "attested": "attested",
    "expired": "expired",
    "attest": "to attest",
    "waived": "waived",
    "not_applicable": "not here",
}


@dataclass(frozen=True, slots=True)
class PlaceOut:
    """What was audited; empty fields mean all of them."""

    cluster: str
    namespace: str
    workload: str


@dataclass(frozen=True, slots=True)
class ScoreOut:
    """One score, between 0 and 1 and null where nothing applies; `verified` is the share that live evidence decided."""

    by: By
    name: str
    score: float | None
    verified: float | None
    counts: dict[State, int]


@dataclass(frozen=True, slots=True)
class ChecklistOut:
    """The score of one checklist."""

    id: str
    counts: dict[State, int]
    score: float | None
    verified: float | None


@dataclass(frozen=True, slots=True)
class BrokenOut:
    """What one check holds against one subject."""

    check: str
    subject: str
    said: str
    remedy: str


@dataclass(frozen=True, slots=True)
class SubjectOut:
    """A subject that could not be seen, or is waived, and why."""

    subject: str
    why: str


@dataclass(frozen=True, slots=True)
class ItemOut:
    """One item; `seen` counts the subjects on which nothing speaks against it."""

    id: str
    checklist: str
    area: str
    title: str
    phase: int
    owners: tuple[str, ...]
    severity: str
    passage: str
    state: State
    why: str
    seen: int
    broken: tuple[BrokenOut, ...]
    blind: tuple[SubjectOut, ...]
    waived: tuple[SubjectOut, ...]


@dataclass(frozen=True, slots=True)
class AuditOut:
    """A whole audit; `at` is RFC 3339 UTC, `unseen` holds the sources that did not answer, with the reason."""

    at: str
    place: PlaceOut
    score: float | None
    verified: float | None
    counts: dict[State, int]
    checklists: tuple[ChecklistOut, ...]
    scores: tuple[ScoreOut, ...]
    unseen: tuple[str, ...]
    items: tuple[ItemOut, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """An audit with its place, its time (seconds since the epoch) and the sources that did not answer."""

    judged: tuple[Judged, ...]
    place: Place
    at: float
    unseen: tuple[str, ...] = ()
    sees_nothing: bool = False

    @property
    def worst(self) -> list[Judged]:
        """Failing items, worst first."""
        return worst_first(self.judged)

    def scores(self) -> list[Scored]:
        """Every score."""
        return scores(self.judged, self.place.cluster)

    def of(self, state: State) -> list[Judged]:
        """The items of a state."""
        return [one for one in self.judged if one.state == state]

    def blind_reasons(self) -> dict[str, list[str]]:
        """Why items could not be seen, the reason of most first, with their ids."""
        reasons: dict[str, list[str]] = defaultdict(list)
        for one in self.of("unknown"):
            reasons[one.why].append(one.item.id)
        return dict(sorted(reasons.items(), key=lambda told: -len(told[1])))


def output(report: Report) -> AuditOut:
    """The audit as plain data."""
    whole = score(report.judged)
    every = report.scores()
    return AuditOut(
        at=rfc3339(report.at),
        place=PlaceOut(report.place.cluster, report.place.namespace, report.place.workload),
        score=whole.held,
        verified=whole.verified,
        counts=dict(whole.counts),
        checklists=tuple(
            ChecklistOut(one.name, dict(one.score.counts), one.score.held, one.score.verified)
            for one in every
            if one.by == "checklist"
        ),
        scores=tuple(
            ScoreOut(one.by, one.name, one.score.held, one.score.verified, dict(one.score.counts)) for one in every
        ),
        unseen=report.unseen,
        items=tuple(map(_item, report.judged)),
    )


def as_json(report: Report) -> dict[str, Any]:
    """The audit as a JSON object."""
    return asdict(output(report))


def varied(one: Judged) -> list[Sequence[str]]:
    """What speaks against an item as (subject, words), so that each check has its say before one says the same of another."""
    turns: dict[str, int] = defaultdict(int)
    ranked: list[tuple[int, Sequence[str]]] = []
    for broken in one.broken:
        ranked.append((turns[broken.check], (broken.subject, broken.said)))
        turns[broken.check] += 1
    return [told for _, told in sorted(ranked, key=lambda pair: pair[0])]


def rfc3339(moment: float) -> str:
    """A moment as RFC 3339 in UTC."""
    return datetime.fromtimestamp(moment, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _item(one: Judged) -> ItemOut:
    return ItemOut(
        id=one.item.id,
        checklist=one.item.pack,
        area=one.item.area,
        title=one.item.title,
        phase=one.item.phase,
        owners=one.item.owners,
        severity=one.item.severity,
        passage=one.item.passage,
        state=one.state,
        why=one.why,
        seen=one.seen,
        broken=tuple(BrokenOut(told.check, told.subject, told.said, told.remedy) for told in one.broken),
        blind=tuple(SubjectOut(subject, why) for subject, why in sorted(one.blind.items())),
        waived=tuple(SubjectOut(subject, why) for subject, why in sorted(one.waived.items())),
    )
