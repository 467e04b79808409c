"""Alerts: a group's message, kept current, with its diagnosis in the thread; and the one message of a storm."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Sequence
from dataclasses import asdict
from urllib.parse import urlsplit

from bot.advisor.question import Answer, Citation, Question
from bot.blocks import Message, plain
from bot.desk import Bench, Composed, Desk, Progress, composed
from bot.settings import Settings
from bot.shown_answer import shown_and_kept
from bot.store.alerts import AlertBook, Group
from bot.store.records import Ask
from bot.triage.alert import Alert
from bot.triage.grouping import told_time
from bot.triage.message import Told, clock, group_message, storm_message
from bot.triage.notes import noted
from bot.triage.runbooks import Pages
from bot.triage.scope import question
from bot.triage.settings import AlertSettings

log = logging.getLogger("rackside.alerts")
# What they ask the bench is narrowed to what their channel may see.
KINDS = NARROWS = ("alert", "alert_storm")


def open_desk(bench: Bench) -> Desk:
    """The desk for both kinds."""
    desk = AlertDesk(bench)

    def compose(ask: Ask, progress: Progress) -> Composed:
        return desk.storm(ask, progress) if ask.kind == "alert_storm" else desk.group(ask, progress)

    return compose


class AlertDesk:
    """Composes what the plan (bot/triage/plan.py) asked for, from what is kept by now."""

    def __init__(self, bench: Bench) -> None:
        """Loads nothing yet."""
        self._bench = bench
        self._book = AlertBook(bench.store.engine)
        self._settings = bench.settings.alerts if bench.settings else AlertSettings()
        self._pages = Pages(bench)

    def group(self, ask: Ask, progress: Progress) -> Composed:
        """A group's message, and below it what the ask is for: a diagnosis, that it is over or back, a reminder."""
        group = self._book.group(str(ask.payload.get("group")))
        if group is None:
            return composed(plain("This alert is not kept any more."), good=False)
        # An ask may outlive its episode: what it was about is told as it was.
        alerts = self._book.items(group.id, int(ask.payload.get("episode", group.episode)))
        more: list[Message] = []
        scope: dict[str, str] | None = None
        if ask.payload.get("diagnose"):
            found, why = self._diagnose([one for one in alerts if one.state == "firing"] or alerts, progress)
            if found is not None:
                more.append(shown_and_kept(self._bench, ask, found))
                scope = {name: value for name, value in asdict(found.scope).items() if value}
                self._note(ask.key, group, found)
            else:
                more.append(plain(why))
        more = [*self._turned(ask, group), *more]
        told = Told(self._last(group), *self._runbook(alerts), hosts=hosts(self._bench.settings))
        return composed(group_message(group, alerts, told, self._bench.clock()), scope=scope, more=more)

    def storm(self, ask: Ask, progress: Progress) -> Composed:
        """A storm's message as it stands."""
        storm = self._book.storm(str(ask.payload.get("storm")))
        if storm is None:
            return composed(plain("These alerts are not kept any more."), good=False)
        more: list[Message] = []
        alerts = self._book.alerts_in_storm(storm.id)
        if ask.payload.get("diagnose"):
            found, why = self._diagnose([one for one in alerts if one.state == "firing"] or alerts, progress)
            if found is not None:
                more.append(shown_and_kept(self._bench, ask, found))
                self._book.note(
                    f"{ask.key}:diagnosis",
                    storm.id,
                    0,
                    self._bench.clock(),
                    "diagnosis",
                    noted(found, self._bench.clock()),
                )
            else:
                more.append(plain(why))
        groups = self._book.in_storm(storm.id)
        events = [one.content for one in self._book.events(storm.id, 0) if one.kind == "diagnosis"]
        return composed(storm_message(storm, groups, alerts, events[-1] if events else None), more=more)

    def _diagnose(self, alerts: Sequence[Alert], progress: Progress) -> tuple[Answer | None, str]:
        clusters = self._bench.settings.clusters if self._bench.settings else {}
        asked = question(alerts, self._settings.clusters, clusters)
        if asked.question is None:
            return None, asked.why_not
        try:
            return self._answer(asked.question, progress), ""
        except Exception:
            # The alert itself must be told whatever happens to its diagnosis.
            error_id = uuid.uuid4().hex[:8]
            log.exception("error %s while diagnosing an alert", error_id)
            return None, f"I could not diagnose this: something failed on my side (error `{error_id}` in my log)."

    def _answer(self, asked: Question, progress: Progress) -> Answer:
        return self._bench.answer(asked, progress)

    def _note(self, key: str, group: Group, found: Answer) -> None:
        now = self._bench.clock()
        self._book.note(f"{key}:diagnosis", group.id, group.episode, now, "diagnosis", noted(found, now))

    def _last(self, group: Group) -> dict[str, object] | None:
        found = [one.content for one in self._book.events(group.id, group.episode) if one.kind == "diagnosis"]
        return found[-1] if found else None

    def _turned(self, ask: Ask, group: Group) -> list[Message]:
        turned = ask.payload.get("turned")
        if turned == "resolved":
            return [plain(f":white_check_mark: Resolved after {told_time(group.ended_at - group.started_at)}.")]
        if turned == "firing":
            return [
                plain(f":rotating_light: It fires again (time {group.opened + 1} since {clock(group.started_at)}).")
            ]
        if ask.payload.get("remind"):
            return [
                plain(f":alarm_clock: Still firing, for {told_time(self._bench.clock() - group.started_at)} by now.")
            ]
        return []

    def _runbook(self, alerts: Sequence[Alert]) -> tuple[Citation | None, str]:
        """The page that a runbook's address means, with its opening; else the address itself."""
        urls = list(dict.fromkeys(one.runbook for one in alerts if one.runbook))[:5]
        if not urls:
            return None, ""
        for url in urls:
            page = self._pages.runbook(url)
            if page is not None:
                return page, url
        return None, urls[0]


def hosts(settings: Settings | None) -> frozenset[str]:
    """The hosts of the settings: addresses there may be linked."""
    if settings is None:
        return frozenset()
    urls = [settings.alerts.alertmanager_url, settings.prometheus_url or "", settings.pages_url]
    urls += [one.prometheus_url or "" for one in settings.clusters.values()]
    found = set()
    for url in urls:
        try:
            found.add(urlsplit(url).hostname or "")
        except ValueError:
            continue
    return frozenset(found - {""})
