"""Who gets a digest: a channel, a place, a day and a time in a time zone. Snoozed for a while, or muted until unmuted."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.readiness import Place
from bot.store.tables import metadata

subscription_table = sa.Table(
    "subscription",
    metadata,
    sa.Column("id", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("cluster", sa.Text, nullable=False),
    sa.Column("namespace", sa.Text, nullable=False),
    sa.Column("workload", sa.Text, nullable=False),
    sa.Column("weekday", sa.Integer, nullable=False),  # Monday is 0
    sa.Column("minute", sa.Integer, nullable=False),  # of the day
    sa.Column("zone", sa.Text, nullable=False),  # IANA name
    sa.Column("made_at", sa.Float, nullable=False),  # seconds since the epoch
    sa.Column("made_by", sa.Text, nullable=False),
    sa.Column("snoozed_until", sa.Float),
    sa.Column("muted_at", sa.Float),
    sa.Column("team", sa.Text, nullable=False, server_default=""),  # '' for the only workspace there is
    sa.UniqueConstraint("team", "channel", "cluster", "namespace", "workload", name="uq_subscription_channel_place"),
)


@dataclass(frozen=True, slots=True)
class Subscription:
    """One subscription. `weekday` counts from Monday (0), `minute` from midnight in `zone`; times are seconds since the epoch."""

    id: str
    channel: str
    place: Place
    weekday: int
    minute: int
    zone: str
    made_at: float
    made_by: str = ""
    snoozed_until: float | None = None
    muted_at: float | None = None
    team: str = ""


class Subscriptions:
    """Subscriptions, over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self.engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def subscribe(
        self, channel: str, place: Place, weekday: int, minute: int, zone: str, by: str = "", team: str = ""
    ) -> Subscription:
        """Subscribe a channel to a place, or change the time of its subscription (which unmutes it).

        `team` is the channel's workspace, '' where there is only one.
        """
        row = {
            "id": uuid.uuid4().hex[:12], "channel": channel, "cluster": place.cluster, "namespace": place.namespace,
            "workload": place.workload, "weekday": weekday, "minute": minute, "zone": zone, "made_at": self._clock(),
            "made_by": by.replace("\0", ""), "team": team,
        }  # fmt: skip
        changed = {name: row[name] for name in ("weekday", "minute", "zone", "made_at", "made_by")}
        here = ["team", "channel", "cluster", "namespace", "workload"]
        insert = self._insert(subscription_table).values(**row)
        insert = insert.on_conflict_do_update(
            index_elements=here, set_={**changed, "snoozed_until": None, "muted_at": None}
        )
        with self.engine.begin() as connection:
            made = connection.execute(insert.returning(*subscription_table.c)).mappings().one()
        return _subscription(made)

    def unsubscribe(self, name: str) -> bool:
        """End a subscription; False when there is none of this id."""
        query = sa.delete(subscription_table).where(subscription_table.c.id == name)
        return self._changed(query)

    def snooze(self, name: str, until: float) -> bool:
        """Send nothing that falls due before a moment; False when there is none of this id."""
        return self._changed(self._update(name, snoozed_until=until))

    def mute(self, name: str, *, muted: bool = True) -> bool:
        """Send nothing until unmuted, and then nothing of what fell due before; False when there is none of this id."""
        now = self._clock()
        changed: dict[str, float | None] = {"muted_at": now} if muted else {"muted_at": None, "snoozed_until": now}
        return self._changed(self._update(name, **changed))

    def subscription(self, name: str) -> Subscription | None:
        """One subscription."""
        with self.engine.connect() as connection:
            query = sa.select(subscription_table).where(subscription_table.c.id == name)
            row = connection.execute(query).mappings().first()
        return None if row is None else _subscription(row)

    def all(self) -> list[Subscription]:
        """Every subscription, oldest first, muted ones included."""
        query = sa.select(subscription_table).order_by(subscription_table.c.made_at, subscription_table.c.id)
        with self.engine.connect() as connection:
            return [_subscription(row) for row in connection.execute(query).mappings()]

    def _update(self, name: str, **values: Any) -> Any:
        return sa.update(subscription_table).where(subscription_table.c.id == name).values(**values)

    def _changed(self, query: Any) -> bool:
        with self.engine.begin() as connection:
            return connection.execute(query.returning(subscription_table.c.id)).first() is not None


def _subscription(row: Any) -> Subscription:
    place = Place(row["cluster"], row["namespace"], row["workload"])
    return Subscription(
        row["id"], row["channel"], place, row["weekday"], row["minute"], row["zone"], row["made_at"], row["made_by"],
        row["snoozed_until"], row["muted_at"], row["team"],
    )  # fmt: skip
