"""A digest as plain data: what `rackside digest --json` prints (`rackside schema digest`)."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from bot.audit_output import PlaceOut, rfc3339
from bot.digest import words
from bot.digest.content import Digest
from bot.digest.text import as_markdown


@dataclass(frozen=True, slots=True)
class PointOut:
    """The score at one digest; `at` is RFC 3339 UTC."""

    at: str
    score: float | None
    verified: float | None


@dataclass(frozen=True, slots=True)
class ChangeOut:
    """How one item differs from the digest before."""

    kind: str
    id: str
    title: str
    severity: str
    owners: tuple[str, ...]
    was: str
    now: str
    subjects: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class AttentionOut:
    """One thing to do something about; `usd_per_hour` is what the workloads that it stands on cost, null where not known.

    `since` is the first kept audit of an unbroken row in which it was so, null where this is the first.
    """

    id: str
    title: str
    severity: str
    owners: tuple[str, ...]
    workload_owners: tuple[str, ...]
    state: str
    new_or_worse: bool
    subjects: tuple[str, ...]
    said: str
    remedy: str
    usd_per_hour: float | None
    also: tuple[str, ...]
    others: int
    since: str | None = None


@dataclass(frozen=True, slots=True)
class TriagedOut:
    """An incident and how it ended: recovered, goes on, nothing grave was found, something else is wrong now, not known."""

    at: str
    title: str
    subject: str
    ended: str
    link: str


@dataclass(frozen=True, slots=True)
class EndsOut:
    """An attestation or a waiver that ends soon, or has ended."""

    item: str
    title: str
    kind: str
    by: str
    until: str
    over: bool


@dataclass(frozen=True, slots=True)
class BlindOut:
    """Items that could not be seen for one reason."""

    why: str
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SpendingOut:
    """What the place costs: GPU-hours of the window by kind and their prices; null and `why` where nothing is known.

    `unpriced` GPUs are not in `usd_per_hour`; `blind` are sources that did not answer, so that none of it need be all.
    """

    window: str
    usd_per_hour: float | None
    gpus: float | None
    gpu_hours: dict[str, float]
    usd: dict[str, float | None]
    why: str
    unpriced: float = 0.0
    blind: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class DigestOut:
    """One digest; `baseline` for the first, `uneventful` when nothing happened. `triaged` is null where incidents were not looked at."""

    at: str
    place: PlaceOut
    verdict: str
    baseline: bool
    uneventful: bool
    late: str
    score: float | None
    verified: float | None
    before: PointOut | None
    trend: tuple[PointOut, ...]
    counts: dict[str, int]
    changes: tuple[ChangeOut, ...]
    attention: tuple[AttentionOut, ...]
    triaged: tuple[TriagedOut, ...] | None
    ends: tuple[EndsOut, ...]
    blind: tuple[BlindOut, ...]
    unseen: tuple[str, ...]
    spending: SpendingOut
    text: str


def output(digest: Digest) -> DigestOut:
    """The digest as plain data; `text` is all of it as Markdown."""
    place, money = digest.place, digest.spending
    return DigestOut(
        at=rfc3339(digest.now.at),
        place=PlaceOut(place.cluster, place.namespace, place.workload),
        verdict=words.verdict(digest),
        baseline=digest.baseline,
        uneventful=digest.uneventful,
        late=digest.late,
        score=digest.now.score,
        verified=digest.now.verified,
        before=PointOut(rfc3339(digest.before.at), digest.before.score, digest.before.verified) if digest.before else None,
        trend=tuple(PointOut(rfc3339(run.at), run.score, run.verified) for run in digest.trend),
        counts=digest.counts,
        changes=tuple(
            ChangeOut(one.kind, one.id, one.title, one.severity, one.owners, one.was, one.now, one.subjects)
            for one in digest.changes
        ),
        attention=tuple(
            AttentionOut(
                one.id, one.title, one.severity, one.owners, one.workload_owners, one.state, one.since_last, one.subjects, one.said,
                one.remedy, one.usd_per_hour, one.also, one.others, rfc3339(one.since) if one.since is not None else None,
            )
            for one in digest.attention
        ),
        triaged=None
        if digest.triaged is None
        else tuple(
            TriagedOut(rfc3339(one.at), one.title, one.subject, one.ended, one.link) for one in digest.triaged
        ),
        ends=tuple(
            EndsOut(one.mark.item, one.title, one.mark.kind, one.mark.by, rfc3339(one.mark.until), one.over)
            for one in digest.ends
        ),
        blind=tuple(BlindOut(why, ids) for why, ids in digest.blind),
        unseen=digest.unseen,
        spending=SpendingOut(
            money.window, money.usd_per_hour, money.gpus, dict(money.hours), dict(money.usd), money.why, money.unpriced, money.blind
        ),
        text=as_markdown(digest),
    )  # fmt: skip


def as_json(digest: Digest) -> dict[str, Any]:
    """The digest as a JSON object."""
    return asdict(output(digest))
