"""The same index behind a real Chroma server, and behind servers that are dead, silent or something else."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import requests

from knowledge import index
from knowledge.encoder import Encoder
from knowledge.index import REBUILD, IndexProblem, shown_url
from knowledge.indexing import build_index
from knowledge.search import Library

PACKS = Path(__file__).parent / "data" / "packs"


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running(folder: Path, port: int) -> Iterator[str]:
    """A Chroma server on a loopback port."""
    url = f"http://127.0.0.1:{port}"
    server = subprocess.Popen(
        [
            str(Path(sys.executable).parent / "chroma"),
            "run",
            "--path",
            str(folder),
            "--host",
            "127.0.0.1",
            "--port",
            str(port),
        ],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, "ANONYMIZED_TELEMETRY": "False"},
    )
    try:
        deadline = time.monotonic() + 60
        while True:
            try:
                requests.get(f"{url}/api/v2/heartbeat", timeout=5).raise_for_status()
                break
            except requests.RequestException:
                assert server.poll() is None, "the Chroma server ended"
                assert time.monotonic() < deadline, "the Chroma server never answered"
        yield url
    finally:
        server.terminate()
        server.wait(20)


@pytest.fixture(scope="module")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running(tmp_path_factory.mktemp("chroma"), free_port()) as url:
        yield url


def collections(url: str) -> set[str]:
    found: list[dict[str, Any]] = requests.get(
        f"{url}/api/v2/tenants/default_tenant/databases/default_database/collections", timeout=5
    ).json()
    return {one["name"] for one in found}


def test_a_server_holds_the_vectors(chroma: str, tmp_path: Path, counting: Encoder) -> None:
    packs = tmp_path / "packs"
    shutil.copytree(PACKS, packs)
    homes = [tmp_path / "one", tmp_path / "two"]
    for home in homes:
        build_index(home, packs=packs, encoder=counting, chroma_url=chroma)
        assert not list(home.rglob("chroma.sqlite3"))
    first = collections(chroma)
    assert len(first) == 1  # both homes hold the same pages and share one collection
    served = Library.open(homes[0], packs=packs, encoder=counting, chroma_url=chroma)
    build_index(tmp_path / "local", packs=packs, encoder=counting)
    local = Library.open(tmp_path / "local", packs=packs, encoder=counting)
    for query in ("kv cache", "xid 79", "pod pending"):
        assert [hit.passage.id for hit in served.search(query)] == [hit.passage.id for hit in local.search(query)]
    assert build_index(homes[0], packs=packs, encoder=counting, chroma_url=chroma).embedded == 0
    names = [first]
    for text in ("One.", "Two.", "Three."):
        (packs / "serving" / "routing.md").write_text(f"---\ntitle: Routing\n---\n{text}\n")
        build_index(homes[0], packs=packs, encoder=counting, chroma_url=chroma)
        names.append(collections(chroma))
        assert served.search("routing", 1)[0].passage.text == text
    assert [len(one) for one in names] == [1, 2, 2, 2]
    assert not first & names[-1]
    other = Library.open(homes[1], packs=packs, encoder=counting, chroma_url=chroma)
    with pytest.raises(IndexProblem, match=f"does not hold this index .*{REBUILD}"):
        other.search("routing")
    served.close()
    local.close()


def test_an_index_on_disk_is_put_on_the_server(chroma: str, tmp_path: Path, counting: Encoder) -> None:
    packs = tmp_path / "packs"
    shutil.copytree(PACKS, packs)
    (packs / "serving" / "routing.md").unlink()
    build_index(tmp_path / "home", packs=packs, encoder=counting)
    library = Library.open(tmp_path / "home", packs=packs, encoder=counting, chroma_url=chroma)
    with pytest.raises(IndexProblem, match="does not hold this index"):
        library.search("kv")
    report = build_index(tmp_path / "home", packs=packs, encoder=counting, chroma_url=chroma)
    assert (report.embedded, report.reused) == (0, report.passages)
    assert library.search("kv", 1)
    library.close()


def test_a_server_that_goes_away_and_comes_back(tmp_path: Path, counting: Encoder) -> None:
    port = free_port()
    with running(tmp_path / "data", port) as url:
        build_index(tmp_path / "home", packs=PACKS, encoder=counting, chroma_url=url)
        library = Library.open(tmp_path / "home", packs=PACKS, encoder=counting, chroma_url=url)
        assert library.search("kv", 1)
    with pytest.raises(IndexProblem, match=r"did not answer|cannot be reached"):
        library.search("preemption", 1)
    page = library.page("gpu/xid")
    assert page is not None
    with running(tmp_path / "data", port):
        assert library.search("preemption", 1)
    library.close()


class Answering(BaseHTTPRequestHandler):
    status = 500
    body = b"<html>oops</html>"

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(self.body)

    do_POST = do_GET

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the parent's name
        pass


@contextmanager
def answering(status: int) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), type("Handler", (Answering,), {"status": status}))
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join(10)


@contextmanager
def silent() -> Iterator[str]:
    """A server that accepts and never says a word."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(8)
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"


@contextmanager
def dead() -> Iterator[str]:
    yield f"http://127.0.0.1:{free_port()}"


@pytest.mark.parametrize("server", [lambda: answering(500), lambda: answering(200), silent, dead])
def test_a_bad_server_is_a_sentence(
    server: Callable[[], Any], tmp_path: Path, counting: Encoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(index, "SERVER_SECONDS", 0.5)
    build_index(tmp_path / "home", packs=PACKS, encoder=counting)
    with server() as url:
        library = Library.open(tmp_path / "home", packs=PACKS, encoder=counting, chroma_url=url)
        with pytest.raises(IndexProblem, match=r"The Chroma server at http://127\.0\.0\.1") as caught:
            library.search("kv")
        assert "\n" not in str(caught.value)
        with pytest.raises(IndexProblem, match=r"The Chroma server at http://127\.0\.0\.1"):
            build_index(tmp_path / "other", packs=PACKS, encoder=counting, chroma_url=url)
    assert not [entry for entry in (tmp_path / "other" / "index").iterdir() if entry.is_dir()]
    library.close()


@pytest.mark.parametrize("url", ["chroma:8000", "ftp://chroma", "http://", "http://chroma:port", "\x00", "http://[::1"])
def test_an_address_that_is_none(url: str, tmp_path: Path, counting: Encoder) -> None:
    build_index(tmp_path, packs=PACKS, encoder=counting)
    with pytest.raises(IndexProblem, match=r"RACKSIDE_CHROMA_URL is not an address: write it as http://HOST:8000"):
        Library.open(tmp_path, packs=PACKS, encoder=counting, chroma_url=url).search("kv")


def test_a_password_is_not_shown() -> None:
    assert shown_url("https://me:secret@chroma.example.org:8000/x?token=y") == "https://chroma.example.org:8000/x"
