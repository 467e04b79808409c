"""App Home and the agent's prompts, from what is wrong now: shown at once with what is known, then again with what was looked up."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import Any

from slack_bolt import Ack, App
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError

from bot.access.decide import Refused
from bot.access.visit import visiting
from bot.advisor.question import Allowed, Answer, Question
from bot.home import REFRESH, Home, Readiness, prompts, view
from bot.listeners import Deps
from bot.listeners.clicked import clicked
from bot.seen import Seen
from bot.store.answers import Answers
from bot.store.readiness import Place
from bot.store.readiness import Readiness as Audits
from bot.store.records import Ask
from bot.store.subscriptions import Subscriptions

log = logging.getLogger("rackside.slack")

EVENTS: dict[str, str] = {"app_home_opened": ""}
METHODS: dict[str, str] = {"views_publish": "", "assistant_threads_setSuggestedPrompts": "assistant:write"}
# For so long, everyone who opens their home is shown the same sweep.
FRESH_S = 60.0
_SEEN_S = 600.0


@dataclass
class Known:
    """The last sweep of each scope, and the last look at the sources; one of each is made at a time."""

    clock: Callable[[], float] = time.time
    sweeps: dict[Allowed, tuple[float, Answer]] = field(default_factory=dict)
    seen: tuple[float, tuple[Seen, ...]] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

    def sweep(self, deps: Deps, allowed: Allowed, *, anew: bool) -> tuple[float, Answer]:
        """What is wrong now, in a scope."""
        assert deps.bench is not None
        with self.lock:
            known = self.sweeps.get(allowed)
            if known is None or anew or self.clock() - known[0] > FRESH_S:
                with visiting(allowed):
                    known = (self.clock(), deps.bench.answer(Question(None), lambda _title: None))
                self.sweeps[allowed] = known
            return known

    def sources(self, deps: Deps) -> tuple[Seen, ...]:
        """How Rackside can see."""
        settings = deps.bench.settings if deps.bench is not None else None
        if settings is None:
            return ()
        with self.lock:
            if self.seen is None or self.clock() - self.seen[0] > _SEEN_S:
                from bot.doctor import examine

                self.seen = (self.clock(), tuple(examine(settings)))
            return self.seen[1]


def attach(app: App, deps: Deps) -> None:
    """Listen."""
    known = Known()
    # Commands have to be acknowledged within seconds by the threads that Bolt has: a sweep may not hold them.
    pool = ThreadPoolExecutor(2, thread_name_prefix="home")
    pending: set[tuple[str, str]] = set()

    def later(what: Callable[..., None], person: str, *args: Any, **more: Any) -> None:
        """Do it once for a person, however often it is asked for meanwhile."""
        place = (what.__name__, f"{args[1] if len(args) > 1 else ''}/{person}")
        if place in pending:
            return
        pending.add(place)

        def do() -> None:
            try:
                what(deps, known, *args, **more)
            except Exception:
                log.exception("a home could not be made")
            finally:
                pending.discard(place)

        pool.submit(do)

    def opened(event: dict[str, Any], body: dict[str, Any], client: WebClient) -> None:
        person, team = str(event.get("user") or ""), str(body.get("team_id") or "")
        if deps.bench is None or not person:
            return
        if event.get("tab") == "messages":
            later(prompt, person, client, team, person, str(event.get("channel") or ""))
        else:
            later(publish, person, client, team, person)

    def refresh(ack: Ack, body: dict[str, Any], client: WebClient) -> None:
        ack()
        click = clicked(body)
        if deps.bench is not None and click.person:
            later(publish, click.person, client, click.team, click.person, anew=True)

    app.event("app_home_opened")(opened)
    app.action(REFRESH)(refresh)


def publish(deps: Deps, known: Known, client: WebClient, team: str, person: str, *, anew: bool = False) -> None:
    """Show the home: at once with what is known, then with what is looked up."""
    allowed = _allowed(deps, team, person)
    if isinstance(allowed, Refused):
        _show(client, person, Home(None, 0.0, refused=allowed.sentence))
        return
    home = _kept(deps, team, person, allowed)
    before = known.sweeps.get(allowed)
    _show(client, person, replace(home, now=before[1], at=before[0]) if before else home)
    at, answer = known.sweep(deps, allowed, anew=anew)
    _show(client, person, replace(home, now=answer, at=at, seen=known.sources(deps)))


def prompt(deps: Deps, known: Known, client: WebClient, team: str, person: str, channel: str) -> None:
    """Suggest what to ask first in a conversation with us."""
    allowed = _allowed(deps, team, person)
    if isinstance(allowed, Refused) or not channel:
        return
    _, answer = known.sweep(deps, allowed, anew=False)
    try:
        client.assistant_threads_setSuggestedPrompts(channel_id=channel, prompts=prompts(answer))
    except (SlackClientError, OSError) as error:
        log.info("no prompts were suggested (%s)", error)


def _allowed(deps: Deps, team: str, person: str) -> Allowed | Refused:
    """What somebody may see in a conversation with nobody else."""
    if deps.gate is None:
        return Allowed()
    return deps.gate.enter(Ask(team, f"D{person}", "", "", person, "home", "sweep", name="home"))


def _kept(deps: Deps, team: str, person: str, allowed: Allowed) -> Home:
    """What needs no look at the fleet."""
    assert deps.bench is not None
    engine, settings = deps.store.engine, deps.bench.settings
    readiness = None
    if allowed.everything:
        last = Audits(engine).latest(Place(), deps.bench.clock())
        readiness = Readiness(last.score, last.verified, last.at) if last is not None else None
    mine = [one for one in Subscriptions(engine).all() if one.made_by == person and one.team in {"", team}]
    told: list[tuple[str, str]] = []
    written = person if deps.workspaces is None else f"{team}/{person}"
    if settings is not None and written in settings.slack_admins:
        told = [
            ("Clusters", ", ".join(sorted(settings.clusters)) or "the default one"),
            ("Language model", settings.model or "none: answers are worded from rules"),
            ("Grafana", settings.grafana_url),
            ("Repository for wrong answers", settings.repository_url),
            ("Channels and people are limited", "yes" if settings.access.limited else "no"),
        ]
    return Home(None, 0.0, readiness, mine, Answers(engine).recent(team, person), None, told)


def _show(client: WebClient, person: str, home: Home) -> None:
    try:
        client.views_publish(user_id=person, view=view(home))
    except (SlackClientError, OSError) as error:
        log.warning("a home could not be shown (%s)", error)
