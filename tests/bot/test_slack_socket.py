"""One connection of Socket Mode that is listened to, and none that is forgotten open."""

from __future__ import annotations

import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from http import HTTPStatus

import pytest
import websocket
from slack_sdk.errors import SlackClientError
from websockets.http11 import Request, Response
from websockets.sync.server import ServerConnection, serve

from bot.slack_socket import PatientClient


class Endpoint:
    """Where connections are made; the first waits in its handshake until `release`, and then is refused if `refuse`."""

    def __init__(self) -> None:
        self.arrived = threading.Event()
        self.release = threading.Event()
        self.refuse = False
        self.gave_up = False
        self.changed = threading.Condition()
        self.open: list[ServerConnection] = []
        self.made = 0
        self._server = serve(self._listen, "127.0.0.1", 0, process_request=self._handshake, compression=None)
        self.url = f"ws://127.0.0.1:{self._server.socket.getsockname()[1]}/link"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def wait_for(self, made: int, still_open: int, patience: float = 15) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: (self.made, len(self.open)) == (made, still_open), patience), (
                f"{self.made} made, {len(self.open)} open; wanted {made} and {still_open}"
            )

    def stop(self) -> None:
        self.release.set()
        self._server.shutdown()

    def _handshake(self, connection: ServerConnection, request: Request) -> Response | None:
        first = not self.arrived.is_set()
        self.arrived.set()
        if first:
            self.gave_up = not self.release.wait(20)
            if self.refuse:
                return connection.respond(HTTPStatus.SERVICE_UNAVAILABLE, "not now")
        return None

    def _listen(self, connection: ServerConnection) -> None:
        with self.changed:
            self.made += 1
            self.open.append(connection)
            self.changed.notify_all()
        for _ in connection:
            pass
        with self.changed:
            self.open.remove(connection)
            self.changed.notify_all()


class Gateway:
    """Stands between, and one day drops what passes without telling anybody."""

    def __init__(self, port: int) -> None:
        self.silent = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._port = port
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def stop(self) -> None:
        for one in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                far = socket.create_connection(("127.0.0.1", self._port))
                deaf = not self._open
                self._open += [near, far]
                for come, go in ((near, far), (far, near)):
                    threading.Thread(target=self._pass, args=(come, go, deaf), daemon=True).start()

    def _pass(self, come: socket.socket, go: socket.socket, deaf: bool) -> None:
        with contextlib.suppress(OSError):
            while sent := come.recv(4096):
                # Only the first one that passed.
                if not (deaf and self.silent.is_set()):
                    go.sendall(sent)
            go.shutdown(socket.SHUT_WR)


class Client(PatientClient):
    """Knows where to connect to without asking Slack."""

    where = ""
    asked = 0

    def issue_new_wss_url(self) -> str:
        self.asked += 1
        return self.where


@pytest.fixture
def endpoint() -> Iterator[Endpoint]:
    one = Endpoint()
    yield one
    one.stop()


@pytest.fixture
def client(endpoint: Endpoint) -> Iterator[Client]:
    quiet = logging.getLogger("rackside.bolt")
    quiet.setLevel(logging.CRITICAL)
    one = Client("xapp-1", logger=quiet, ping_interval=0.2)
    one.where = endpoint.url
    yield one
    one.close()
    quiet.setLevel(logging.NOTSET)


@pytest.mark.parametrize("refuse", [False, True])
def test_a_connection_that_is_only_being_made_is_not_forgotten_open(
    endpoint: Endpoint, client: Client, refuse: bool
) -> None:
    endpoint.refuse = refuse
    client.connect()
    assert endpoint.arrived.wait(20)
    other = threading.Thread(target=client.connect)
    other.start()
    # Nothing to wait for when it waits as it should; a client that does not wait is through long before.
    other.join(0.3)
    assert other.is_alive(), "the first connection was closed in its handshake"
    endpoint.release.set()
    other.join(20)
    # One that goes on listening to the old connection does so for ten seconds.
    endpoint.wait_for(made=1 if refuse else 2, still_open=1, patience=5)
    assert client.is_connected()


def test_a_connection_that_is_never_through_is_not_waited_for_for_ever(
    endpoint: Endpoint, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack_socket._SETTLES_WITHIN", 0.0)
    client.connect()
    assert endpoint.arrived.wait(20)
    client.connect()
    endpoint.wait_for(made=1, still_open=1)
    assert not endpoint.gave_up, "the other side ended it"


def test_a_connection_is_doubted_at_the_second_look_only(
    endpoint: Endpoint, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[object] = []
    monkeypatch.setattr(client, "connect_to_new_endpoint", lambda: made.append(client.current_session))
    # What runs the connections is ended, so that the one made here is never begun.
    client.current_session_runner.shutdown()
    client.current_app_monitor_started = True
    client.connect()
    client._monitor_current_session()
    assert made == [], "it may be about to begin"
    client._monitor_current_session()
    assert made == [client.current_session], "nobody begins it"
    client.current_session = None
    client._monitor_current_session()
    assert len(made) == 2, "there is none"


def test_one_that_is_only_being_made_is_closed_at_the_end_too(endpoint: Endpoint, client: Client) -> None:
    client.connect()
    assert endpoint.arrived.wait(20)
    assert not client.listening()
    closing = threading.Thread(target=client.close)
    closing.start()
    closing.join(0.3)
    assert closing.is_alive(), "it was closed in its handshake"
    endpoint.release.set()
    closing.join(20)
    assert not closing.is_alive()
    endpoint.wait_for(made=1, still_open=0)


def test_one_that_is_never_through_ends_too(
    endpoint: Endpoint, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.slack_socket._PARTS_WITHIN", 0.05)
    # As if it began after the look at what is only being made.
    monkeypatch.setattr(client, "_settle", lambda: None)
    client.connect()
    assert endpoint.arrived.wait(20)
    runner = client.current_session_runner.thread
    client.close()
    assert not runner.is_alive(), "it waits for the handshake still"
    assert not endpoint.gave_up, "the other side ended it"
    assert client.current_session is not None
    assert client.current_session.sock is None


def test_a_socket_that_the_other_side_closed_is_closed_here_too(endpoint: Endpoint, client: Client) -> None:
    endpoint.release.set()
    client.connect()
    endpoint.wait_for(made=1, still_open=1)
    first = endpoint.open[0]
    started = time.monotonic()
    first.close()
    assert time.monotonic() - started < 5, "the other side had to wait until it gave up"
    endpoint.wait_for(made=2, still_open=1)


def test_where_slack_asks_for_it_another_connection_takes_over_at_once(endpoint: Endpoint, client: Client) -> None:
    endpoint.release.set()
    client.connect()
    endpoint.wait_for(made=1, still_open=1)
    endpoint.open[0].send(json.dumps({"type": "disconnect", "reason": "refresh_requested"}))
    endpoint.wait_for(made=2, still_open=1, patience=5)
    assert client.asked == 2, "one address for each connection"


def test_a_connection_that_nobody_answers_on_is_given_up(endpoint: Endpoint, client: Client) -> None:
    endpoint.release.set()
    gateway = Gateway(int(endpoint.url.rpartition(":")[2].partition("/")[0]))
    try:
        client.where = f"ws://127.0.0.1:{gateway.port}/link"
        client.connect()
        endpoint.wait_for(made=1, still_open=1)
        first = client.current_session
        gateway.silent.set()
        with endpoint.changed:
            assert endpoint.changed.wait_for(lambda: endpoint.made == 2, 15), "it listens to nobody"
        assert client.current_session is not first
    finally:
        client.close()
        gateway.stop()


class Asked:
    """Slack's Web API, which gives no address; `waits` is how long the client waited before it asked."""

    def __init__(self) -> None:
        self.waits: list[float] = []
        self.times = 0

    def apps_connections_open(self, *, app_token: str) -> dict[str, str]:
        self.times += 1
        raise SlackClientError(f"no address for {app_token}")

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)

    def is_set(self) -> bool:
        return False


def test_slack_is_asked_ever_more_seldom_while_it_gives_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = Asked()
    client = PatientClient("xapp-1", web_client=asked)
    client.current_session_runner.shutdown()
    with monkeypatch.context() as patched:
        patched.setattr(client, "_ended", asked)
        for _ in range(2):
            with pytest.raises(SlackClientError):
                client.issue_new_wss_url()
        assert asked.waits == [], "whoever connects first waits on his own"
        client.current_session = websocket.WebSocketApp("ws://127.0.0.1:1")
        for _ in range(6):
            with pytest.raises(SlackClientError):
                client.issue_new_wss_url()
        assert asked.waits == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0]
        client.on_open_listeners[0](client.current_session)
        with pytest.raises(SlackClientError):
            client.issue_new_wss_url()
        assert len(asked.waits) == 6, "a connection was open since"
    before = asked.times
    client.close()
    with pytest.raises(SlackClientError, match="closed"):
        client.issue_new_wss_url()
    assert asked.times == before, "nobody is asked once it is closed"
