"""Who asked what, what was read for it, and what was answered or why not: one row per ask, kept for a time."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

import sqlalchemy as sa

from bot.advisor.question import Allowed
from bot.store.database import insert_of
from bot.store.records import Ask
from bot.store.tables import metadata
from tools.redact import redact

Outcome = Literal["answered", "refused", "failed"]
LONGEST = 20_000
READ_MOST = 500

access_log = sa.Table(
    "access_log",
    metadata,
    sa.Column("key", sa.Text, primary_key=True),  # of the ask
    sa.Column("at", sa.Float, nullable=False, index=True),  # seconds since the epoch
    sa.Column("team", sa.Text, nullable=False),
    sa.Column("channel", sa.Text, nullable=False),
    sa.Column("person", sa.Text, nullable=False, index=True),
    sa.Column("kind", sa.Text, nullable=False),
    sa.Column("question", sa.Text, nullable=False),
    sa.Column("outcome", sa.Text, nullable=False),  # answered, refused, failed
    sa.Column("reason", sa.Text, nullable=False),
    sa.Column("scope", sa.Text, nullable=False),  # JSON object: clusters, namespaces
    sa.Column("sources", sa.Text, nullable=False),  # JSON list of [source, query]
    sa.Column("answer", sa.Text, nullable=False),
    sa.Column("model", sa.Text, nullable=False),
    sa.Column("seconds", sa.Float, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What became of an ask. `reason` says why it was refused or failed, or what kinds of answer were given."""

    outcome: Outcome
    reason: str = ""
    allowed: Allowed | None = None
    read: Sequence[tuple[str, str]] = ()
    answer: str = ""
    model: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Logged:
    """A row as it is printed; `at` in seconds since the epoch, `sources` pairs of source and query."""

    key: str
    at: float
    team: str
    channel: str
    person: str
    kind: str
    question: str
    outcome: Outcome
    reason: str
    scope: dict[str, list[str]]
    sources: list[tuple[str, str]]
    answer: str
    model: str
    seconds: float


class AuditLog:
    """Writes and reads the log. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time, *, answers: bool = True) -> None:
        """Work on an engine from `open_engine`; without `answers` the texts of answers are not kept."""
        self._engine, self._clock, self._answers = engine, clock, answers
        self._insert = insert_of(engine)

    def note(self, ask: Ask, entry: Entry) -> None:
        """Keep what became of an ask; an ask that is answered again after a crash keeps its last outcome."""
        scope = {
            name: list(names)
            for name, names in (("clusters", entry.allowed.clusters), ("namespaces", entry.allowed.namespaces))
            if names is not None
        } if entry.allowed else {}  # fmt: skip
        row = {
            "key": ask.key,
            "at": self._clock(),
            "team": ask.team,
            "channel": ask.channel,
            "person": ask.person,
            "kind": ask.kind,
            "question": _kept(ask.text),
            "outcome": entry.outcome,
            "reason": _kept(entry.reason),
            "scope": json.dumps(scope),
            "sources": json.dumps([[source, _kept(query)] for source, query in entry.read[:READ_MOST]]),
            "answer": _kept(entry.answer) if self._answers else "",
            "model": entry.model,
            "seconds": round(entry.seconds, 3),
        }
        insert = self._insert(access_log).values(**row)
        changed = {name: insert.excluded[name] for name in row if name != "key"}
        with self._engine.begin() as connection:
            connection.execute(insert.on_conflict_do_update(index_elements=["key"], set_=changed))

    def entries(
        self,
        *,
        since: float = 0.0,
        team: str = "",
        person: str = "",
        channel: str = "",
        outcome: str = "",
        limit: int = 100,
    ) -> Iterator[Logged]:
        """The newest rows that match, newest first."""
        here = access_log.c
        query = sa.select(access_log).where(here.at >= since).order_by(here.at.desc(), here.key).limit(limit)
        matching = ((here.team, team), (here.person, person), (here.channel, channel), (here.outcome, outcome))
        for column, wanted in matching:
            query = query.where(column == wanted) if wanted else query
        with self._engine.connect() as connection:
            rows = connection.execute(query).mappings().all()
        for row in rows:
            sources = [(source, said) for source, said in json.loads(row["sources"])]
            yield Logged(**{**row, "scope": json.loads(row["scope"]), "sources": sources})

    def forget(self, before: float) -> int:
        """Drop what is older than a moment; how many rows went."""
        with self._engine.begin() as connection:
            return connection.execute(sa.delete(access_log).where(access_log.c.at < before)).rowcount


def _kept(text: str) -> str:
    # PostgreSQL keeps no NUL, and neither database a lone surrogate.
    clean = redact(text[:LONGEST]).replace("\0", "")
    return clean.encode(errors="replace").decode()
