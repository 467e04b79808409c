"""What people said of answers: one verdict a person and message, the last one counts, with a reason where one was given."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.tables import metadata

Verdict = Literal["good", "bad"]
Reason = Literal["wrong", "missing", "unclear", "late", "other"]
REASONS: dict[Reason, str] = {
    "wrong": "The cause is wrong",
    "missing": "Something is missing",
    "unclear": "I cannot follow it",
    "late": "It took too long",
    "other": "Something else",
}
LONGEST = 3000

feedback_table = sa.Table(
    "feedback",
    metadata,
    sa.Column("team", sa.Text, primary_key=True),
    sa.Column("channel", sa.Text, primary_key=True),
    sa.Column("message", sa.Text, primary_key=True),  # ts of the answer
    sa.Column("person", sa.Text, primary_key=True),
    sa.Column("verdict", sa.Text, nullable=False),  # good, bad
    sa.Column("reason", sa.Text, nullable=False),  # one of REASONS, '' where none was given
    sa.Column("comment", sa.Text, nullable=False),
    sa.Column("said_at", sa.Float, nullable=False),  # seconds since the epoch
)


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one person said of one answer."""

    team: str
    channel: str
    message: str
    person: str
    verdict: Verdict
    reason: str = ""
    comment: str = ""
    said_at: float = 0.0


class FeedbackBox:
    """Feedback over an engine from `open_engine`. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine whose tables are up to date."""
        self._engine = engine
        self._clock = clock
        self._insert = insert_of(engine)

    def keep(self, said: Feedback) -> None:
        """Keep what somebody said; it takes the place of what the same person said of the same answer before."""
        row = {
            "team": said.team, "channel": said.channel, "message": said.message, "person": said.person,
            "verdict": said.verdict, "reason": said.reason, "comment": said.comment.replace("\0", "")[:LONGEST],
            "said_at": self._clock(),
        }  # fmt: skip
        changed = {name: row[name] for name in ("verdict", "reason", "comment", "said_at")}
        insert = self._insert(feedback_table).values(**row)
        insert = insert.on_conflict_do_update(index_elements=["team", "channel", "message", "person"], set_=changed)
        with self._engine.begin() as connection:
            connection.execute(insert)

    def all(self, since: float = 0.0) -> list[Feedback]:
        """What was said since a moment, oldest first."""
        query = sa.select(feedback_table).where(feedback_table.c.said_at >= since).order_by(feedback_table.c.said_at)
        with self._engine.connect() as connection:
            return [Feedback(**row) for row in connection.execute(query).mappings()]
