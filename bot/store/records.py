"""The inbox and the conversations, as functions over one engine. Every write is one short transaction."""

from __future__ import annotations

import json
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from bot.store.database import insert_of
from bot.store.mutes import Mutes
from bot.store.tables import conversation, inbox

_PEOPLE_KEPT = 50
# Stands for those who were in a thread before anyone spoke: what follows there need not be meant for Rackside.
SOMEBODY = "*"
# What an edited question is named by, before its first key.
EDITED = "edit:"
# A message that shows the work may have been posted, or not: after a crash it must be looked for.
UNSURE = "?"


@dataclass(frozen=True, slots=True)
class Ask:
    """What Rackside was asked with: a Slack message, or something with a `name` of its own (an alert, a due digest).

    `thread_ts` is the root of the thread to answer in; '' makes the answer a message of its own in the channel.
    `kind` says which desk composes the answer (bot/desks), `payload` is JSON for that desk alone. With `replaces` in it, the message
    of that ts is updated instead of a new one posted.
    """

    team: str
    channel: str
    ts: str
    thread_ts: str
    person: str
    text: str
    kind: str = "question"
    payload: dict[str, Any] = field(default_factory=dict)
    name: str = ""

    @property
    def key(self) -> str:
        """One per Slack message, whatever events announce it and however often; else the name."""
        return self.name or f"{self.team}:{self.channel}:{self.ts}"

    @property
    def is_message(self) -> bool:
        """Is there a message in Slack to react to? An edited one is the same message with a name of its own."""
        return not self.name or self.name.startswith(EDITED)


@dataclass(frozen=True, slots=True)
class Letter:
    """An ask as it lies in the inbox."""

    ask: Ask
    effect: str
    received_at: float
    state: str
    attempted: bool
    answer_ts: str = ""
    working_ts: str = ""
    stopped_by: str = ""


@dataclass(frozen=True, slots=True)
class Talk:
    """What is known of a thread that Rackside is in."""

    people: tuple[str, ...]
    scope: dict[str, str]


class Store:
    """Rackside's own records. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine, clock: Callable[[], float] = time.time) -> None:
        """Work on an engine from `open_engine`."""
        self.engine = engine
        self.mutes = Mutes(engine, clock)
        self._clock = clock
        self._insert = insert_of(engine)

    def accept(self, ask: Ask) -> bool:
        """Persist an ask and its thread; False when the same message was accepted before."""
        row = {
            "key": ask.key,
            "effect": uuid.uuid4().hex,
            "kind": ask.kind,
            "team": ask.team,
            "channel": ask.channel,
            "ts": ask.ts,
            "thread_ts": ask.thread_ts,
            "person": ask.person,
            # PostgreSQL keeps no NUL in a text.
            "text": ask.text.replace("\0", ""),
            "received_at": self._clock(),
            "state": "waiting",
            "payload": json.dumps(ask.payload).replace("\\u0000", ""),
        }
        with self.engine.begin() as connection:
            # What came back, not a row count: psycopg reports none for such an insert.
            insert = self._insert(inbox).values(**row).on_conflict_do_nothing().returning(inbox.c.key)
            new = connection.execute(insert).first() is not None
            if new and ask.is_message:
                self._join(connection, ask, ask.thread_ts, [ask.person])
        return new

    def decline(self, ask: Ask) -> bool:
        """Note that an ask is not taken on, so that its retries and its twin are not either; False when it was known before."""
        new = self.accept(ask)
        if new:
            self._update(ask.key, state="declined")
        return new

    def withdraw(self, key: str) -> bool:
        """Whoever asked wants no answer any more; False when it is there already."""
        waiting = sa.and_(inbox.c.key == key, inbox.c.state == "waiting")
        with self.engine.begin() as connection:
            gone = connection.execute(sa.update(inbox).where(waiting).values(state="withdrawn").returning(inbox.c.key))
            return gone.first() is not None

    def crowded(self, most: int) -> bool:
        """Do so many people wait for an answer that no further one is taken on?"""
        waiting = sa.select(inbox.c.key).where(inbox.c.state == "waiting", inbox.c.person != "")
        with self.engine.connect() as connection:
            return connection.execute(waiting.offset(max(0, most - 1)).limit(1)).first() is not None

    def letter(self, key: str) -> Letter | None:
        """One ask from the inbox."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(inbox).where(inbox.c.key == key)).mappings().first()
        return None if row is None else _letter(row)

    def waiting(self, limit: int = 1000) -> list[Letter]:
        """What was accepted and is not answered yet, oldest first."""
        query = sa.select(inbox).where(inbox.c.state == "waiting").order_by(inbox.c.received_at).limit(limit)
        with self.engine.connect() as connection:
            return [_letter(row) for row in connection.execute(query).mappings()]

    def attempt(self, key: str) -> None:
        """Note that a message is about to be posted: after a crash, it must be looked for first."""
        self._update(key, attempted_at=self._clock())

    def answered(self, key: str, answer_ts: str) -> None:
        """Note the message that answers. One of its own starts a thread that Rackside listens in."""
        self._update(key, state="answered", answer_ts=answer_ts)
        letter = self.letter(key)
        if letter is not None and not letter.ask.is_message:
            with self.engine.begin() as connection:
                self._join(connection, letter.ask, letter.ask.thread_ts or answer_ts, [SOMEBODY])

    def working(self, key: str, ts: str) -> None:
        """Note the message that shows the work: UNSURE before it is posted, '' when there is none after all."""
        self._update(key, working_ts=ts or None)

    def stop(self, effect: str, person: str) -> bool:
        """Somebody wants no more of the work whose message carries this key; False when it is done, or was stopped before."""
        here = inbox.c
        waiting = sa.and_(here.effect == effect, here.state == "waiting", here.stopped_by.is_(None))
        with self.engine.begin() as connection:
            query = sa.update(inbox).where(waiting).values(stopped_by=person).returning(here.key)
            return connection.execute(query).first() is not None

    def undeliverable(self, key: str) -> None:
        """Note that Slack will never take the answer (channel gone, bot removed)."""
        self._update(key, state="undeliverable")

    def _update(self, key: str, **values: Any) -> None:
        with self.engine.begin() as connection:
            connection.execute(sa.update(inbox).where(inbox.c.key == key).values(**values))

    def talk(self, team: str, channel: str, thread_ts: str) -> Talk | None:
        """The thread, when Rackside is in it."""
        with self.engine.connect() as connection:
            row = connection.execute(_thread(sa.select(conversation), team, channel, thread_ts)).mappings().first()
        return None if row is None else Talk(tuple(json.loads(row["people"])), json.loads(row["scope"]))

    def heard(self, team: str, channel: str, thread_ts: str, person: str) -> None:
        """Somebody spoke in a thread that Rackside is in, not necessarily to it."""
        talk = self.talk(team, channel, thread_ts)
        if talk is None or person in talk.people:
            return
        people = json.dumps([*talk.people, person][:_PEOPLE_KEPT])
        with self.engine.begin() as connection:
            connection.execute(
                _thread(sa.update(conversation), team, channel, thread_ts).values(
                    people=people, updated_at=self._clock()
                )
            )

    def remember_scope(self, ask: Ask, scope: dict[str, str]) -> None:
        """Carry a scope to the next question of the thread that was answered in, or that the answer started."""
        letter = self.letter(ask.key) if not ask.thread_ts else None
        root = ask.thread_ts or (letter.answer_ts if letter else "")
        with self.engine.begin() as connection:
            connection.execute(
                _thread(sa.update(conversation), ask.team, ask.channel, root).values(
                    scope=json.dumps(scope), updated_at=self._clock()
                )
            )

    def _join(self, connection: sa.Connection, ask: Ask, root: str, people: list[str]) -> None:
        row = {
            "team": ask.team,
            "channel": ask.channel,
            "thread_ts": root,
            "people": json.dumps(people),
            "scope": "{}",
            "updated_at": self._clock(),
        }
        connection.execute(self._insert(conversation).values(**row).on_conflict_do_nothing())

    def close(self) -> None:
        """Give the connections back."""
        self.engine.dispose()


def _thread(query: Any, team: str, channel: str, thread_ts: str) -> Any:
    here = conversation.c
    return query.where(here.team == team, here.channel == channel, here.thread_ts == thread_ts)


def _letter(row: Any) -> Letter:
    team, channel, ts = row["team"], row["channel"], row["ts"]
    name = "" if row["key"] == f"{team}:{channel}:{ts}" else row["key"]
    payload = json.loads(row["payload"])
    ask = Ask(team, channel, ts, row["thread_ts"], row["person"], row["text"], row["kind"], payload, name)
    attempted = row["attempted_at"] is not None
    return Letter(
        ask, row["effect"], row["received_at"], row["state"], attempted, row["answer_ts"] or "", row["working_ts"] or "",
        row["stopped_by"] or "",
    )  # fmt: skip
