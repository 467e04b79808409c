"""What people said of checklist items, and what each kept audit found: attestations, waivers and history.

Nothing is ever overwritten: a mark that is withdrawn stays with its author and its date, so that a past result can be explained.
"""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.tables import metadata

MarkKind = Literal["attested", "waived"]
DAY_S = 86_400.0
WEEK_S = 7 * DAY_S
# All runs of five weeks are kept, then one a week, and none after 400 days.
KEEP_ALL_S = 35 * DAY_S
KEEP_S = 400 * DAY_S

mark_table = sa.Table(
    "readiness_mark",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # attested, waived
    sa.Column("item", sa.Text, nullable=False, index=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("namespace", sa.Text, nullable=False),  # empty: every one
    sa.Column("workload", sa.Text, nullable=False),  # empty: every one
    sa.Column("by_whom", sa.Text, nullable=False),
    sa.Column("evidence", sa.Text, nullable=False),  # a link, empty for a waiver
    sa.Column("note", sa.Text, nullable=False),  # a waiver's reason
    sa.Column("made_at", sa.Float, nullable=False),  # seconds since the epoch
    sa.Column("ends_at", sa.Float, nullable=False),
    sa.Column("withdrawn_at", sa.Float),
    sa.Column("withdrawn_by", sa.Text),
)
run_table = sa.Table(
    "audit_run",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("namespace", sa.Text, nullable=False),
    sa.Column("workload", sa.Text, nullable=False),
    sa.Column("at", sa.Float, nullable=False, index=True),
    sa.Column("score", sa.Float),
    sa.Column("verified", sa.Float),
    sa.Column("subjects", sa.Text, nullable=False),  # JSON list: whom the audit saw
    sa.Column("unseen", sa.Text, nullable=False),  # JSON list: sources that did not answer, with the reason
    sa.Column("extra", sa.Text, nullable=False),  # JSON object: what the digest says beside the items
)
item_table = sa.Table(
    "audit_run_item",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("audit_run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("checklist", sa.Text, nullable=False),
    sa.Column("title", sa.Text, nullable=False),
    sa.Column("severity", sa.Text, nullable=False),
    sa.Column("owners", sa.Text, nullable=False),  # JSON list of teams
    sa.Column("state", sa.Text, nullable=False),
    sa.Column("why", sa.Text, nullable=False),
    sa.Column("remedies", sa.Text, nullable=False),  # JSON object: what to do first, by the check that found it
)
cell_table = sa.Table(
    "audit_run_cell",
    metadata,
    sa.Column("run", sa.Text, sa.ForeignKey("audit_run.id", ondelete="CASCADE"), primary_key=True),
    sa.Column("item", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("state", sa.Text, nullable=False),  # fail, unknown, waived, silent
    sa.Column("said", sa.Text, nullable=False),
    sa.Column(
        "found_by", sa.Text, nullable=False
    ),  # the check, empty where none fires; those that are silent, with commas between
)


@dataclass(frozen=True, slots=True)
class Place:
    """What an audit, a mark or a subscription is about; empty fields mean all of them. Printed as `cluster/namespace/workload`."""

    cluster: str = "default"
    namespace: str = ""
    workload: str = ""

    def __str__(self) -> str:
        """Print the place, as far as it is narrowed."""
        if self.workload and not self.namespace:
            return f"{self.cluster}/*/{self.workload}"
        return "/".join(part for part in (self.cluster, self.namespace, self.workload) if part)

    def covers(self, other: Place) -> bool:
        """Whether the other place lies within this one."""
        return (
            self.cluster == other.cluster
            and self.namespace in {"", other.namespace}
            and self.workload in {"", other.workload}
        )


@dataclass(frozen=True, slots=True)
class Mark:
    """What a person said of an item at a place: that it holds (with a link to evidence), or that it need not (with the reason).

    Times are seconds since the epoch; `withdrawn_at` is None while it stands.
    """

    id: str
    kind: MarkKind
    item: str
    place: Place
    by: str
    evidence: str
    note: str
    at: float
    until: float
    withdrawn_at: float | None = None
    withdrawn_by: str = ""

    def stands(self, now: float) -> bool:
        """Whether it was made by then, and neither withdrawn nor over."""
        return self.at <= now < self.until and (self.withdrawn_at is None or now < self.withdrawn_at)

    def over(self, now: float) -> bool:
        """Whether it ended by itself."""
        return self.until <= now and (self.withdrawn_at is None or self.withdrawn_at >= self.until)


@dataclass(frozen=True, slots=True)
class KeptCell:
    """One subject that an item failed on, could not be seen on, is waived for, or on which checks (in `check`) found nothing to look at."""

    subject: str
    state: Literal["fail", "unknown", "waived", "silent"]
    said: str
    check: str = ""


@dataclass(frozen=True, slots=True)
class KeptItem:
    """One item of a kept audit."""

    id: str
    checklist: str
    title: str
    severity: str
    owners: tuple[str, ...]
    state: str
    why: str
    remedies: tuple[tuple[str, str], ...] = ()
    cells: tuple[KeptCell, ...] = ()

    def subjects(self, state: str) -> frozenset[str]:
        """The subjects in a state."""
        return frozenset(cell.subject for cell in self.cells if cell.state == state)

    def remedy(self, check: str) -> str:
        """What to do first about what a check found, empty where nothing is known."""
        return dict(self.remedies).get(check, "")


@dataclass(frozen=True, slots=True)
class Run:
    """A kept audit without its items: when, of what, and how it came out (None where nothing applied)."""

    id: str
    place: Place
    at: float
    score: float | None
    verified: float | None

    @property
    def readiness(self) -> float | None:
        """The score, where it says something of the fleet: with nothing verified, a low one says that nobody could look."""
        return self.score if self.verified else None


@dataclass(frozen=True, slots=True)
class Kept(Run):
    """A kept audit. `subjects` are those that were judged, `unseen` the sources that did not answer."""

    subjects: frozenset[str] = frozenset()
    unseen: tuple[str, ...] = ()
    items: tuple[KeptItem, ...] = ()
    extra: str = "{}"


@dataclass(frozen=True, slots=True)
class Past:
    """An item's state in one kept audit."""

    at: float
    state: str
    why: str


class Readiness:
    """Marks and kept audits, over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self.engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def mark(
        self,
        kind: MarkKind,
        item: str,
        place: Place,
        *,
        by: str,
        until: float,
        evidence: str = "",
        note: str = "",
        name: str = "",
    ) -> Mark:
        """Write a mark down; whoever calls has checked it (bot/audit_marks.py). One of this `name` that is there already stays."""
        made = Mark(
            name or uuid.uuid4().hex[:12], kind, item, place, _clean(by), evidence, _clean(note), self._clock(), until
        )
        row = {
            "id": made.id, "kind": kind, "item": item, "cluster": place.cluster, "namespace": place.namespace,
            "workload": place.workload, "by_whom": made.by, "evidence": _clean(evidence), "note": made.note, "made_at": made.at,
            "ends_at": until,
        }  # fmt: skip
        with self.engine.begin() as connection:
            insert = self._insert(mark_table).values(**row).on_conflict_do_nothing().returning(mark_table.c.id)
            if connection.execute(insert).first() is not None:
                return made
            there = connection.execute(sa.select(mark_table).where(mark_table.c.id == made.id)).mappings().one()
            return _mark(there)

    def withdraw(self, mark: str, by: str) -> bool:
        """Take a mark back; False when there is none of this id or it is withdrawn already."""
        here = mark_table.c
        query = sa.update(mark_table).where(here.id == mark, here.withdrawn_at.is_(None))
        with self.engine.begin() as connection:
            done = connection.execute(
                query.values(withdrawn_at=self._clock(), withdrawn_by=_clean(by)).returning(here.id)
            )
            return done.first() is not None

    def marks(self, cluster: str | None = None, item: str | None = None) -> list[Mark]:
        """Every mark, withdrawn ones included, oldest first."""
        query = sa.select(mark_table).order_by(mark_table.c.made_at, mark_table.c.id)
        if cluster is not None:
            query = query.where(mark_table.c.cluster == cluster)
        if item is not None:
            query = query.where(mark_table.c.item == item)
        with self.engine.connect() as connection:
            return [_mark(row) for row in connection.execute(query).mappings()]

    def keep(self, kept: Kept) -> bool:
        """Keep an audit; False, and nothing changed, when one of this id is kept already."""
        place = kept.place
        row = {
            "id": kept.id, "cluster": place.cluster, "namespace": place.namespace, "workload": place.workload, "at": kept.at,
            "score": kept.score, "verified": kept.verified, "subjects": json.dumps(sorted(kept.subjects)),
            "unseen": json.dumps(kept.unseen), "extra": kept.extra,
        }  # fmt: skip
        items = [
            {
                "run": kept.id, "item": one.id, "checklist": one.checklist, "title": _clean(one.title), "severity": one.severity,
                "owners": json.dumps(one.owners), "state": one.state, "why": _clean(one.why),
                "remedies": _clean(json.dumps(dict(one.remedies))),
            }
            for one in kept.items
        ]  # fmt: skip
        cells = [
            {
                "run": kept.id,
                "item": one.id,
                "subject": cell.subject,
                "state": cell.state,
                "said": _clean(cell.said),
                "found_by": cell.check,
            }
            for one in kept.items
            for cell in one.cells
        ]
        with self.engine.begin() as connection:
            insert = self._insert(run_table).values(**row).on_conflict_do_nothing().returning(run_table.c.id)
            if connection.execute(insert).first() is None:
                return False
            for table, rows in ((item_table, items), (cell_table, cells)):
                if rows:
                    connection.execute(sa.insert(table), rows)
        return True

    def run(self, name: str) -> Kept | None:
        """A kept audit by its id, whole."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(run_table).where(run_table.c.id == name)).mappings().first()
            return None if row is None else self._whole(connection, row)

    def latest(self, place: Place, before: float, prefix: str = "") -> Kept | None:
        """The last kept audit of a place from before a moment, whole; only those whose id begins so."""
        query = _of(sa.select(run_table), place).where(run_table.c.at < before).order_by(run_table.c.at.desc()).limit(1)
        query = query.where(run_table.c.id.startswith(prefix, autoescape=True))
        with self.engine.connect() as connection:
            row = connection.execute(query).mappings().first()
            return None if row is None else self._whole(connection, row)

    def runs(self, place: Place, since: float = 0.0, until: float | None = None, prefix: str = "") -> list[Run]:
        """The kept audits of a place, oldest first: the trend of its score; only those whose id begins so."""
        query = _of(sa.select(run_table), place).where(run_table.c.at >= since).order_by(run_table.c.at)
        query = query.where(run_table.c.id.startswith(prefix, autoescape=True))
        if until is not None:
            query = query.where(run_table.c.at <= until)
        with self.engine.connect() as connection:
            return [Run(*_head(row)) for row in connection.execute(query).mappings()]

    def past(self, place: Place, item: str) -> list[Past]:
        """An item's state in each kept audit of a place, oldest first."""
        query = _of(sa.select(run_table.c.at, item_table.c.state, item_table.c.why), place)
        query = query.join(item_table, item_table.c.run == run_table.c.id).where(item_table.c.item == item)
        with self.engine.connect() as connection:
            return [Past(*row) for row in connection.execute(query.order_by(run_table.c.at))]

    def prune(self, keep_all_s: float = KEEP_ALL_S, keep_s: float = KEEP_S) -> int:
        """Thin what is kept: all of it for a while, then the last run of a place and week, at last nothing; how many went."""
        now = self._clock()
        query = sa.select(run_table).where(run_table.c.at < now - keep_all_s).order_by(run_table.c.at)
        with self.engine.begin() as connection:
            old = [Run(*_head(row)) for row in connection.execute(query).mappings()]
            last = {(run.place, int(run.at // WEEK_S)): run.id for run in old if run.at >= now - keep_s}
            gone = [run.id for run in old if run.id not in set(last.values())]
            for some in _batches(gone):
                for table, column in (
                    (cell_table, cell_table.c.run),
                    (item_table, item_table.c.run),
                    (run_table, run_table.c.id),
                ):
                    connection.execute(sa.delete(table).where(column.in_(some)))
        return len(gone)

    def _whole(self, connection: sa.Connection, row: Any) -> Kept:
        cells: dict[str, list[KeptCell]] = {}
        query = sa.select(cell_table).where(cell_table.c.run == row["id"])
        for cell in connection.execute(query).mappings():
            cells.setdefault(cell["item"], []).append(
                KeptCell(cell["subject"], cell["state"], cell["said"], cell["found_by"])
            )
        found = connection.execute(sa.select(item_table).where(item_table.c.run == row["id"]))
        items = tuple(
            KeptItem(
                one["item"], one["checklist"], one["title"], one["severity"], tuple(json.loads(one["owners"])), one["state"],
                one["why"], tuple(sorted(json.loads(one["remedies"]).items())), tuple(sorted(cells.get(one["item"], ()), key=lambda cell: cell.subject)),
            )
            for one in found.mappings()
        )  # fmt: skip
        # Sorted here: databases have orders of their own, and a digest told again must be the same to the letter.
        items = tuple(sorted(items, key=lambda one: one.id))
        return Kept(
            *_head(row), frozenset(json.loads(row["subjects"])), tuple(json.loads(row["unseen"])), items, row["extra"]
        )


def _of(query: Any, place: Place) -> Any:
    here = run_table.c
    return query.where(
        here.cluster == place.cluster, here.namespace == place.namespace, here.workload == place.workload
    )


def _head(row: Any) -> tuple[str, Place, float, float | None, float | None]:
    place = Place(row["cluster"], row["namespace"], row["workload"])
    return row["id"], place, row["at"], row["score"], row["verified"]


def _mark(row: Any) -> Mark:
    place = Place(row["cluster"], row["namespace"], row["workload"])
    return Mark(
        row["id"], row["kind"], row["item"], place, row["by_whom"], row["evidence"], row["note"], row["made_at"], row["ends_at"],
        row["withdrawn_at"], row["withdrawn_by"] or "",
    )  # fmt: skip


def _clean(text: str) -> str:
    # PostgreSQL keeps no NUL in a text, and no driver a lone surrogate.
    return text.replace("\0", "").encode("utf-8", "replace").decode("utf-8")


def _batches(names: Sequence[str], most: int = 500) -> Iterable[Sequence[str]]:
    return (names[at : at + most] for at in range(0, len(names), most))
