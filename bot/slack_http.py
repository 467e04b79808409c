"""The HTTP side: Slack's signed deliveries (HTTP mode), /healthz and the routes of `bot/routes` (both modes), on uvicorn."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from slack_bolt import App, BoltRequest, BoltResponse

from bot.desk import Bench, modules

if TYPE_CHECKING:
    from slack_bolt.oauth import OAuthFlow

    from bot.listeners import Work

log = logging.getLogger("rackside.slack")
# From the request's headers (names in lower case) and its body to a status and a JSON-able answer. Called in a thread.
Route = Callable[[Mapping[str, str], bytes], tuple[int, Any]]
Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]

PATH = "/slack/events"
_BODY_LIMIT = 1024 * 1024
_AT_ONCE = 200
_STAMP_DIGITS = 15


class HttpError(Exception):
    """The port cannot be used; the message says why."""


def routes(bench: Bench, work: Work) -> dict[str, Route]:
    """What others than Slack may POST to, by path."""
    import bot.routes

    opened = {module.PATH: module.open_route(bench, work) for module in modules(bot.routes)}
    return {path: route for path, route in opened.items() if route is not None}


class SlackEndpoint:
    """An ASGI application: POST /slack/events to Bolt (when given an app), POST to the routes, GET /healthz from `problem`.

    With `install`, its two pages are there too, for people who install Rackside in their workspace.
    """

    def __init__(
        self,
        app: App | None,
        problem: Callable[[], str],
        others: Mapping[str, Route] | None = None,
        install: OAuthFlow | None = None,
    ) -> None:
        """`problem` returns what is wrong with this process, '' when nothing is."""
        self._app, self._problem, self._others = app, problem, others or {}
        self._pages: dict[str, Callable[[BoltRequest], BoltResponse]] = {}
        if install is not None:
            self._pages = {
                install.install_path: install.handle_installation,
                install.redirect_uri_path: install.handle_callback,
            }

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] != "http":
            return
        route = (scope["method"], scope["path"])
        if route == ("GET", "/healthz"):
            problem = await asyncio.to_thread(self._problem)
            await _reply(send, 503 if problem else 200, json.dumps({"ok": not problem, "problem": problem}))
        elif route == ("POST", PATH) and self._app is not None:
            await self._deliver(self._app, scope, receive, send)
        elif scope["method"] == "GET" and scope["path"] in self._pages:
            await self._page(self._pages[scope["path"]], scope, send)
        elif scope["method"] == "POST" and scope["path"] in self._others:
            body = await _body(receive, send)
            if body is not None:
                headers = {name: values[-1] for name, values in _headers(scope).items()}
                status, answer = await asyncio.to_thread(self._others[scope["path"]], headers, body)
                await _reply(send, status, json.dumps(answer))
        else:
            await _reply(send, 404, json.dumps({"error": "not found"}))

    async def _page(self, page: Callable[[BoltRequest], BoltResponse], scope: dict[str, Any], send: Send) -> None:
        headers: dict[str, str | Sequence[str]] = dict(_headers(scope))
        request = BoltRequest(body="", query=scope["query_string"].decode("latin-1"), headers=headers)
        try:
            response = await asyncio.to_thread(page, request)
        except Exception:
            log.exception("an installation failed")
            await _reply(send, 503, json.dumps({"error": "it could not be installed just now; please begin again"}))
            return
        told = [(name, one) for name, values in response.headers.items() for one in values if name != "content-type"]
        await _reply(send, response.status, response.body or "", response.first_headers()["content-type"], told)

    async def _deliver(self, app: App, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        body = await _body(receive, send)
        if body is None:
            return
        try:
            text = body.decode("utf-8")
        except UnicodeDecodeError:
            await _reply(send, 400, json.dumps({"error": "not UTF-8"}))
            return
        headers: dict[str, str | Sequence[str]] = dict(_headers(scope))
        stamp = headers.get("x-slack-request-timestamp", ["0"])[-1]
        if not (stamp.isascii() and stamp.isdecimal() and len(stamp) <= _STAMP_DIGITS):
            # Bolt would fail on it, with a trace in the log for anybody who asks.
            await _reply(send, 401, json.dumps({"error": "not signed"}))
            return
        try:
            # Parsing happens here already, the signature is checked on the same raw text.
            request = BoltRequest(body=text, query=scope["query_string"].decode("latin-1"), headers=headers)
        except ValueError:
            await _reply(send, 400, json.dumps({"error": "not JSON"}))
            return
        # In a thread: the inbox is written before the acknowledgement, and nobody else may wait for that.
        response = await asyncio.to_thread(app.dispatch, request)
        kind = response.first_headers().get("content-type", "text/plain")
        await _reply(send, response.status, response.body or "", kind)


async def _body(receive: Receive, send: Send) -> bytes | None:
    """The whole body; None when the caller left, or was told that it is too large."""
    body = bytearray()
    more = True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            return None
        body += message.get("body", b"")
        more = message.get("more_body", False)
        if len(body) > _BODY_LIMIT:
            await _reply(send, 413, json.dumps({"error": "too large"}))
            return None
    return bytes(body)


def _headers(scope: dict[str, Any]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        found.setdefault(name.decode("latin-1").lower(), []).append(value.decode("latin-1"))
    return found


async def _reply(
    send: Send, status: int, body: str, kind: str = "application/json", more: Sequence[tuple[str, str]] = ()
) -> None:
    headers = [(b"content-type", kind.encode("latin-1")), (b"cache-control", b"no-store")]
    headers += [(name.encode("latin-1"), value.encode("latin-1")) for name, value in more]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body.encode()})


class HttpServer:
    """uvicorn in a thread of its own, so that signals stay with the main one."""

    def __init__(self, endpoint: SlackEndpoint, host: str, port: int) -> None:
        """Bind the port (0 takes a free one, see `port`); raises HttpError when it is taken."""
        import uvicorn

        self._socket = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self._socket.bind((host, port))
            # From here on nobody is turned away, even before the thread runs.
            self._socket.listen(128)
        except OSError as error:
            self._socket.close()
            raise HttpError(f"port {port} of {host} cannot be used: {error.strerror}") from error
        self.port: int = self._socket.getsockname()[1]
        config = uvicorn.Config(
            endpoint,
            lifespan="off",
            log_config=None,
            log_level="warning",
            access_log=False,
            limit_concurrency=_AT_ONCE,
            timeout_keep_alive=5,
            timeout_graceful_shutdown=5,
            server_header=False,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run, args=([self._socket],), name="http", daemon=True)

    def start(self) -> None:
        """Begin to take requests."""
        self._thread.start()

    def stop(self) -> None:
        """Take no more requests; those begun are finished."""
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._socket.close()
