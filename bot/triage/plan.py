"""From what is known of alerts to what is posted: one thread a group, one summary a storm, each change once.

Budgets are counted in the database, so that a restart does not refill them. Everything here may be interrupted at any point:
an ask has a name that says what it is for, and is made again under the same name.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Iterator
from typing import Any

from bot.store.alerts import DECIDING, AlertBook, Group, StormRow
from bot.store.records import Ask, Store
from bot.triage.alert import Notice
from bot.triage.grouping import pairs, signature, title
from bot.triage.quiet import Held, Silences, held
from bot.triage.settings import AlertSettings

log = logging.getLogger("rackside.alerts")
MINUTE = 60.0
STORM_EVERY = 30.0
_LOOK_AGAIN = 60.0


class Triage:
    """Decides what to post. The asks that it yields are to be accepted and begun, in order, one before the next is asked for."""

    def __init__(
        self, store: Store, settings: AlertSettings, team: str, clock: Callable[[], float] = time.time
    ) -> None:
        """Over the store's database."""
        self._store, self.settings, self._team, self._clock = store, settings, team, clock
        self.book = AlertBook(store.engine)
        self._silences = Silences(settings.alertmanager_url)
        self._looked_at = 0.0
        self._forgot_at = 0.0

    def take(self, notice: Notice) -> Iterator[Ask]:
        """Keep a notice and yield what is to be done now; the notice's `channel` says where."""
        known = self._silences.active()
        with DECIDING:
            now = self._clock()
            settings = self.settings
            group = self.book.record(
                notice, self._team or notice.team, now, signature=signature, reopen_s=settings.reopen_minutes * 60
            )
            if group.state == "firing":
                self._hold(group, now, known)
            yield from self.advance(group.id, now)
            if group.storm:
                yield from self.advance_storm(group.storm, now)

    def due(self) -> Iterator[Ask]:
        """What is due with the time: updates that waited, diagnoses that are owed, reminders, the end of holds and storms."""
        now = self._clock()
        if now - self._looked_at >= _LOOK_AGAIN:
            self._looked_at = now
            self._look_again(now)
        for key in self.book.due(now, self.settings.remind_hours * 3600):
            with DECIDING:
                yield from self.advance(key, now)
        for storm in self.book.storms():
            with DECIDING:
                yield from self.advance_storm(storm.id, now)
        if now - self._forgot_at > 3600:
            self._forgot_at = now
            self.book.forget(now)

    def _look_again(self, now: float) -> None:
        """Do the groups that fire still wait for the end of a maintenance or silence, or must they from now on?"""
        known = self._silences.active()
        for group in self.book.firing():
            if group.held or known or self.settings.maintenance:
                self._hold(group, now, known)

    def _hold(self, group: Group, now: float, known: Any) -> None:
        found = held(self.book.items(group.id, group.episode), self.settings, known, now)
        if found is None and self._store.mutes.muted(group.team, group.channel):
            found = Held("the channel is muted", 0.0)
        why, until = (found.why, found.until) if found else ("", 0.0)
        if why != group.held:
            self.book.change(group.id, held=why, held_until=until)
            if why:
                self.book.note(
                    f"{group.id}:{group.episode}:held:{now:.0f}",
                    group.id,
                    group.episode,
                    now,
                    "held",
                    {"why": why, "until": until},
                )
            self.book.bump(group.id)

    # One group.

    def advance(self, key: str, now: float) -> Iterator[Ask]:
        """The next ask of a group, if there is one."""
        group = self.book.group(key)
        if group is None:
            return
        if group.storm:
            if group.wanted > group.asked:
                self.book.bump_storm(group.storm)
                self.book.change(key, asked=group.wanted, told=group.state)
        elif not group.root:
            if group.wanted > group.asked:
                yield from self._open(group, now)
        else:
            yield from self._update(group, now)

    def _open(self, group: Group, now: float) -> Iterator[Ask]:
        """The first message, or a place in a storm; nothing for what waits, or was over before it was told."""
        if group.held or group.state == "resolved":
            self.book.change(group.id, asked=group.wanted)
            return
        limits = self.settings.storm
        storm = self.book.storm_in(group.team, group.channel)
        if (
            storm is None
            and self.book.posted_since(group.team, group.channel, now - MINUTE) < limits.threads_per_minute
        ):
            diagnose = self._diagnosis(group, now)
            ask = self._ask(group, f"alert:{group.id}:{group.episode}", {"diagnose": bool(diagnose)})
            yield ask
            self.book.change(
                group.id,
                root=ask.name,
                pending=ask.name,
                asked=group.wanted,
                posted_at=now,
                told=group.state,
                told_at=now,
                **diagnose,
            )
            return
        key = storm.id if storm else self.book.storm_begins(group.team, group.channel, now)
        self.book.change(group.id, storm=key, asked=group.wanted, told=group.state)
        self.book.bump_storm(key, last_at=now)
        yield from self.advance_storm(key, now)

    def _update(self, group: Group, now: float) -> Iterator[Ask]:
        pending, root = self._store.letter(group.pending), self._store.letter(group.root)
        if pending is not None and pending.state == "waiting":
            # One at a time: what changes meanwhile is told by the next.
            return
        if root is None or root.state == "undeliverable" or not root.answer_ts:
            self.book.change(group.id, asked=group.wanted, owed=0, told_at=now)
            return
        diagnose = self._diagnosis(group, now)
        remind = group.state == "firing" and not group.held and now - group.told_at >= self.settings.remind_hours * 3600
        if group.wanted == group.asked and not remind and not diagnose:
            return
        payload: dict[str, Any] = {"replaces": root.answer_ts, "diagnose": bool(diagnose)}
        values: dict[str, Any] = {**diagnose}
        if group.told != group.state:
            payload["turned"] = group.state
        elif remind:
            payload["remind"] = True
        if group.told != group.state or remind:
            values |= {"told": group.state, "told_at": now}
        if group.wanted == group.asked:
            self.book.bump(group.id)
            group = self.book.group(group.id) or group
        ask = self._ask(group, f"alert:{group.id}:{group.episode}:{group.wanted}", payload)
        yield ask
        self.book.change(group.id, pending=ask.name, asked=group.wanted, **values)

    def _diagnosis(self, group: Group, now: float) -> dict[str, Any]:
        """What to note of a diagnosis that is made now; empty when nothing new fires, or others take their turn first."""
        if not self.settings.diagnose or group.held or group.state == "resolved":
            return {}
        new = pairs(self.book.items(group.id, group.episode)) - group.pairs
        if not new:
            if group.owed:
                self.book.change(group.id, owed=0)
            return {}
        if self.book.diagnosed_since(now - MINUTE) >= self.settings.storm.diagnoses_per_minute:
            self.book.change(group.id, owed=1)
            return {}
        return {"diagnosed": _json(group.pairs | new), "diagnosed_at": now, "owed": 0}

    def _ask(self, group: Group, name: str, payload: dict[str, Any]) -> Ask:
        text = title(self.book.items(group.id, group.episode))[:500]
        content = {"group": group.id, "episode": group.episode, **payload}
        return Ask(group.team, group.channel, "", group.thread_ts, "", text, "alert", content, name)

    # A storm.

    def advance_storm(self, key: str, now: float) -> Iterator[Ask]:
        """The next ask of a storm, if there is one: its message at once, changes twice a minute, its end."""
        storm = self.book.storm(key)
        if storm is None:
            return
        if not storm.ended_at and now - storm.last_at > self.settings.storm.quiet_minutes * 60:
            self.book.bump_storm(key, ended_at=now)
            storm = self.book.storm(key) or storm
        if storm.wanted == storm.asked or (storm.root and now - storm.asked_at < STORM_EVERY):
            return
        yield from self._tell_storm(storm, now)

    def _tell_storm(self, storm: StormRow, now: float) -> Iterator[Ask]:
        name, payload = f"storm:{storm.id}", {"storm": storm.id}
        values: dict[str, Any] = {"asked": storm.wanted, "asked_at": now}
        if storm.root:
            pending, root = self._store.letter(storm.pending), self._store.letter(storm.root)
            if pending is not None and pending.state == "waiting":
                return
            if root is None or not root.answer_ts:
                self.book.change_storm(storm.id, **values)
                return
            name += f":{storm.wanted}"
            payload["replaces"] = root.answer_ts
            # Once it has taken shape, what is behind it is looked for, one time.
            if not storm.diagnosed_at and not storm.ended_at and self.settings.diagnose:
                payload["diagnose"] = "yes"
                values["diagnosed_at"] = now
        yield Ask(storm.team, storm.channel, "", "", "", "many alerts at once", "alert_storm", payload, name)
        self.book.change_storm(storm.id, root=storm.root or name, pending=name, **values)


def _json(found: set[str]) -> str:
    return json.dumps(sorted(found)[:1000])
