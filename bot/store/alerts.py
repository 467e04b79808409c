"""Alerts as they are kept: groups with their alerts and episodes, what was found out, storms. Survives any restart."""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass
from typing import Any, TypeVar

import sqlalchemy as sa

from bot.store.alert_tables import alert_event, alert_group, alert_item, alert_storm
from bot.store.audit import access_log
from bot.store.database import insert_of
from bot.store.tables import inbox
from bot.triage.alert import Alert, Notice, State, digest
from bot.triage.merging import after, fresh

# Held by whoever decides what to post: budgets are counted and used under it.
DECIDING = threading.RLock()
_KEPT_S = 90 * 86400.0


@dataclass(frozen=True, slots=True)
class Group:
    """A row of `alert_group` (bot/store/alert_tables.py says what its columns mean)."""

    id: str
    episode: int
    team: str
    channel: str
    source: str
    receiver: str
    url: str
    thread_ts: str
    state: State
    held: str
    held_until: float
    left_out: int
    started_at: float
    ended_at: float
    heard_at: float
    signature: str
    wanted: int
    asked: int
    root: str
    pending: str
    posted_at: float
    told: str
    told_at: float
    storm: str
    diagnosed_at: float
    diagnosed: str
    owed: int
    opened: int

    @property
    def pairs(self) -> set[str]:
        """What was diagnosed in this episode."""
        return set(json.loads(self.diagnosed))


@dataclass(frozen=True, slots=True)
class StormRow:
    """A row of `alert_storm`."""

    id: str
    team: str
    channel: str
    started_at: float
    last_at: float
    ended_at: float
    wanted: int
    asked: int
    asked_at: float
    root: str
    pending: str
    diagnosed_at: float


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a group; `content` is JSON for whoever tells it."""

    at: float
    kind: str
    content: dict[str, Any]


Row = TypeVar("Row", Group, StormRow)


class AlertBook:
    """Everything that is kept of alerts. Safe to use from many threads."""

    def __init__(self, engine: sa.Engine) -> None:
        """Work on an engine from `open_engine`."""
        self.engine = engine
        self._insert = insert_of(engine)

    # Groups.

    def record(self, notice: Notice, team: str, now: float, *, signature: Any, reopen_s: float) -> Group:
        """Keep a notice; the group as it is then, one version on when a (rule, object, state) changed.

        `signature` makes a text of the alerts that is the same while nothing changes. Telling twice, or late, changes nothing.
        """
        key = digest("\n".join((team, notice.channel, notice.source, notice.receiver, notice.group)))
        with DECIDING, self.engine.begin() as connection:
            connection.execute(self._insert(alert_group).values(**_new(key, notice, team)).on_conflict_do_nothing())
            row = _row(connection, key)
            values: dict[str, Any] = {"heard_at": now, "left_out": notice.left_out, "url": notice.url or row.url}
            if row.state == "resolved" and not fresh(self._items(connection, key, row.episode), notice):
                connection.execute(sa.update(alert_group).where(alert_group.c.id == key).values(**values))
                return _row(connection, key)
            if row.state == "resolved":
                values |= self._begun(connection, row, notice, now, reopen_s)
            episode = values.get("episode", row.episode)
            items = {one.fingerprint: one for one in self._items(connection, key, episode)}
            merged = after(items, notice, now)
            self._keep(connection, key, episode, items, merged)
            values["state"] = "firing" if any(one.state == "firing" for one in merged.values()) else "resolved"
            if values["state"] == "resolved":
                values["ended_at"] = max((one.ends_at for one in merged.values()), default=0.0) or now
                self._event(connection, key, episode, values["ended_at"], "resolved", {})
            values["signature"] = signature(merged.values())
            if values["signature"] != values.get("was", row.signature):
                values["wanted"] = row.wanted + 1
            values.pop("was", None)
            connection.execute(sa.update(alert_group).where(alert_group.c.id == key).values(**values))
            return _row(connection, key)

    def _begun(
        self, connection: sa.Connection, row: Group, notice: Notice, now: float, reopen_s: float
    ) -> dict[str, Any]:
        """What changes when a group that was over fires: it is back, or an episode of its own begins."""
        if row.episode and row.root and not row.storm and now - row.ended_at <= reopen_s:
            self._event(connection, row.id, row.episode, now, "reopened", {})
            return {"opened": row.opened + 1, "ended_at": 0.0}
        starts = [min(one.starts_at, now) for one in notice.alerts if one.state == "firing" and one.starts_at]
        return {
            "episode": row.episode + 1, "started_at": min(starts, default=now), "ended_at": 0.0, "root": "", "pending": "",
            "posted_at": 0.0, "told": "", "told_at": 0.0, "storm": "", "diagnosed": "[]", "owed": 0, "opened": 0,
            "thread_ts": notice.thread_ts, "held": "", "held_until": 0.0, "was": "",
        }  # fmt: skip

    def _keep(
        self, connection: sa.Connection, key: str, episode: int, before: dict[str, Alert], merged: dict[str, Alert]
    ) -> None:
        new = [
            {"group_id": key, "episode": episode, "fingerprint": name, "labels": json.dumps(one.labels),
             "annotations": json.dumps(one.annotations), "url": one.url, "state": one.state, "starts_at": one.starts_at,
             "ends_at": one.ends_at}
            for name, one in merged.items()
            if before.get(name) != one
        ]  # fmt: skip
        if new:
            insert = self._insert(alert_item)
            changing = {
                name: insert.excluded[name] for name in new[0] if name not in {"group_id", "episode", "fingerprint"}
            }
            keys = ["group_id", "episode", "fingerprint"]
            connection.execute(insert.on_conflict_do_update(index_elements=keys, set_=changing), new)
        gone = [name for name in before if name not in merged]
        for start in range(0, len(gone), 500):
            here = alert_item.c
            connection.execute(
                sa.delete(alert_item).where(
                    here.group_id == key, here.episode == episode, here.fingerprint.in_(gone[start : start + 500])
                )
            )

    def group(self, key: str) -> Group | None:
        """One group."""
        return self._one(sa.select(alert_group).where(alert_group.c.id == key), Group)

    def in_thread(self, team: str, channel: str, thread_ts: str) -> Group | None:
        """The group that is told in a thread, be it under a message of ours or of another bot; the latest of several."""
        here, ours = alert_group.c, inbox.c
        roots = sa.select(ours.key).where(ours.team == team, ours.channel == channel, ours.answer_ts == thread_ts)
        where = sa.or_(here.root.in_(roots), sa.and_(here.thread_ts == thread_ts, here.thread_ts != ""))
        found = sa.select(alert_group).where(here.team == team, here.channel == channel, where)
        return self._one(found.order_by(here.started_at.desc()), Group)

    def storm_in_thread(self, team: str, channel: str, thread_ts: str) -> StormRow | None:
        """The storm that is told in a thread."""
        here, ours = alert_storm.c, inbox.c
        roots = sa.select(ours.key).where(ours.team == team, ours.channel == channel, ours.answer_ts == thread_ts)
        return self._one(
            sa.select(alert_storm).where(here.team == team, here.channel == channel, here.root.in_(roots)), StormRow
        )

    def said_in(self, team: str, channel: str, thread_ts: str, limit: int = 50) -> list[tuple[float, str, str]]:
        """What people asked in a thread and the beginning of what they got, in order; answers only where the log keeps them."""
        ours, logged = inbox.c, access_log.c
        query = (
            sa.select(ours.received_at, ours.text, logged.answer)
            .join_from(inbox, access_log, ours.key == logged.key, isouter=True)
            .where(ours.team == team, ours.channel == channel, ours.thread_ts == thread_ts, ours.kind == "question")
            .order_by(ours.received_at)
            .limit(limit)
        )
        with self.engine.connect() as connection:
            return [(row[0], row[1], (row[2] or "")[:400]) for row in connection.execute(query)]

    def change(self, key: str, **values: Any) -> None:
        """Set columns of a group."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(alert_group).where(alert_group.c.id == key).values(**values))

    def bump(self, key: str) -> None:
        """A further version of a group should be shown."""
        self.change(key, wanted=alert_group.c.wanted + 1)

    def due(self, now: float, remind_s: float, limit: int = 500) -> list[str]:
        """The groups that something may have to be done for, oldest first."""
        here = alert_group.c
        remind = sa.and_(here.root != "", here.storm == "", here.told_at < now - remind_s)
        firing = sa.and_(here.state == "firing", sa.or_(here.owed == 1, remind))
        query = sa.select(here.id).where(sa.or_(here.wanted > here.asked, firing)).order_by(here.heard_at).limit(limit)
        with self.engine.connect() as connection:
            return list(connection.execute(query).scalars())

    def firing(self, limit: int = 500) -> list[Group]:
        """The groups that fire, those heard of longest ago first."""
        here = alert_group.c
        return self._all(
            sa.select(alert_group).where(here.state == "firing").order_by(here.heard_at).limit(limit), Group
        )

    def posted_since(self, team: str, channel: str, since: float) -> int:
        """How many groups got a thread in a channel."""
        here = alert_group.c
        return self._count(
            sa.select(sa.func.count()).where(here.team == team, here.channel == channel, here.posted_at > since)
        )

    def diagnosed_since(self, since: float) -> int:
        """How many diagnoses were begun."""
        groups = self._count(sa.select(sa.func.count()).where(alert_group.c.diagnosed_at > since))
        return groups + self._count(sa.select(sa.func.count()).where(alert_storm.c.diagnosed_at > since))

    def items(self, key: str, episode: int) -> list[Alert]:
        """The alerts of an episode, those that began first first."""
        with self.engine.connect() as connection:
            return self._items(connection, key, episode)

    def _items(self, connection: sa.Connection, key: str, episode: int) -> list[Alert]:
        here = alert_item.c
        query = (
            sa.select(alert_item)
            .where(here.group_id == key, here.episode == episode)
            .order_by(here.starts_at, here.fingerprint)
        )
        return [_alert(row) for row in connection.execute(query).mappings()]

    # What happened.

    def note(self, event_key: str, group: str, episode: int, at: float, kind: str, content: dict[str, Any]) -> None:
        """Keep what happened; the same key again replaces it."""
        values = {
            "key": event_key,
            "group_id": group,
            "episode": episode,
            "at": at,
            "kind": kind,
            "content": _json(content),
        }
        insert = self._insert(alert_event).values(**values)
        with self.engine.begin() as connection:
            connection.execute(
                insert.on_conflict_do_update(index_elements=["key"], set_={"content": values["content"]})
            )

    def _event(
        self, connection: sa.Connection, group: str, episode: int, at: float, kind: str, content: dict[str, Any]
    ) -> None:
        values = {"key": f"{group}:{episode}:{kind}:{at:.3f}", "group_id": group, "episode": episode, "at": at, "kind": kind,
                  "content": _json(content)}  # fmt: skip
        connection.execute(self._insert(alert_event).values(**values).on_conflict_do_nothing())

    def events(self, group: str, episode: int) -> list[Event]:
        """What happened to an episode, in order."""
        here = alert_event.c
        query = (
            sa.select(alert_event).where(here.group_id == group, here.episode == episode).order_by(here.at, here.key)
        )
        with self.engine.connect() as connection:
            return [
                Event(row["at"], row["kind"], json.loads(row["content"]))
                for row in connection.execute(query).mappings()
            ]

    # Storms.

    def storm(self, key: str) -> StormRow | None:
        """One storm."""
        return self._one(sa.select(alert_storm).where(alert_storm.c.id == key), StormRow)

    def storm_in(self, team: str, channel: str) -> StormRow | None:
        """The storm that goes on in a channel."""
        here = alert_storm.c
        query = (
            sa.select(alert_storm)
            .where(here.team == team, here.channel == channel, here.ended_at == 0.0)
            .order_by(here.started_at.desc())
        )
        return self._one(query, StormRow)

    def storms(self) -> list[StormRow]:
        """The storms that go on, or have something to show."""
        here = alert_storm.c
        return self._all(sa.select(alert_storm).where(sa.or_(here.ended_at == 0.0, here.wanted > here.asked)), StormRow)

    def storm_begins(self, team: str, channel: str, now: float) -> str:
        """A storm in a channel; its id."""
        key = uuid.uuid4().hex[:16]
        row = StormRow(key, team, channel, now, now, 0.0, 0, 0, 0.0, "", "", 0.0)
        with self.engine.begin() as connection:
            connection.execute(sa.insert(alert_storm).values(**{name: getattr(row, name) for name in row.__slots__}))
        return key

    def change_storm(self, key: str, **values: Any) -> None:
        """Set columns of a storm."""
        with self.engine.begin() as connection:
            connection.execute(sa.update(alert_storm).where(alert_storm.c.id == key).values(**values))

    def bump_storm(self, key: str, **values: Any) -> None:
        """A further version of a storm should be shown."""
        self.change_storm(key, wanted=alert_storm.c.wanted + 1, **values)

    def in_storm(self, key: str) -> list[Group]:
        """The groups that a storm tells of."""
        return self._all(
            sa.select(alert_group).where(alert_group.c.storm == key).order_by(alert_group.c.started_at), Group
        )

    def alerts_in_storm(self, key: str) -> list[Alert]:
        """Their alerts."""
        join = sa.and_(alert_item.c.group_id == alert_group.c.id, alert_item.c.episode == alert_group.c.episode)
        query = sa.select(alert_item).join(alert_group, join).where(alert_group.c.storm == key).limit(20_000)
        with self.engine.connect() as connection:
            return [_alert(row) for row in connection.execute(query).mappings()]

    # The rest.

    def forget(self, now: float) -> None:
        """Drop what ended three months ago."""
        before = now - _KEPT_S
        with self.engine.begin() as connection:
            old = sa.select(alert_group.c.id).where(alert_group.c.state == "resolved", alert_group.c.heard_at < before)
            for table in (alert_item, alert_event):
                connection.execute(sa.delete(table).where(table.c.group_id.in_(old)))
            connection.execute(sa.delete(alert_group).where(alert_group.c.id.in_(old)))
            connection.execute(
                sa.delete(alert_storm).where(alert_storm.c.ended_at > 0, alert_storm.c.ended_at < before)
            )

    def _one(self, query: Any, kind: type[Row]) -> Row | None:
        with self.engine.connect() as connection:
            row = connection.execute(query.limit(1)).mappings().first()
        return None if row is None else kind(**row)

    def _all(self, query: Any, kind: type[Row]) -> list[Row]:
        with self.engine.connect() as connection:
            return [kind(**row) for row in connection.execute(query).mappings()]

    def _count(self, query: Any) -> int:
        with self.engine.connect() as connection:
            return int(connection.execute(query).scalar_one())


def _new(key: str, notice: Notice, team: str) -> dict[str, Any]:
    return {
        "id": key, "episode": 0, "team": team, "channel": notice.channel, "source": notice.source, "receiver": notice.receiver,
        "url": notice.url, "thread_ts": notice.thread_ts, "state": "resolved", "held": "", "held_until": 0.0, "left_out": 0,
        "started_at": 0.0, "ended_at": 0.0, "heard_at": 0.0, "signature": "", "wanted": 0, "asked": 0, "root": "", "pending": "",
        "posted_at": 0.0, "told": "", "told_at": 0.0, "storm": "", "diagnosed_at": 0.0, "diagnosed": "[]", "owed": 0, "opened": 0,
    }  # fmt: skip


def _row(connection: sa.Connection, key: str) -> Group:
    query = sa.select(alert_group).where(alert_group.c.id == key).with_for_update()
    return Group(**connection.execute(query).mappings().one())


def _alert(row: Any) -> Alert:
    return Alert(json.loads(row["labels"]), json.loads(row["annotations"]), row["state"], row["starts_at"], row["ends_at"],
                 row["url"], row["fingerprint"])  # fmt: skip


def _json(content: dict[str, Any]) -> str:
    return json.dumps(content).replace("\\u0000", "")
