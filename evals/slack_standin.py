"""Our own stand-in for Slack: Socket Mode, signed HTTP deliveries, and the Web API's methods of evals/slack_web.

It covers what the third-party emulator lacks, over real sockets, and refuses what nobody prepared or Slack would refuse.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlencode
from urllib.request import Request, urlopen

from slack_sdk.signature import SignatureVerifier
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request as Handshake
from websockets.http11 import Response
from websockets.sync.server import Server, ServerConnection, serve

from evals.slack_oauth import fetched
from evals.slack_web import APP_TOKEN, BOT_TOKEN, BOT_USER, SIGNING_SECRET, TEAM, Json, methods
from evals.slack_workspace import Workspace

__all__ = ["APP_TOKEN", "BOT_TOKEN", "BOT_USER", "SIGNING_SECRET", "TEAM", "Fault", "SlackStandIn"]
METHODS = methods()


@dataclass
class Fault:
    """What happens to the next calls of a method instead of, or (`after`) in addition to, their effect.

    `hold` blocks the answer until `release` is set or the stand-in stops; `arrived` is set when a call is held.
    """

    status: int = 200
    error: str | None = None
    retry_after: int | None = None
    times: int = 1
    after: bool = False
    hold: bool = False
    arrived: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)


class SlackStandIn(Workspace):
    """A small workspace. Use as a context manager; `api_url` is what RACKSIDE_SLACK_API_URL is set to."""

    def __init__(self) -> None:
        """Bind free loopback ports."""
        super().__init__()
        # More workspaces by id, and every token with its workspace; a token that is taken back stays known as that.
        self.beside: dict[str, Workspace] = {}
        self.tokens: dict[str, Workspace] = {BOT_TOKEN: self}
        self.revoked: set[str] = set()
        # What people approved in the browser and nobody fetched yet: codes with what they bring.
        self.codes: dict[str, Json] = {}
        self.acks: list[str] = []
        # Addresses given out and not used yet: each is good for one connection.
        self._tickets: set[str] = set()
        self.replies: dict[str, Json] = {}
        self.up = True
        self.refusals = 0
        # What the token may do, as auth.test says in a header; None says nothing.
        self.scopes: tuple[str, ...] | None = None
        self._faults: dict[str, list[Fault]] = {}
        self._sockets: list[ServerConnection] = []
        stand_in = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                stand_in._serve(self)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self._ws: Server = serve(self._socket_mode, "127.0.0.1", 0, process_request=self._admit, compression=None)
        self.api_url = f"http://127.0.0.1:{self._http.server_address[1]}/api"
        self._ws_url = f"ws://127.0.0.1:{self._ws.socket.getsockname()[1]}"

    def __enter__(self) -> Self:
        """Start serving."""
        for server in (self._http, self._ws):
            threading.Thread(target=server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop serving; calls that are held are let go."""
        for faults in self._faults.values():
            for fault in faults:
                fault.release.set()
        self._ws.shutdown()
        self._http.shutdown()
        self._http.server_close()

    # What a test looks at.

    @property
    def connected(self) -> bool:
        """Is somebody there in Socket Mode?"""
        return bool(self._sockets)

    def fail(self, method: str, fault: Fault) -> Fault:
        """Prepare a fault for the next calls of a method."""
        with self.changed:
            self._faults.setdefault(method, []).append(fault)
        return fault

    def reset(self) -> None:
        """Forget what happened; time goes on, so that no message is taken for an earlier one."""
        with self.changed:
            for one in self.beside.values():
                for kept in (one.calls, one.messages, one.reacted, one.kept):
                    kept.clear()
            self.calls.clear()
            self.messages.clear()
            self.reacted.clear()
            self.kept.clear()
            self._faults.clear()

    def heal(self) -> None:
        """Take back every fault that is prepared."""
        with self.changed:
            self._faults.clear()

    @contextlib.contextmanager
    def outage(self) -> Iterator[None]:
        """Slack answers 503 to everything."""
        self.up = False
        try:
            yield
        finally:
            self.up = True

    # Workspaces beside the first.

    def workspace(self, team: str, bot_user: str) -> Workspace:
        """One more workspace, with nothing installed in it."""
        return self.beside.setdefault(team, Workspace(team, bot_user, f"B{bot_user[1:]}", self))

    def revoke(self, token: str) -> None:
        """Slack takes a token back: from now on it is refused."""
        if self.tokens.pop(token, None) is not None:
            self.revoked.add(token)

    # How it arrives.

    @property
    def connections(self) -> int:
        """How many are there in Socket Mode."""
        return len(self._sockets)

    def push(self, body: Json, retry: int | None = None, kind: str = "events_api", to: int = -1) -> str:
        """Deliver over Socket Mode; returns the envelope id, which `acks` holds once acknowledged.

        `to` chooses among several connections, the last by default. `kind` is events_api, slash_commands or interactive; evals/slack_people.py makes the bodies of the latter two.
        """
        self.wait(lambda: bool(self._sockets), "a Socket Mode connection")
        envelope = f"envelope-{next(self.numbers)}"
        frame: Json = {
            "envelope_id": envelope,
            "type": kind,
            "accepts_response_payload": kind != "events_api",
            "payload": body,
        }
        if retry is not None:
            frame |= {"retry_attempt": retry, "retry_reason": "timeout"}
        self._sockets[to].send(json.dumps(frame))
        return envelope

    def push_acknowledged(self, body: Json, retry: int | None = None, kind: str = "events_api") -> Json:
        """Deliver over Socket Mode and wait for the acknowledgement; returns what came with it (a command's reply)."""
        envelope = self.push(body, retry, kind)
        self.wait(lambda: envelope in self.acks, f"the acknowledgement of {envelope}")
        return self.replies.get(envelope) or {}

    def disconnect(self) -> None:
        """Close the Socket Mode connection, as Slack does every few hours; returns once it is gone."""
        self.wait(lambda: bool(self._sockets), "a Socket Mode connection")
        gone = list(self._sockets)
        for connection in gone:
            connection.close()
        self.wait(lambda: not any(one in self._sockets for one in gone), "the end of the Socket Mode connection")

    @staticmethod
    def post_signed(
        url: str,
        body: Json,
        *,
        secret: str = SIGNING_SECRET,
        at: float | None = None,
        retry: int | None = None,
        kind: str = "events_api",
    ) -> int:
        """Deliver over HTTP with Slack's signature, in the form that Slack gives this kind; returns the status."""
        raw = json.dumps(body)
        if kind == "slash_commands":
            raw = urlencode(body)
        elif kind == "interactive":
            raw = urlencode({"payload": raw})
        stamp = str(int(time.time() if at is None else at))
        headers = {
            "content-type": "application/json" if kind == "events_api" else "application/x-www-form-urlencoded",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": SignatureVerifier(secret).generate_signature(timestamp=stamp, body=raw) or "",
        }
        if retry is not None:
            headers |= {"x-slack-retry-num": str(retry), "x-slack-retry-reason": "http_timeout"}
        try:
            request = Request(url, raw.encode(), headers)  # noqa: S310 - a loopback address of the caller's
            with urlopen(request, timeout=10) as response:  # noqa: S310
                return int(response.status)
        except OSError as error:
            status = getattr(error, "code", None)
            if status is None:
                raise
            error.close()  # type: ignore[attr-defined]
            return int(status)

    # The servers.

    def _admit(self, connection: ServerConnection, request: Handshake) -> Response | None:
        with self.changed:
            if request.path not in self._tickets:
                return connection.respond(HTTPStatus.FORBIDDEN, "this address is used up")
            self._tickets.remove(request.path)
        return None

    def _socket_mode(self, connection: ServerConnection) -> None:
        with self.changed:
            self._sockets.append(connection)
            self.changed.notify_all()
        try:
            connection.send(json.dumps({"type": "hello", "num_connections": len(self._sockets)}))
            for frame in connection:
                with self.changed:
                    answer = json.loads(frame)
                    self.acks.append(answer.get("envelope_id", ""))
                    self.replies[answer.get("envelope_id", "")] = answer.get("payload") or {}
                    self.changed.notify_all()
        except ConnectionClosed:
            pass
        finally:
            with self.changed:
                self._sockets.remove(connection)
                self.changed.notify_all()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        sent = request.rfile.read(int(request.headers.get("content-length") or 0))
        if request.path.startswith("/upload/"):
            # An upload's address: no token either.
            with self.changed:
                self.kept.setdefault("uploads", []).append(
                    {"id": request.path.removeprefix("/upload/"), "content": sent}
                )
                self.changed.notify_all()
            _reply(request, 200, {}, b"OK")
            return
        raw = sent.decode()
        if request.path.startswith("/respond/"):
            # A response_url: no token, the address itself is the permission.
            with self.changed:
                self.kept.setdefault("responses", []).append({"to": request.path, **json.loads(raw or "{}")})
                self.changed.notify_all()
            _reply(request, 200, {}, b"ok")
            return
        method = request.path.removeprefix("/api/")
        if "json" in (request.headers.get("content-type") or ""):
            args: Json = json.loads(raw or "{}")
        else:
            args = {name: values[0] for name, values in parse_qs(raw).items()}
        token = (request.headers.get("authorization") or "").removeprefix("Bearer ") or args.get("token", "")
        if not self.up:
            with self.changed:
                self.refusals += 1
                self.changed.notify_all()
            _reply(request, 503, {}, b"<html>Service Unavailable</html>")
            return
        with self.changed:
            fault = self._next_fault(method)
            early = fault is not None and not fault.after
            result = {} if early else self._call(method, token, args)
            self.calls.append((method, args))
            here = self.tokens.get(token)
            if here is not None and here is not self:
                here.calls.append((method, args))
            self.changed.notify_all()
        if fault is not None:
            self._suffer(request, fault, result)
        else:
            told = {} if self.scopes is None else {"x-oauth-scopes": ",".join(self.scopes)}
            _reply(request, 200, told, json.dumps(result).encode())

    def _next_fault(self, method: str) -> Fault | None:
        faults = self._faults.get(method) or []
        if not faults:
            return None
        faults[0].times -= 1
        return faults.pop(0) if faults[0].times <= 0 else faults[0]

    def _suffer(self, request: BaseHTTPRequestHandler, fault: Fault, result: Json) -> None:
        if fault.hold:
            fault.arrived.set()
            fault.release.wait()
            request.close_connection = True
            return
        headers = {} if fault.retry_after is None else {"Retry-After": str(fault.retry_after)}
        content = {"ok": False, "error": fault.error} if fault.error else result
        _reply(request, fault.status, headers, json.dumps(content).encode())

    def _call(self, method: str, token: str, args: Json) -> Json:
        if method == "apps.connections.open":
            if token != APP_TOKEN:
                return {"ok": False, "error": "invalid_auth"}
            ticket = f"/link?ticket={next(self.numbers)}"
            self._tickets.add(ticket)
            return {"ok": True, "url": self._ws_url + ticket}
        if method == "oauth.v2.access":
            return fetched(self, token, args)
        here = self.tokens.get(token)
        if here is None:
            return {"ok": False, "error": "token_revoked" if token in self.revoked else "invalid_auth"}
        if method == "auth.revoke":
            self.revoke(token)
            return {"ok": True, "revoked": True}
        if method not in METHODS:
            return {"ok": False, "error": "unknown_method"}
        return METHODS[method](here, args)


def _reply(request: BaseHTTPRequestHandler, status: int, headers: dict[str, str], body: bytes) -> None:
    request.send_response(status)
    request.send_header("content-type", "application/json")
    request.send_header("content-length", str(len(body)))
    for name, value in headers.items():
        request.send_header(name, value)
    request.end_headers()
    request.wfile.write(body)
