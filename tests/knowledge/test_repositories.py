"""Pages of git repositories: read at one commit, with nothing of the repository ever run."""

from __future__ import annotations

import gzip
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from knowledge.sources import repositories
from knowledge.sources.declared import Declared
from knowledge.sources.gathering import read_sources
from knowledge.sources.repositories import GitProblem, fetch, files, is_address, web_address, wrong_address


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false", *words],
        cwd=folder,
        check=True,
        capture_output=True,
        text=True,
        env={**os.environ, "GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull},
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "runbooks"
    (folder / "gpu").mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "gpu" / "xid 79.md").write_text("# Xid 79\n\nThe GPU fell off the bus.\n")
    (folder / "top.md").write_text("---\ntitle: Top\ntrust: high\nurl: https://wiki.example.org/top\n---\nText.\n")
    (folder / "code.py").write_text("print()\n")
    (folder / "big.md").write_bytes(b"x" * 5_000_001)
    (folder / "node_modules").mkdir()
    (folder / "node_modules" / "readme.md").write_text("# No\nNo.\n")
    (folder / "away.md").symlink_to("/etc/passwd")
    (folder / "guide.pdf").write_bytes(b"%PDF")
    git(folder, "add", ".")
    git(folder, "commit", "-q", "-m", "one")
    git(folder, "update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},module")
    git(folder, "commit", "-q", "-m", "two")
    return folder


def read(home: Path, *sources: Declared) -> tuple[dict[str, str], list[str]]:
    pages, readings = read_sources(home, sources)
    return {page.id: page.path for page in pages}, [line for one in readings for line in one.problems]


def test_pages_of_a_commit_with_their_links(tmp_path: Path, repository: Path) -> None:
    source = Declared("runbooks", str(repository), ref="main", trust="medium", license="MIT", date="2026-01-02")
    pages, readings = read_sources(tmp_path / "home", [source])
    commit = git(repository, "rev-parse", "HEAD")
    assert [(page.id, page.path) for page in pages] == [
        ("user/runbooks-gpu-xid-79", "runbooks/gpu/xid 79.md"),
        ("user/runbooks-top", "https://wiki.example.org/top"),
    ]
    # The page asks for more trust than its source was given.
    assert {(page.pack.title, page.pack.license, page.pack.trust, page.date) for page in pages} == {
        ("runbooks", "MIT", "medium", "2026-01-02")
    }
    assert readings[0].commit == commit
    assert sorted(readings[0].problems) == [
        "runbooks/big.md: 5 MB is too large for a page (5 MB at most)",
        "runbooks: 1 .pdf file left out: export them as Markdown or HTML",
    ]
    assert not any(entry.name == "top.md" for entry in (tmp_path / "home").rglob("*"))


def test_a_new_commit_is_fetched_and_a_removed_file_disappears(tmp_path: Path, repository: Path) -> None:
    source = Declared("runbooks", str(repository), ref="main")
    assert "user/runbooks-top" in read(tmp_path / "home", source)[0]
    git(repository, "rm", "-q", "top.md")
    (repository / "new.md").write_text("# New\nText.\n")
    git(repository, "add", "new.md")
    git(repository, "commit", "-q", "-m", "three")
    found, _ = read(tmp_path / "home", source)
    assert set(found) == {"user/runbooks-gpu-xid-79", "user/runbooks-new"}


def test_a_branch_a_tag_a_commit_and_a_folder(tmp_path: Path, repository: Path) -> None:
    first = git(repository, "rev-parse", "HEAD~1")
    git(repository, "tag", "v1", first)
    git(repository, "checkout", "-q", "-b", "side")
    (repository / "gpu" / "side.md").write_text("# Side\nText.\n")
    git(repository, "add", "gpu/side.md")
    git(repository, "commit", "-q", "-m", "side")
    home = tmp_path / "home"
    assert set(read(home, Declared("r", str(repository), ref="side", under="gpu"))[0]) == {
        "user/r-gpu-xid-79",
        "user/r-gpu-side",
    }
    assert fetch(home, str(repository), "v1").commit == first
    assert fetch(home, str(repository), first).commit == first
    found, said = read(home, Declared("r", str(repository), ref="side", under="nowhere"))
    assert not found
    assert "holds no pages under nowhere" in said[0]


def test_what_cannot_be_fetched_is_a_sentence_and_the_last_commit_is_kept(tmp_path: Path, repository: Path) -> None:
    home = tmp_path / "home"
    source = Declared("runbooks", str(repository), ref="main")
    before, _ = read(home, source)
    repository.rename(tmp_path / "moved")
    found, said = read(home, source)
    assert found == before
    assert "the pages of commit" in said[0]
    assert "git says: " in said[0]
    found, said = read(home, Declared("runbooks", str(repository), ref="other"))
    assert not found
    assert said[0].startswith("runbooks: git says: ")
    assert said[0].endswith("so nothing of it was indexed")
    assert "\n" not in said[0]


def test_a_reference_that_is_not_there(tmp_path: Path, repository: Path) -> None:
    with pytest.raises(GitProblem, match=r"git says: .*nothing-like-that"):
        fetch(tmp_path / "home", str(repository), "nothing-like-that")
    assert not repositories.folder_of(tmp_path / "home", str(repository)).exists()


def test_an_empty_repository_is_a_sentence(tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", "--bare", "empty.git")
    found, said = read(tmp_path / "home", Declared("empty", str(tmp_path / "empty.git")))
    assert not found
    assert len(said) == 1
    assert "so nothing of it was indexed" in said[0]


def test_hooks_and_filters_of_a_repository_do_nothing(tmp_path: Path, repository: Path) -> None:
    ran = tmp_path / "ran"
    (repository / ".gitattributes").write_text("*.md filter=evil\n")
    git(repository, "add", ".gitattributes")
    git(repository, "commit", "-q", "-m", "attributes")
    git(repository, "config", "filter.evil.smudge", f"touch {ran}")
    git(repository, "config", "core.fsmonitor", f"touch {ran}")
    for hook in ("post-checkout", "post-update", "pre-receive", "reference-transaction", "post-merge"):
        file = repository / ".git" / "hooks" / hook
        file.parent.mkdir(exist_ok=True)
        file.write_text(f"#!/bin/sh\ntouch {ran}\n")
        file.chmod(0o755)
    assert read(tmp_path / "home", Declared("r", str(repository), ref="main"))[0]
    assert not ran.exists()


def test_git_is_ended_when_it_takes_too_long(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    slow = programs / "git"
    slow.write_text(f"#!{sys.executable}\nimport time\ntime.sleep(600)\n")
    slow.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(repositories, "SECONDS", 0.2)
    with pytest.raises(GitProblem, match="did not finish within"):
        fetch(tmp_path / "home", "https://git.example.org/a/b")


def test_without_git_there_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found, said = read(tmp_path / "home", Declared("r", "https://git.example.org/a/b"))
    assert not found
    assert said == [
        "r: the git program is not installed, and a repository is read with it, so nothing of it was indexed"
    ]


class Backend(BaseHTTPRequestHandler):
    """The repositories under `root`, served by git's own program."""

    root: Path
    refused = False

    def do_GET(self) -> None:
        self._answer(b"")

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers["Content-Length"])) if "Content-Length" in self.headers else b""
        self._answer(gzip.decompress(raw) if self.headers.get("Content-Encoding") == "gzip" else raw)

    def _answer(self, asked: bytes) -> None:
        if self.refused:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        path, _, query = self.path.partition("?")
        done = subprocess.run(
            ["git", "http-backend"],
            input=asked,
            capture_output=True,
            check=True,
            env={
                "PATH": os.environ["PATH"],
                "GIT_PROJECT_ROOT": str(self.root),
                "GIT_HTTP_EXPORT_ALL": "1",
                "PATH_INFO": path,
                "QUERY_STRING": query,
                "REQUEST_METHOD": self.command,
                "CONTENT_TYPE": self.headers.get("Content-Type", ""),
                "CONTENT_LENGTH": str(len(asked)),
                "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": "safe.directory",
                "GIT_CONFIG_VALUE_0": "*",
            },
        )
        head, _, body = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
        self.send_response(int(headers.pop("Status", "200").split()[0]))
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are silent."""


@pytest.fixture
def served(tmp_path: Path, repository: Path) -> Iterator[tuple[str, type[Backend]]]:
    handler = type("Served", (Backend,), {"root": repository.parent})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/runbooks/.git", handler
    server.shutdown()
    thread.join(10)
    server.server_close()


def test_a_server_is_read_over_http(tmp_path: Path, repository: Path, served: tuple[str, type[Backend]]) -> None:
    address, handler = served
    home = tmp_path / "home"
    found, said = read(home, Declared("runbooks", address, url="https://kb.example.org"))
    assert found == {
        "user/runbooks-gpu-xid-79": "https://kb.example.org/gpu/xid%2079.md",
        "user/runbooks-top": "https://wiki.example.org/top",
    }
    assert len(said) == 2
    # Shallow: the commit before is not here.
    with pytest.raises(subprocess.CalledProcessError):
        git(repositories.folder_of(home, address), "cat-file", "-e", git(repository, "rev-parse", "HEAD~1"))
    (repository / "new.md").write_text("# New\nText.\n")
    git(repository, "add", "new.md")
    git(repository, "commit", "-q", "-m", "three")
    assert "user/runbooks-new" in read(home, Declared("runbooks", address))[0]
    handler.refused = True
    found, said = read(home, Declared("runbooks", address))
    assert "user/runbooks-new" in found
    assert "were kept" in said[0]
    with pytest.raises(GitProblem, match=r"git says: .*terminal prompts disabled; it wants a login"):
        fetch(tmp_path / "other", address)


def test_a_dead_server_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(GitProblem, match="git says: ") as caught:
        fetch(tmp_path / "home", "http://127.0.0.1:1/a/b.git")
    assert "\n" not in str(caught.value)


def test_nobody_is_asked_and_only_safe_transports_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("GIT_EXEC_PATH", "/elsewhere")
    remote, local = repositories._environment(local=False), repositories._environment(local=True)
    assert remote["GIT_ALLOW_PROTOCOL"] == "https:http:ssh"
    assert local["GIT_ALLOW_PROTOCOL"] == "file"
    assert remote["GIT_TERMINAL_PROMPT"] == "0"
    assert "BatchMode=yes" in remote["GIT_SSH_COMMAND"]
    assert not {"GIT_DIR", "GIT_EXEC_PATH"} & remote.keys()


@pytest.mark.parametrize(
    ("place", "says"),
    [
        ("file:///etc", "file:// addresses are not read"),
        ("FILE://x/y", "file:// addresses are not read"),
        ("ext::sh -c touch% x", "ext addresses are not read"),
        ("fd::17", "fd addresses are not read"),
        ("git://example.org/a", "git addresses are not read"),
        ("ftp://example.org/a", "ftp addresses are not read"),
        ("https::https://x", "https addresses are not read"),
        ("https://user:pw@example.org/a/b", "holds a password"),
        ("https://token@example.org/a/b", "holds a password"),
        ("ssh://-oProxyCommand=x/a", "names no host"),
        ("https://example.org", "names no repository"),
        ("https://example.org/a b", "names no repository"),
        ("--upload-pack=touch", "begins with a hyphen"),
    ],
)
def test_addresses_that_are_refused(place: str, says: str) -> None:
    assert says in wrong_address(place)


@pytest.mark.parametrize(
    ("place", "link"),
    [
        ("https://github.com/acme/rb.git", "https://github.com/acme/rb/blob/c0/a%20b/x.md"),
        ("git@github.com:acme/rb.git", "https://github.com/acme/rb/blob/c0/a%20b/x.md"),
        ("ssh://git@gitlab.example.org:2222/g/s/rb", "https://gitlab.example.org/g/s/rb/-/blob/c0/a%20b/x.md"),
        ("https://gitlab.com/g/rb/", "https://gitlab.com/g/rb/-/blob/c0/a%20b/x.md"),
        ("https://bitbucket.org/t/rb", "https://bitbucket.org/t/rb/src/c0/a%20b/x.md"),
        ("https://git.example.org/a/b", ""),
        ("/srv/rb", ""),
    ],
)
def test_links_to_the_pages_of_known_hosts(place: str, link: str) -> None:
    assert web_address(place, "c0", "a b/x.md") == link
    assert not wrong_address(place)
    assert is_address(place) is (not place.startswith("/"))


def test_names_in_a_repository_may_be_anything(tmp_path: Path) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for name in ("new\nline.md", "tab\t.md", "ünï.md", "-dash.md", "a'b\".md"):
        (folder / name).write_text(f"# {name.strip()[0]}\nText.\n")
    git(folder, "add", "--", ".")
    git(folder, "commit", "-q", "-m", "one")
    fetched = fetch(tmp_path / "home", str(folder))
    assert len(files(fetched)) == 5
    pages, readings = read_sources(tmp_path / "home", [Declared("odd", str(folder), ref="main")])
    assert len(pages) == 5
    assert readings[0].problems == ()
