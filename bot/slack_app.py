"""Rackside in Slack: build the Bolt app, and serve it in Socket Mode or over HTTP until told to stop."""

from __future__ import annotations

import logging
import os
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from slack_sdk.errors import SlackClientError
from slack_sdk.http_retry.builtin_handlers import (
    ConnectionErrorRetryHandler,
    RateLimitErrorRetryHandler,
    ServerErrorRetryHandler,
)

from bot.access.guard import Gate, guarded, narrowing
from bot.access.rules import Access
from bot.answering import Answering
from bot.desk import Answerer, Bench, Chore, chores, desks, narrowing_kinds
from bot.listeners import Deps, Work, register
from bot.shared_work import Shared
from bot.slack_clients import Tokens
from bot.slack_files import Attachments
from bot.slack_http import HttpError, HttpServer, SlackEndpoint, routes
from bot.slack_people import SlackPeople
from bot.slack_settings import SettingsError, SlackSettings, missing
from bot.slack_socket import BAD_TOKEN, LONGEST_WAIT, connect, disconnect
from bot.slack_stream import StreamDoor
from bot.slack_thread import WORKING, SlackThread, trouble
from bot.slack_workspaces import NOT_HERE, Workspaces, opened, unqualified
from bot.store.answers import Answers
from bot.store.audit import AuditLog
from bot.store.database import DatabaseError, database_url, open_engine
from bot.store.durable import SWEEP_EVERY, Durable
from bot.store.records import Ask, Store
from bot.store.sealing import KeyProblemError
from bot.store.seat import OccupiedError, Seat
from bot.task_sources import chips

if TYPE_CHECKING:
    import sqlalchemy as sa
    from slack_bolt.oauth import OAuthFlow

    from bot.settings import Settings

__all__ = ["SettingsError", "SlackSettings", "build_app", "missing", "serve"]
log = logging.getLogger("rackside.slack")
Ready = Callable[[int | None], None]


def build_app(settings: SlackSettings, deps: Deps, identity: dict[str, Any]) -> App:
    """A Bolt app with the listeners attached. `identity` is what auth.test said of the one bot token."""
    quiet = logging.getLogger("rackside.bolt")
    # Below warnings, Bolt logs the bodies of requests that it rejects.
    quiet.setLevel(logging.WARNING)
    client = WebClient(base_url=settings.base_url, timeout=30)
    client.retry_handlers = [
        RateLimitErrorRetryHandler(max_retry_count=3),
        ConnectionErrorRetryHandler(max_retry_count=3),
        ServerErrorRetryHandler(max_retry_count=3),
    ]

    authorize: Any = _known(identity, settings.bot_token) if deps.workspaces is None else deps.workspaces.authorizer()
    app = App(
        name="rackside",
        logger=quiet,
        client=client,
        authorize=authorize,
        user_facing_authorize_error_message=NOT_HERE,
        # Checked on every HTTP delivery. Socket Mode needs none, and then no delivery over HTTP is taken at all.
        signing_secret=settings.signing_secret or "",
        listener_executor=ThreadPoolExecutor(max_workers=10, thread_name_prefix="slack-event"),
    )
    register(app, deps)
    return app


def _known(identity: dict[str, Any], token: str | None) -> Callable[[], AuthorizeResult]:
    """Who we are in the one workspace is known since the start: no event has to wait for another auth.test."""
    return lambda: AuthorizeResult(
        enterprise_id=identity.get("enterprise_id"),
        team_id=identity.get("team_id"),
        bot_user_id=identity.get("user_id"),
        bot_id=identity.get("bot_id"),
        bot_token=token,
    )


def serve(
    settings: SlackSettings,
    answer: Answerer,
    *,
    full: Settings | None = None,
    stop: threading.Event | None = None,
    ready: Callable[[int | None], None] | None = None,
) -> int:
    """Serve until SIGTERM or SIGINT (or `stop`), then return 0; 2, and a sentence on stderr, when it cannot start.

    `full` are the settings of everything but Slack; without them, questions alone are answered.
    `answer` is called in worker threads, once per question and again for a question whose process died. What runs
    at the end may finish for `grace` seconds; the rest stays in the database and resumes at the next start.
    `ready` is called once events can arrive, with the HTTP port (None without one).
    """
    stop = stop or threading.Event()
    ready = ready or (lambda _: None)
    if threading.current_thread() is threading.main_thread():
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
    try:
        finished = _run(settings, answer, full, stop, ready)
    except (SettingsError, DatabaseError, OccupiedError, HttpError, KeyProblemError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    if not finished:
        log.warning("some answers were not finished: they resume at the next start")
    if not finished and threading.current_thread() is threading.main_thread():
        # Threads that are still composing would keep the interpreter alive; their work is safe in the database. Served in another
        # thread, the process is somebody else's: ending it would hide how that fared.
        logging.shutdown()
        os._exit(0)
    return 0


def _run(settings: SlackSettings, answer: Answerer, full: Settings | None, stop: threading.Event, ready: Ready) -> bool:
    problem = missing(settings)
    if problem:
        raise SettingsError(problem)
    engine = open_engine(database_url(settings.database_url, settings.home))
    seat = Seat(engine)
    store = Store(engine)
    try:
        several = _several(settings, full, engine)
        tokens: str | Tokens = several.token if several is not None else str(settings.bot_token)
        slack = SlackThread(tokens, settings.base_url, stop, settings.first_wait)
        identity = _identity(slack, stop) if several is None else {}
        if identity is None:
            return True
        # Without settings nobody set a pace either.
        access = full.access if full is not None else Access(person=None, channel=None)
        team = str(identity.get("team_id") or "")
        bench = Bench(narrowing(Shared(answer), access), store, settings.home, team, full)
        gate = Gate(access, SlackPeople(tokens, settings.base_url), narrowing_kinds())
        if several is not None:
            gate.elsewhere = several.people(settings.base_url)
        audit = AuditLog(engine, answers=access.log_answers)
        attachments = Attachments(tokens, settings.base_url, Answers(engine))
        streams = StreamDoor(
            tokens, settings.base_url, store,
            sources=lambda ask, title: chips(full, str(ask.payload.get("cluster") or ""), title),
        )  # fmt: skip
        answering = Answering(store, slack, guarded(desks(bench), gate, audit), streams, attachments)
        durable = Durable(store, seat, answering, settings.workers, stop)
        work = Begin(slack, durable)
        deps = Deps(store, work, str(identity.get("user_id") or ""), bench, gate, settings.queue, several)
        app = build_app(settings, deps, identity)
        durable.launch()
        try:
            _listen(settings, app, bench, work, stop, ready, _install(settings, several))
        finally:
            stop.set()
            finished = durable.close(settings.grace)
        return finished
    finally:
        store.close()
        seat.leave()


def _several(settings: SlackSettings, full: Settings | None, engine: sa.Engine) -> Workspaces | None:
    """The workspaces, None where there is one alone; raises SettingsError for ids that could be of any of them."""
    if not settings.many:
        return None
    unclear = unqualified(full) if full is not None else []
    if unclear:
        raise SettingsError(
            f"with several workspaces, ids in the settings file are written with their workspace, like T0123/C0456: {', '.join(unclear[:10])}"
        )
    return opened(engine, settings.token_key, settings.workspaces)


def _install(settings: SlackSettings, several: Workspaces | None) -> OAuthFlow | None:
    """The pages on which a workspace installs Rackside, where there are several."""
    if several is None:
        return None
    from bot.slack_install import flow
    from bot.slack_manifest import manifest

    scopes = manifest()["oauth_config"]["scopes"]["bot"]
    return flow(
        several, str(settings.client_id), str(settings.client_secret), settings.redirect_url, settings.base_url, scopes
    )


@dataclass(frozen=True, slots=True)
class Begin:
    """An accepted ask is seen at once and queued; the queue decides when it is worked on."""

    slack: SlackThread
    durable: Durable

    def begin(self, ask: Ask) -> None:
        """React within a second, then queue. Should this fail, the sweep finds the ask in the inbox."""
        if ask.is_message:
            self.slack.react(ask, WORKING)
        self.durable.begin(ask)


def _identity(slack: SlackThread, stop: threading.Event) -> dict[str, Any] | None:
    """Who we are. Waits while Slack cannot be reached; None when stopped meanwhile."""
    wait = 1.0
    while not stop.is_set():
        try:
            return slack.identity()
        except (OSError, SlackClientError) as error:
            found = trouble(error)
        if found.reason in BAD_TOKEN:
            raise SettingsError(
                f"Slack does not accept the token in RACKSIDE_SLACK_BOT_TOKEN ({found.reason}): "
                "install the app again and copy its bot token"
            )
        log.warning("Slack does not answer (%s): trying again in %.0f s", found.reason, wait)
        stop.wait(found.retry_after or wait)
        wait = min(LONGEST_WAIT, wait * 2)
    return None


def _listen(
    settings: SlackSettings,
    app: App,
    bench: Bench,
    work: Begin,
    stop: threading.Event,
    ready: Ready,
    install: OAuthFlow | None,
) -> None:
    connected: Callable[[], bool] = lambda: True  # noqa: E731
    leave: list[Callable[[], None]] = []
    port: int | None = None

    def problem() -> str:
        try:
            bench.store.letter("")
        except Exception:
            log.exception("the database does not answer")
            return "the database does not answer"
        return "" if connected() else "not connected to Slack"

    try:
        if settings.port is not None or not settings.socket_mode:
            endpoint = SlackEndpoint(None if settings.socket_mode else app, problem, routes(bench, work), install)
            server = HttpServer(endpoint, settings.host, settings.port or 0)
            leave.append(server.stop)
            server.start()
            port = server.port
        if settings.socket_mode:
            client = connect(settings, app, stop)
            if client is None:
                return
            leave.append(lambda: disconnect(client))
            connected = client.client.listening
        log.info("Rackside is serving in %s, port %s", "Socket Mode" if settings.socket_mode else "HTTP mode", port)
        ready(port)
        regular = chores(bench)
        while not stop.wait(SWEEP_EVERY):
            try:
                work.durable.sweep()
            except Exception:
                log.exception("looking for waiting questions failed: trying again")
            for chore in regular:
                do(chore, bench, work)
    finally:
        for close in reversed(leave):
            close()


def do(chore: Chore, bench: Bench, work: Work) -> None:
    """Accept and begin what a chore finds due. One that fails spoils nothing else."""
    try:
        for ask in chore(bench.clock()):
            if bench.store.accept(ask):
                work.begin(ask)
    except Exception:
        log.exception("a regular task failed (%s): trying again", getattr(chore, "__module__", "?"))
