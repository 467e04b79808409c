"""What was answered, kept for the thread: follow-ups, pictures and App Home look it up. As JSON, for a month."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import sqlalchemy as sa
from pydantic import TypeAdapter, ValidationError

from bot.advisor.question import Answer
from bot.store.database import insert_of
from bot.store.records import Ask
from bot.store.tables import inbox, metadata

KEPT_S = 30 * 86_400.0

answer_table = sa.Table(
    "answer",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of the ask
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("thread_ts", sa.Text, nullable=False),  # '' where the answer starts a thread of its own
    sa.Column("person", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("verdict", sa.Text, nullable=False),
    sa.Column("content", sa.Text, nullable=False),  # Answer as JSON
    sa.Column("made_at", sa.Float, nullable=False, index=True),  # seconds since the epoch
)


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was kept; `made_at` in seconds since the epoch."""

    key: str
    channel: str
    thread_ts: str
    question: str
    verdict: str
    made_at: float
    content: str

    @property
    def answer(self) -> Answer | None:
        """The answer; None where it was kept by a version whose answers were of another form."""
        try:
            return _adapter().validate_json(self.content)
        except ValidationError:
            return None


class Answers:
    """Answers over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self.engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def keep(self, ask: Ask, answer: Answer) -> None:
        """Keep an answer under its ask, in the place of an earlier one of the same ask; what is too old is dropped."""
        now = self._clock()
        row = {
            "key": ask.key, "team": ask.team, "channel": ask.channel, "thread_ts": ask.thread_ts, "person": ask.person,
            "question": ask.text.replace("\0", ""), "verdict": answer.verdict.replace("\0", ""), "made_at": now,
            "content": _adapter().dump_json(answer, by_alias=True).decode().replace("\\u0000", ""),
        }  # fmt: skip
        insert = self._insert(answer_table).values(**row)
        insert = insert.on_conflict_do_update(index_elements=["key"], set_=row)
        with self.engine.begin() as connection:
            connection.execute(sa.delete(answer_table).where(answer_table.c.made_at < now - KEPT_S))
            connection.execute(insert)

    def of(self, key: str) -> Kept | None:
        """The answer to one ask."""
        return self._first(sa.select(answer_table).where(answer_table.c.key == key))

    def last(self, team: str, channel: str, thread_ts: str) -> Kept | None:
        """The last answer of a thread, which an answer may have started."""
        here = answer_table.c
        started = sa.select(inbox.c.key).where(
            inbox.c.team == team, inbox.c.channel == channel, inbox.c.thread_ts == "", inbox.c.answer_ts == thread_ts
        )
        there = sa.and_(here.team == team, here.channel == channel, here.thread_ts == thread_ts)
        query = sa.select(answer_table).where(sa.or_(there, here.key.in_(started)))
        return self._first(query.order_by(here.made_at.desc()))

    def recent(self, team: str, person: str, limit: int = 5) -> list[Kept]:
        """The last answers to one person, newest first."""
        here = answer_table.c
        query = sa.select(answer_table).where(here.team == team, here.person == person)
        with self.engine.connect() as connection:
            rows = connection.execute(query.order_by(here.made_at.desc()).limit(limit)).mappings()
            return [_kept(row) for row in rows]

    def _first(self, query: Any) -> Kept | None:
        with self.engine.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return None if row is None else _kept(row)


def _kept(row: Any) -> Kept:
    return Kept(
        row["key"], row["channel"], row["thread_ts"], row["question"], row["verdict"], row["made_at"], row["content"]
    )


@cache
def _adapter() -> TypeAdapter[Answer]:
    return TypeAdapter(Answer)
