"""What a digest says, composed from two kept audits and what happened in between. Pure: no clock, no source, no store."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from bot.audit_history import Change, changes
from bot.digest.beside import Triaged, from_text
from bot.digest.spending import Spending
from bot.store.readiness import DAY_S, Kept, KeptItem, Mark, Place, Run
from knowledge.items import SEVERITIES

ATTENTION = 3
UNSEEN = "See to it that it can be read; `rackside doctor` says what is reached and what is not."
EXPIRES_WITHIN_S = 14 * DAY_S
# What makes a week worth more than a line.
TOLD = frozenset(
    {"new", "worse", "blind", "lapsed", "fixed", "better", "seen", "attested", "waived", "gone", "added", "dropped"}
)


@dataclass(frozen=True, slots=True)
class Attention:
    """One thing to do something about: whose it is, on whom it stands, what those cost an hour (None: not known), what to do.

    `since` is the first kept audit in which it was so, one after another; `ever` where none before it says otherwise.
    `subjects` are those of the check that is told, `others` counts those on which other checks of the item fail; `also` are items that
    fail for the same reason on the same subjects.
    """

    id: str
    title: str
    severity: str
    owners: tuple[str, ...]
    state: str
    since_last: bool
    subjects: tuple[str, ...]
    said: str
    remedy: str
    usd_per_hour: float | None
    workload_owners: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    others: int = 0
    since: float | None = None
    ever: bool = False


@dataclass(frozen=True, slots=True)
class Ends:
    """An attestation or a waiver that ends soon, or ended since the last digest."""

    mark: Mark
    title: str
    over: bool


@dataclass(frozen=True, slots=True)
class Digest:
    """One digest. `before` is None for the first, a baseline. `late` says why it does not come on time, empty where it does."""

    place: Place
    now: Run
    before: Run | None
    trend: tuple[Run, ...]
    changes: tuple[Change, ...]
    failing: tuple[KeptItem, ...]
    attention: tuple[Attention, ...]
    triaged: tuple[Triaged, ...] | None
    ends: tuple[Ends, ...]
    blind: tuple[tuple[str, tuple[str, ...]], ...]
    unseen: tuple[str, ...]
    counts: dict[str, int]
    spending: Spending
    spending_before: Spending | None
    late: str = ""
    key: str = ""

    @property
    def baseline(self) -> bool:
        """Whether it is the first."""
        return self.before is None

    @property
    def uneventful(self) -> bool:
        """Whether nothing happened that anybody has to read."""
        return not (self.baseline or self.changes or self.triaged or self.ends or self.unseen or self.late)


def compose(
    after: Kept,
    before: Kept | None,
    *,
    trend: Sequence[Run] = (),
    marks: Iterable[Mark] = (),
    late: str = "",
) -> Digest:
    """The digest of an audit against the one before."""
    beside = from_text(after.extra)
    spending = beside.spending
    differ = [one for one in changes(before, after) if one.kind in TOLD] if before is not None else []
    failing = sorted((one for one in after.items if one.state == "fail"), key=_rank)
    counts: dict[str, int] = {}
    for one in after.items:
        counts[one.state] = counts.get(one.state, 0) + 1
    return Digest(
        place=after.place,
        now=_run(after),
        before=_run(before) if before is not None else None,
        trend=tuple(trend),
        changes=tuple(differ),
        failing=tuple(failing),
        attention=_attention(after, differ, spending),
        triaged=beside.triaged,
        ends=_ends(after, before, marks),
        blind=_blind(after),
        unseen=after.unseen,
        counts=counts,
        spending=spending,
        spending_before=from_text(before.extra).spending if before is not None else None,
        late=late,
        key=after.id,
    )


def _run(kept: Kept) -> Run:
    return Run(kept.id, kept.place, kept.at, kept.score, kept.verified)


def _rank(one: KeptItem) -> tuple[int, int, str]:
    return _severity(one.severity), -len(one.subjects("fail")), one.id


def _severity(text: str) -> int:
    known: list[str] = list(SEVERITIES)
    return known.index(text) if text in known else len(known)


def _attention(after: Kept, differ: Sequence[Change], spending: Spending) -> tuple[Attention, ...]:
    """The gravest first; of equals what is new or worse, then what stands on the dearest workloads, then on the most.

    What fails for the same reason is one thing: the other items are named with the first.
    """
    fresh = {one.id: frozenset(one.subjects) for one in differ if one.kind in {"new", "worse", "lapsed", "blind"}}
    found = [_told(one, fresh.get(one.id), spending) for one in after.items if one.state in {"fail", "expired"}]
    found += [
        _told(one, fresh.get(one.id), spending)
        for one in after.items
        if one.state == "unknown" and one.severity in {"critical", "high"}
    ]
    found.sort(key=_order)
    merged: dict[object, Attention] = {}
    for one in found:
        # What cannot be seen for one reason is one thing, whomever it is about: a source that is down has to be mended once.
        reason = one.said if one.state == "unknown" else (one.subjects[:1], one.said) if one.subjects else one.id
        first = merged.get(reason)
        merged[reason] = replace(first, also=(*first.also, one.id)) if first is not None else one
    return tuple(merged.values())[:ATTENTION]


# What fails comes first, whatever its severity; then evidence that has expired, then what is grave and cannot be seen.
_STATES = ("fail", "expired", "unknown")


def _order(one: Attention) -> tuple[object, ...]:
    rank = _severity(one.severity)
    return _STATES.index(one.state), rank, not one.since_last, -(one.usd_per_hour or 0.0), -len(one.subjects), one.id


def _told(one: KeptItem, fresh: frozenset[str] | None, spending: Spending) -> Attention:
    wanted = one.subjects("fail" if one.state == "fail" else "unknown")
    # What is new is told first: it is what brings the item here.
    cells = sorted(
        (cell for cell in one.cells if cell.subject in wanted), key=lambda cell: cell.subject not in (fresh or ())
    )
    # One check speaks of subjects of one kind: what a node and its workloads cost is never added up.
    whole, cells = len(cells), [cell for cell in cells if cell.check == cells[0].check]
    run = [spending.workloads[cell.subject] for cell in cells if cell.subject in spending.workloads]
    priced = [each.usd_per_hour for each in run if each.usd_per_hour is not None]
    return Attention(
        id=one.id,
        title=one.title,
        severity=one.severity,
        owners=one.owners,
        state=one.state,
        since_last=fresh is not None,
        subjects=tuple(cell.subject for cell in cells),
        said=cells[0].said if cells else one.why,
        remedy=UNSEEN if one.state == "unknown" else one.remedy(cells[0].check) if cells else "",
        usd_per_hour=sum(priced) if priced and len(priced) == len(cells) else None,
        workload_owners=tuple(sorted({each.owner for each in run if each.owner})),
        others=whole - len(cells),
    )


def _ends(after: Kept, before: Kept | None, marks: Iterable[Mark]) -> tuple[Ends, ...]:
    titles = {one.id: one.title for one in after.items}
    latest: dict[tuple[str, str, Place], Mark] = {}
    for mark in marks:
        ours = after.place.covers(mark.place) or mark.place.covers(after.place)
        if ours and mark.item in titles and mark.withdrawn_at is None and mark.at <= after.at:
            key = (mark.kind, mark.item, mark.place)
            if key not in latest or latest[key].until < mark.until:
                latest[key] = mark
    since = before.at if before is not None else after.at - 7 * DAY_S
    found = [
        Ends(mark, titles[mark.item], over=mark.until <= after.at)
        for mark in latest.values()
        if since < mark.until <= after.at + EXPIRES_WITHIN_S
    ]
    return tuple(sorted(found, key=lambda one: (one.mark.until, one.mark.item)))


def _blind(after: Kept) -> tuple[tuple[str, tuple[str, ...]], ...]:
    reasons: dict[str, list[str]] = {}
    for one in after.items:
        if one.state == "unknown":
            reasons.setdefault(one.why, []).append(one.id)
    return tuple((why, tuple(ids)) for why, ids in sorted(reasons.items(), key=lambda told: (-len(told[1]), told[0])))
