"""Channels in which Rackside speaks only when it is mentioned, for a while or until told otherwise."""

from __future__ import annotations

import time
from collections.abc import Callable

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.tables import metadata

mute_table = sa.Table(
    "mute",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("until", sa.Float),  # seconds since the epoch; null: until unmuted
    sa.Column("by_whom", sa.Text, nullable=False),
)


class Mutes:
    """Muted channels over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self._engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def mute(self, team: str, channel: str, seconds: float | None, by: str) -> None:
        """Mute a channel for so long, None meaning until unmuted."""
        until = None if seconds is None else self._clock() + seconds
        insert = self._insert(mute_table).values(team=team, channel=channel, until=until, by_whom=by)
        insert = insert.on_conflict_do_update(index_elements=["team", "channel"], set_={"until": until, "by_whom": by})
        with self._engine.begin() as connection:
            connection.execute(insert)

    def unmute(self, team: str, channel: str) -> bool:
        """End it; False where the channel was not muted."""
        here = mute_table.c
        query = sa.delete(mute_table).where(here.team == team, here.channel == channel).returning(here.until)
        with self._engine.begin() as connection:
            row = connection.execute(query).first()
        return row is not None and (row[0] is None or row[0] > self._clock())

    def muted(self, team: str, channel: str) -> bool:
        """May Rackside speak there only when mentioned?"""
        here = mute_table.c
        query = sa.select(here.until).where(here.team == team, here.channel == channel)
        with self._engine.connect() as connection:
            row = connection.execute(query).first()
        return row is not None and (row[0] is None or row[0] > self._clock())
