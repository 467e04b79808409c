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
from pathlib import Path
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
from bot.slack_files import Attachments
from bot.slack_http import HttpError, HttpServer, SlackEndpoint, routes
from bot.slack_people import SlackPeople
from bot.slack_stream import StreamDoor
from bot.slack_thread import WORKING, SlackThread, trouble
from bot.store.answers import Answers
from bot.store.audit import AuditLog
from bot.store.database import DatabaseError, database_url, open_engine
from bot.store.durable import SWEEP_EVERY, Durable
from bot.store.records import Ask, Store
from bot.store.seat import OccupiedError, Seat
from bot.task_sources import chips

if TYPE_CHECKING:
    from bot.settings import Settings

log = logging.getLogger("rackside.slack")
_BAD_TOKEN = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
}
_LONGEST_WAIT = 30.0
Ready = Callable[[int | None], None]


class SettingsError(Exception):
    """`serve` cannot start; the message is one sentence for the person who runs it."""


@dataclass(frozen=True, slots=True)
class SlackSettings:
    """What `serve` needs. With an app token it uses Socket Mode, else HTTP with the signing secret.

    `port` serves /healthz in both modes and /slack/events in HTTP mode; None opens no port (Socket Mode only).
    `grace` is how long running answers may finish on a stop signal, `first_wait` the first pause before an answer
    is delivered again; both in seconds.
    """

    bot_token: str | None
    app_token: str | None
    signing_secret: str | None
    home: Path
    api_url: str = "https://slack.com/api/"
    database_url: str | None = None
    host: str = "0.0.0.0"  # noqa: S104 - Slack, or a probe of the cluster, calls in from outside
    port: int | None = 3000
    workers: int = 4
    grace: float = 20.0
    first_wait: float = 1.0

    @property
    def socket_mode(self) -> bool:
        """Socket Mode needs no address that Slack can reach: it wins when both are set."""
        return bool(self.app_token)

    @property
    def base_url(self) -> str:
        """The Web API's address as slack_sdk wants it."""
        return self.api_url.rstrip("/") + "/"


def missing(settings: SlackSettings) -> str:
    """One sentence that names everything that is missing or mistaken; '' when `serve` can start."""
    problems = []
    if not settings.bot_token:
        problems.append("RACKSIDE_SLACK_BOT_TOKEN (xoxb-...)")
    elif not settings.bot_token.startswith("xoxb-"):
        problems.append("RACKSIDE_SLACK_BOT_TOKEN with a bot token (it starts with xoxb-)")
    if settings.app_token and not settings.app_token.startswith("xapp-"):
        problems.append("RACKSIDE_SLACK_APP_TOKEN with an app-level token (it starts with xapp-)")
    if not settings.app_token and not settings.signing_secret:
        problems.append(
            "RACKSIDE_SLACK_APP_TOKEN (xapp-..., for Socket Mode) or RACKSIDE_SLACK_SIGNING_SECRET (for HTTP)"
        )
    if not problems:
        return ""
    return f"serve needs {' and '.join(problems)}: see deploy/slack-manifest.yaml for how to get them"


def build_app(settings: SlackSettings, deps: Deps, identity: dict[str, Any]) -> App:
    """A Bolt app with the listeners attached. `identity` is what auth.test said of the bot token."""
    quiet = logging.getLogger("rackside.bolt")
    # Below warnings, Bolt logs the bodies of requests that it rejects.
    quiet.setLevel(logging.WARNING)
    client = WebClient(base_url=settings.base_url, timeout=30)
    client.retry_handlers = [
        RateLimitErrorRetryHandler(max_retry_count=3),
        ConnectionErrorRetryHandler(max_retry_count=3),
        ServerErrorRetryHandler(max_retry_count=3),
    ]

    def authorize() -> AuthorizeResult:
        # Known since the start: no event has to wait for another auth.test.
        return AuthorizeResult(
            enterprise_id=identity.get("enterprise_id"),
            team_id=identity.get("team_id"),
            bot_user_id=identity.get("user_id"),
            bot_id=identity.get("bot_id"),
            bot_token=settings.bot_token,
        )

    app = App(
        name="rackside",
        logger=quiet,
        client=client,
        authorize=authorize,
        # Checked on every HTTP delivery. Socket Mode needs none, and then no delivery over HTTP is taken at all.
        signing_secret=settings.signing_secret or "",
        listener_executor=ThreadPoolExecutor(max_workers=10, thread_name_prefix="slack-event"),
    )
    register(app, deps)
    return app


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
    except (SettingsError, DatabaseError, OccupiedError, HttpError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 2
    if not finished:
        # Threads that are still composing would keep the interpreter alive; their work is safe in the database.
        log.warning("some answers were not finished: they resume at the next start")
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
        slack = SlackThread(str(settings.bot_token), settings.base_url, stop, settings.first_wait)
        identity = _identity(slack, stop)
        if identity is None:
            return True
        # Without settings nobody set a pace either.
        access = full.access if full is not None else Access(person=None, channel=None)
        team = str(identity.get("team_id") or "")
        bench = Bench(narrowing(Shared(answer), access), store, settings.home, team, full)
        gate = Gate(access, SlackPeople(str(settings.bot_token), settings.base_url), narrowing_kinds())
        audit = AuditLog(engine, answers=access.log_answers)
        attachments = Attachments(str(settings.bot_token), settings.base_url, Answers(engine))
        streams = StreamDoor(
            str(settings.bot_token), settings.base_url, store,
            sources=lambda ask, title: chips(full, str(ask.payload.get("cluster") or ""), title),
        )  # fmt: skip
        answering = Answering(store, slack, guarded(desks(bench), gate, audit), streams, attachments)
        durable = Durable(store, seat, answering, settings.workers, stop)
        work = Begin(slack, durable)
        app = build_app(settings, Deps(store, work, str(identity["user_id"]), bench, gate), identity)
        durable.launch()
        try:
            _listen(settings, app, bench, work, stop, ready)
        finally:
            stop.set()
            finished = durable.close(settings.grace)
        return finished
    finally:
        store.close()
        seat.leave()


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
        if found.reason in _BAD_TOKEN:
            raise SettingsError(
                f"Slack does not accept the token in RACKSIDE_SLACK_BOT_TOKEN ({found.reason}): "
                "install the app again and copy its bot token"
            )
        log.warning("Slack does not answer (%s): trying again in %.0f s", found.reason, wait)
        stop.wait(found.retry_after or wait)
        wait = min(_LONGEST_WAIT, wait * 2)
    return None


def _listen(settings: SlackSettings, app: App, bench: Bench, work: Begin, stop: threading.Event, ready: Ready) -> None:
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
            endpoint = SlackEndpoint(None if settings.socket_mode else app, problem, routes(bench, work))
            server = HttpServer(endpoint, settings.host, settings.port or 0)
            leave.append(server.stop)
            server.start()
            port = server.port
        if settings.socket_mode:
            client = _socket(settings, app, stop)
            if client is None:
                return
            leave.append(lambda: _close(client))
            connected = client.client.is_connected
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


def _close(handler: Any) -> None:
    """Disconnect. The client's own threads end within ten seconds; nobody has to wait for that."""
    closing = threading.Thread(target=handler.close, name="slack-close", daemon=True)
    closing.start()
    closing.join(timeout=1.0)


def _socket(settings: SlackSettings, app: App, stop: threading.Event) -> Any:
    """Connect in Socket Mode; waits while Slack cannot be reached, None when stopped meanwhile."""
    # This client notices a closed connection at once; slack_sdk's own needs up to four ping intervals.
    from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler

    handler: Any = SocketModeHandler(app, settings.app_token, concurrency=10)
    wait = 1.0
    while not stop.is_set():
        try:
            handler.connect()
        except (OSError, SlackClientError) as error:
            found = trouble(error)
        else:
            return handler
        if found.reason in _BAD_TOKEN:
            handler.close()
            raise SettingsError(
                f"Slack does not accept the token in RACKSIDE_SLACK_APP_TOKEN ({found.reason}): it needs the scope "
                "connections:write"
            )
        log.warning("Socket Mode cannot connect (%s): trying again in %.0f s", found.reason, wait)
        stop.wait(wait)
        wait = min(_LONGEST_WAIT, wait * 2)
    handler.close()
    return None
