"""Slack's Socket Mode: one connection that is listened to, and no other that Slack could take for one.

slack_sdk's client looks after its connection in a thread of its own, whose first look falls in the half second in which
the connection is only being made: it takes it for a lost one and makes another. Where the first was just shaking hands
then, it was forgotten open: Slack delivered events into it that nobody read. websocket-client below it forgets sockets, too.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from slack_bolt import App
from slack_bolt.adapter.socket_mode.base_handler import BaseSocketModeHandler
from slack_bolt.adapter.socket_mode.internals import run_bolt_app, send_response
from slack_sdk.errors import SlackClientError
from slack_sdk.socket_mode.websocket_client import SocketModeClient
from websocket import WebSocketException

from bot.slack_settings import SettingsError, SlackSettings
from bot.slack_thread import trouble

if TYPE_CHECKING:
    from slack_sdk.socket_mode.client import BaseSocketModeClient
    from slack_sdk.socket_mode.request import SocketModeRequest
    from websocket import WebSocket, WebSocketApp

__all__ = ["BAD_TOKEN", "LONGEST_WAIT", "Handler", "PatientClient", "connect", "disconnect"]
log = logging.getLogger("rackside.slack")
# Answers of Slack that no waiting mends.
BAD_TOKEN = {
    "invalid_auth",
    "not_authed",
    "account_inactive",
    "token_revoked",
    "token_expired",
    "not_allowed_token_type",
    "missing_scope",
}
# Longest wait between two tries to reach Slack, and for a connection that is being made when another takes its place; s.
LONGEST_WAIT = 30.0
_FIRST_WAIT = 0.5
_SETTLES_WITHIN = 10.0
# How much of the time between two pings an answer may take.
_PONG_WITHIN = 0.8
# For Slack's last word on a connection that we close; s.
_PARTS_WITHIN = 2.0
_LOOK_EVERY = 0.05


class PatientClient(SocketModeClient):
    """slack_sdk's client, which neither doubts nor forgets a connection that is only being made.

    It is that of websocket-client because it notices a closed connection at once; slack_sdk's own needs up to four ping
    intervals.
    """

    def __init__(self, app_token: str, **more: Any) -> None:
        """Nothing is connected yet; `more` is what slack_sdk's client takes."""
        self._ended = threading.Event()
        self._seen_idle: object = None
        self._running: WebSocketApp | None = None
        # Connections that websocket-client may forget before it closes their sockets.
        self._known: list[WebSocket] = []
        # Addresses asked for since a connection was last open.
        self._tries = 0
        super().__init__(app_token, **more)
        self.on_open_listeners.append(self._opened)

    def listening(self) -> bool:
        """Is a connection open, handshake and all?"""
        connection = self._connection()
        return connection is not None and bool(connection.connected)

    def issue_new_wss_url(self) -> str:
        """Ask Slack for an address; it may be asked about once a minute, so failures in a row wait ever longer.

        Raises SlackClientError where Slack gives none, or when the client is closed meanwhile.
        """
        self._tidy()
        if self.current_session is not None and self._tries:
            self._ended.wait(min(LONGEST_WAIT, _FIRST_WAIT * 2 ** (self._tries - 1)))
        if self._ended.is_set():
            raise SlackClientError("the connection to Slack is closed for good")
        self._tries += 1
        return super().issue_new_wss_url()

    def connect(self) -> None:
        """Make a connection; the one before it is closed once it is open or has failed."""
        self._settle()
        self._part()
        super().connect()

    def connect_to_new_endpoint(self, force: bool = False) -> None:
        """Connect anew, unless a connection is there or another waits to begin."""
        if force or self.current_session is self._running:
            super().connect_to_new_endpoint(force)

    def close(self) -> None:
        """Close the connection, one that is only being made, too; ends within some seconds."""
        self.auto_reconnect_enabled = False
        self._ended.set()
        runner = self.current_session_runner
        runner.event.set()
        self._settle()
        self._part()
        patience, until = _PARTS_WITHIN, time.monotonic() + _SETTLES_WITHIN
        while runner.is_alive() and time.monotonic() < until:
            runner.thread.join(patience)
            # Told again and again, since one that begins at this moment would not hear it.
            self._cut(self._connection())
            patience = _LOOK_EVERY
        super().close()

    def _connection(self) -> WebSocket | None:
        session = self.current_session
        return session.sock if session is not None else None

    def _opened(self, session: WebSocketApp) -> None:
        self._tries = 0
        self._know(session.sock)

    def _know(self, connection: WebSocket | None) -> None:
        if connection is not None:
            self._known.append(connection)

    def _part(self) -> None:
        connection = self._connection()
        if connection is not None and connection.connected:
            # It may have opened this moment, and be let go of before it is told of.
            self._know(connection)
            # Slack answers, and whoever listens hears that; closed from here, he would listen for ten seconds more.
            with contextlib.suppress(OSError, WebSocketException):
                connection.send_close()

    def _tidy(self, over: bool = False) -> None:
        # websocket-client leaves a socket open that the other side closed, until the garbage collector finds it; when nobody listens any more
        # (`over`), what it had just opened and was told to forget is open still.
        known, self._known = self._known, []
        for connection in known:
            if connection.connected and not over:
                self._know(connection)
            else:
                connection.shutdown()  # type: ignore[no-untyped-call]

    def _settle(self) -> None:
        session, making = self.current_session, self._connection()
        until = time.monotonic() + _SETTLES_WITHIN
        # websocket-client forgets a socket that it is told to close before the handshake is through.
        while session is not None and making is not None and not making.connected and session.sock is making:
            if time.monotonic() > until:
                log.warning("a connection to Slack was still being made after %.0f s: given up", _SETTLES_WITHIN)
                self._cut(making)
                break
            time.sleep(_LOOK_EVERY)

    def _cut(self, connection: WebSocket | None) -> None:
        # Without a word; whoever reads from it, or waits for its handshake, hears that.
        raw = connection.sock if connection is not None else None
        if raw is not None:
            self._know(connection)
            with contextlib.suppress(OSError):
                raw.shutdown(socket.SHUT_RDWR)

    def _run_current_session(self) -> None:
        session = self._running = self.current_session
        if session is None:
            return
        try:
            # slack_sdk gives no ping_timeout: a connection that some gateway dropped without a word would be listened to for a quarter of an hour.
            session.run_forever(
                ping_interval=self.ping_interval,
                ping_timeout=self.ping_interval * _PONG_WITHIN,
                http_proxy_host=self.http_proxy_host,
                http_proxy_port=self.http_proxy_port,
                http_proxy_auth=self.http_proxy_auth,
                proxy_type=self.proxy_type,
            )
        except Exception:
            log.exception("the connection to Slack failed: making another")
            session.close()
        self._tidy(over=True)

    def _monitor_current_session(self) -> None:
        session = self.current_session
        if session is not None and session.sock is None and session is not self._seen_idle:
            # Not begun yet, or just closed, in which case whoever closed it connects anew: looked at again later.
            self._seen_idle = session
            return
        super()._monitor_current_session()  # type: ignore[no-untyped-call]


class Handler(BaseSocketModeHandler):
    """Bolt's app on that client."""

    client: PatientClient

    def __init__(self, app: App, app_token: str) -> None:
        """Nothing is connected yet."""
        self.app = app
        self.client = PatientClient(app_token, logger=app.logger, web_client=app.client, concurrency=10)
        self.client.socket_mode_request_listeners.append(self.handle)

    def handle(self, client: BaseSocketModeClient, req: SocketModeRequest) -> None:
        """Give a request to the app, and Slack its acknowledgement."""
        start = time.time()
        send_response(client, req, run_bolt_app(self.app, req), start)


def connect(settings: SlackSettings, app: App, stop: threading.Event) -> Handler | None:
    """Connect in Socket Mode; waits while Slack cannot be reached, None when stopped meanwhile.

    Raises SettingsError where Slack does not accept the token.
    """
    handler = Handler(app, settings.app_token or "")
    wait = 1.0
    while not stop.is_set():
        try:
            handler.connect()  # type: ignore[no-untyped-call]
        except (OSError, SlackClientError) as error:
            found = trouble(error)
        else:
            return handler
        if found.reason in BAD_TOKEN:
            handler.close()  # type: ignore[no-untyped-call]
            raise SettingsError(
                f"Slack does not accept the token in RACKSIDE_SLACK_APP_TOKEN ({found.reason}): it needs the scope "
                "connections:write"
            )
        log.warning("Socket Mode cannot connect (%s): trying again in %.0f s", found.reason, wait)
        stop.wait(wait)
        wait = min(LONGEST_WAIT, wait * 2)
    handler.close()  # type: ignore[no-untyped-call]
    return None


def disconnect(handler: Handler) -> None:
    """Disconnect. Mostly done in a moment; a Slack that does not answer is not waited for."""
    closing = threading.Thread(target=handler.close, name="slack-close", daemon=True)
    closing.start()
    closing.join(timeout=1.0)
