"""Watchdogs: who is told of idle GPUs and of what expires, and what each was told of already."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.readiness import Place
from bot.store.tables import metadata

WatchKind = Literal["idle", "expiry"]

watch_table = sa.Table(
    "watch",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("kind", sa.Text, nullable=False),  # idle, expiry
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("namespace", sa.Text, nullable=False),
    sa.Column("workload", sa.Text, nullable=False),
    sa.Column("grace", sa.Text, nullable=False),  # idle: for how long; empty for expiry
    sa.Column("least", sa.Float, nullable=False),  # idle: the share of that time; expiry: days ahead
    sa.Column("allowed", sa.Text, nullable=False),  # JSON list of patterns that are left alone
    sa.Column("made_at", sa.Float, nullable=False),  # seconds since the epoch
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("muted_at", sa.Float),
    sa.Column("team", sa.Text, nullable=False, server_default=""),  # '' for the only workspace there is
    sa.UniqueConstraint("kind", "team", "channel", "cluster", "namespace", "workload", name="uq_watch_channel_place"),
)
said_table = sa.Table(
    "watch_said",
    metadata,
    sa.Column("watch", sa.Text, primary_key=True),
    sa.Column("subject", sa.Text, primary_key=True),
    sa.Column("said_at", sa.Float, nullable=False),
    sa.Column("snoozed_until", sa.Float),
)


@dataclass(frozen=True, slots=True)
class Watch:
    """One watchdog. Of an idle one, `grace` is how long (`4h`) and `least` in which share of it; of expiry, `least` are days ahead."""

    id: str
    kind: WatchKind
    channel: str
    place: Place
    grace: str
    least: float
    allowed: tuple[str, ...] = ()
    made_at: float = 0.0
    made_by: str = ""
    muted_at: float | None = None
    team: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """When a watchdog last told of a subject, and until when it is to be silent on it."""

    said_at: float
    snoozed_until: float | None = None


class Watches:
    """Watchdogs, over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self.engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def watch(
        self,
        kind: WatchKind,
        channel: str,
        place: Place,
        grace: str,
        least: float,
        allowed: Sequence[str],
        by: str = "",
        team: str = "",
    ) -> Watch:
        """Set a watchdog, or change the one of this kind, channel and place (which unmutes it).

        `team` is the channel's workspace, '' where there is only one.
        """
        row = {
            "id": uuid.uuid4().hex[:12], "kind": kind, "channel": channel, "cluster": place.cluster, "namespace": place.namespace,
            "workload": place.workload, "grace": grace, "least": least, "allowed": json.dumps(list(allowed)).replace("\\u0000", ""),
            "made_at": self._clock(), "made_by": by.replace("\0", ""), "team": team,
        }  # fmt: skip
        changed = {name: row[name] for name in ("grace", "least", "allowed", "made_at", "made_by")}
        here = ["kind", "team", "channel", "cluster", "namespace", "workload"]
        insert = self._insert(watch_table).values(**row)
        insert = insert.on_conflict_do_update(index_elements=here, set_={**changed, "muted_at": None})
        with self.engine.begin() as connection:
            return _watch(connection.execute(insert.returning(*watch_table.c)).mappings().one())

    def stop(self, name: str) -> bool:
        """End a watchdog; False when there is none of this id."""
        with self.engine.begin() as connection:
            connection.execute(sa.delete(said_table).where(said_table.c.watch == name))
            query = sa.delete(watch_table).where(watch_table.c.id == name).returning(watch_table.c.id)
            return connection.execute(query).first() is not None

    def mute(self, name: str, *, muted: bool = True) -> bool:
        """Silence a watchdog, or let it speak again; False when there is none of this id."""
        values = {"muted_at": self._clock() if muted else None}
        query = sa.update(watch_table).where(watch_table.c.id == name).values(**values).returning(watch_table.c.id)
        with self.engine.begin() as connection:
            return connection.execute(query).first() is not None

    def all(self) -> list[Watch]:
        """Every watchdog, oldest first, muted ones included."""
        query = sa.select(watch_table).order_by(watch_table.c.made_at, watch_table.c.id)
        with self.engine.connect() as connection:
            return [_watch(row) for row in connection.execute(query).mappings()]

    def said(self, name: str) -> dict[str, Said]:
        """What a watchdog has told of, by subject."""
        query = sa.select(said_table).where(said_table.c.watch == name)
        with self.engine.connect() as connection:
            rows = connection.execute(query).mappings()
            return {row["subject"]: Said(row["said_at"], row["snoozed_until"]) for row in rows}

    def say(self, name: str, subjects: Iterable[str], at: float, snoozed_until: float | None = None) -> None:
        """Note what a watchdog told of at a moment; a second time changes nothing but the moment and the silence."""
        values: dict[str, Any] = {"said_at": at}
        if snoozed_until is not None:
            values["snoozed_until"] = snoozed_until
        with self.engine.begin() as connection:
            for subject in subjects:
                insert = self._insert(said_table).values(watch=name, subject=subject, **values)
                connection.execute(insert.on_conflict_do_update(index_elements=["watch", "subject"], set_=values))


def _watch(row: Any) -> Watch:
    place = Place(row["cluster"], row["namespace"], row["workload"])
    return Watch(
        row["id"], row["kind"], row["channel"], place, row["grace"], row["least"], tuple(json.loads(row["allowed"])), row["made_at"],
        row["made_by"], row["muted_at"], row["team"],
    )  # fmt: skip
