"""Prometheus in every mood: it answers, warns, refuses, lies, hangs, is gone. Nothing raises; each mood has its sentence."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tools.reading import Blind, Reason
from tools.sources.prom import PromSource

Answer = tuple[int, str, bytes]


class Moody:
    """An HTTP server that answers as the test says and remembers what it was asked."""

    def __init__(self) -> None:
        self.answer: Callable[[str, str], Answer] = lambda _path, _body: (500, "text/plain", b"nobody prepared this")
        self.asked: list[tuple[str, str, str]] = []
        moody = self

        class Handler(BaseHTTPRequestHandler):
            def _any(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
                moody.asked.append((self.command, self.path, body))
                status, kind, content = moody.answer(self.path, body)
                if status == 0:
                    self.connection.shutdown(socket.SHUT_RDWR)
                    return
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_POST = _any

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def says(self, content: object, status: int = 200) -> None:
        raw = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.answer = lambda _path, _body: (status, "application/json", raw)


@pytest.fixture
def moody() -> Iterator[Moody]:
    server = Moody()
    yield server
    server.server.shutdown()
    server.server.server_close()


def vector(*rows: tuple[dict[str, str], str], **more: object) -> dict[str, object]:
    result = [{"metric": labels, "value": [1.0, value]} for labels, value in rows]
    return {"status": "success", "data": {"resultType": "vector", "result": result}, **more}


def test_it_reads_rows_and_keeps_what_is_not_a_number_apart(moody: Moody) -> None:
    moody.says(vector(({"pod": "a"}, "0.5"), ({"pod": "b"}, "NaN"), ({"pod": "c"}, "+Inf")))
    result = PromSource(moody.url).query("up", 1.0)
    assert [(row.labels["pod"], row.value) for row in result.rows] == [("a", 0.5)]
    assert [labels["pod"] for labels in result.not_a_number] == ["b", "c"]
    assert result.blind is None


def test_what_only_the_lenient_reader_reads_is_read(moody: Moody) -> None:
    moody.says(b'{"status": "success", "data": {"result": [{"metric": {"pod": "a\\ud800"}, "value": [1, "2"]}]}}')
    assert [row.value for row in PromSource(moody.url).query("q", 1.0).rows] == [2.0]


def test_a_query_travels_in_the_body_however_long(moody: Moody) -> None:
    moody.says(vector())
    query = " or ".join(f"metric_{i}" for i in range(2000))
    assert PromSource(moody.url).query(query, 5.0).blind is None
    method, path, body = moody.asked[0]
    assert method == "POST"
    assert "?" not in path
    assert "metric_1999" in body


def test_a_warning_makes_the_answer_partial(moody: Moody) -> None:
    moody.says(vector(({"pod": "a"}, "1"), warnings=["store gateway 2 did not answer"]))
    result = PromSource(moody.url).query("up", 1.0)
    assert result.blind == Blind(Reason.PARTIAL, "the server warned: store gateway 2 did not answer")


def test_a_remark_is_no_warning(moody: Moody) -> None:
    moody.says(vector(({"pod": "a"}, "1"), warnings=["PromQL info: metric might not be a counter"]))
    assert PromSource(moody.url).query("up", 1.0).blind is None


def test_a_warning_does_not_stick_to_the_next_answer(moody: Moody) -> None:
    source = PromSource(moody.url)
    moody.says(vector(warnings=["slow store"]))
    assert source.query("up", 1.0).blind is not None
    moody.says(vector())
    assert source.query("up", 1.0).blind is None


@pytest.mark.parametrize(
    ("status", "content", "reason", "said"),
    [
        (500, b"boom", Reason.SOURCE_DOWN, "answered with an error"),
        (503, b'{"status":"error","errorType":"unavailable","error":"starting up"}', Reason.SOURCE_DOWN, "starting up"),
        (401, b"no", Reason.FORBIDDEN, "401"),
        (403, b"no", Reason.FORBIDDEN, "403"),
        (400, b'{"status":"error","error":"parse error: unexpected )"}', Reason.PARTIAL, "parse error"),
        (422, b'{"status":"error","error":"too many samples"}', Reason.PARTIAL, "too many samples"),
        (200, b"<html>Welcome to nginx</html>", Reason.SOURCE_DOWN, "does not answer like Prometheus"),
        (200, b"", Reason.SOURCE_DOWN, "does not answer like Prometheus"),
        (200, b"[1,2,3]", Reason.SOURCE_DOWN, "answered"),
        (200, b'{"status":"success"}', Reason.SOURCE_DOWN, "shape"),
        (200, b'{"status":"success","data":{"result":[{"metric":{}}]}}', Reason.SOURCE_DOWN, "shape"),
        (200, b'{"status":"success","data":{"result":[{"metric":{},"value":[1,"x"]}]}}', Reason.SOURCE_DOWN, "shape"),
        (200, b"\xff\xfe\x00", Reason.SOURCE_DOWN, "does not answer like Prometheus"),
        (0, b"", Reason.SOURCE_DOWN, "cannot be reached"),
    ],
)
def test_each_way_to_fail_is_blind_with_a_sentence(
    moody: Moody, status: int, content: bytes, reason: Reason, said: str
) -> None:
    moody.says(content, status)
    result = PromSource(moody.url).query("up", 1.0)
    assert result.rows == ()
    assert result.blind is not None
    assert result.blind.reason is reason
    assert said in result.blind.detail
    assert len(moody.asked) == 1, "a server in trouble is not asked twice"


def test_a_server_that_hangs_is_left_after_the_timeout(moody: Moody) -> None:
    release = threading.Event()

    def hang(_path: str, _body: str) -> Answer:
        release.wait(20)
        return 200, "application/json", b"{}"

    moody.answer = hang
    result = PromSource(moody.url, timeout_s=0.2).query("up", 1.0)
    release.set()
    assert result.blind is not None
    assert "did not answer within" in result.blind.detail


def test_nobody_listens() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{held.getsockname()[1]}"
        blind = PromSource(url, timeout_s=1).names(1.0)
    assert isinstance(blind, Blind)
    assert blind.reason is Reason.SOURCE_DOWN
    assert "connection refused" in blind.detail


@pytest.mark.parametrize("url", [None, ""])
def test_not_set_is_blind_and_says_what_to_set(url: str | None) -> None:
    blind = PromSource.connect(url)
    assert isinstance(blind, Blind)
    assert blind.reason is Reason.NOT_SET
    assert "RACKSIDE_PROMETHEUS_URL" in blind.detail


@pytest.mark.parametrize("url", ["prometheus:9090", "ftp://x", "http://", "not a url"])
def test_what_is_no_url_is_said_to_be_none(url: str) -> None:
    blind = PromSource.connect(url)
    assert isinstance(blind, Blind)
    assert "no http(s) URL" in blind.detail


def test_names_ask_only_for_the_hour_before(moody: Moody) -> None:
    moody.says({"status": "success", "data": ["up", "vllm:num_requests_running"]})
    names = PromSource(moody.url).names(10_000.0)
    assert names == frozenset({"up", "vllm:num_requests_running"})
    assert "start=6400" in moody.asked[0][1]
    assert "end=10000" in moody.asked[0][1]


def test_headers_carry_token_and_tenant(moody: Moody) -> None:
    seen: dict[str, str] = {}
    moody.says(vector())
    source = PromSource(moody.url, {"Authorization": "Bearer t", "X-Scope-OrgID": "team-a"})
    original = source._session.request

    def spy(method: str, url: str, *args: object, **kwargs: object) -> object:
        seen.update(kwargs.get("headers") or {})  # type: ignore[call-overload]
        return original(method, url, *args, **kwargs)

    source._session.request = spy  # type: ignore[assignment]
    source.query("up", 1.0)
    assert seen == {"Authorization": "Bearer t", "X-Scope-OrgID": "team-a"}
