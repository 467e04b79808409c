"""Pages of a git repository, read at one commit.

The repository is fetched bare and shallow into the home folder and its files are read from there: nothing is
checked out, so neither hooks nor filters nor links nor submodules of a stranger's repository do anything.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import signal
import subprocess
import urllib.parse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

SECONDS = 180.0
_AT_ONCE = 200
_ADDRESS = re.compile(r"(?:https?|ssh)://[^/\s]+/\S+|[\w.-]+@[\w.-]+:(?!/)\S+")
_OTHER_SCHEME = re.compile(r"([A-Za-z][\w+.-]*)::?//|([A-Za-z][\w+.-]*)::")
_SCP = re.compile(r"[\w.-]+@(?P<host>[\w.-]+):(?P<path>.+)")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_LOGIN = re.compile(r"terminal prompts disabled|Authentication failed|Permission denied|could not read Username")
_HELD = "refs/rackside/head"
_SAFE = (
    "-c", "core.hooksPath=/dev/null",
    "-c", "core.fsmonitor=false",
    "-c", "gc.auto=0",
    "-c", "fetch.recurseSubmodules=false",
    "-c", "credential.interactive=false",
)  # fmt: skip


class GitProblem(RuntimeError):  # noqa: N818 - what people read
    """A repository that cannot be fetched or read: the rest of a sentence that its name begins."""


@dataclass(frozen=True, slots=True)
class Tracked:
    """A file at the commit. `size` is in bytes."""

    path: str
    size: int
    blob: str


@dataclass(frozen=True, slots=True)
class Fetched:
    """A repository as it lies in the home folder. `stale` says why it is not the newest, empty when it is."""

    folder: Path
    commit: str
    stale: str = ""


def is_address(place: str) -> bool:
    """Is it the address of a repository, rather than a path?"""
    return _ADDRESS.fullmatch(place) is not None


def wrong_address(place: str) -> str:
    """What is wrong with an address, empty for a good one and for a path."""
    if other := _OTHER_SCHEME.match(place):
        scheme = (other[1] or other[2]).lower()
        if scheme == "file":
            return "file:// addresses are not read: give the repository's path"
        if scheme not in {"http", "https", "ssh"} or other[2]:
            return f"{scheme} addresses are not read: give an https:// or ssh:// address, or a path"
        if not is_address(place):
            return f"{place[:80]!r} names no repository"
        try:
            parts = urllib.parse.urlsplit(place)
        except ValueError:
            return "its address cannot be understood"
        if parts.password or (parts.username and scheme != "ssh"):
            return "its address holds a password: leave it out and let git's credential helper or an SSH key give it"
        if not parts.hostname or parts.hostname.startswith("-"):
            return "its address names no host"
    return "it begins with a hyphen" if place.startswith("-") else ""


def folder_of(home: Path, place: str) -> Path:
    """Where a repository is kept."""
    return home / "repositories" / hashlib.sha256(place.encode()).hexdigest()[:16]


def fetch(home: Path, place: str, ref: str = "") -> Fetched:
    """The newest commit of `ref` (the default branch when empty), or the one that was fetched before when that fails.

    Raises GitProblem when there is neither.
    """
    if shutil.which("git") is None:
        raise GitProblem("the git program is not installed, and a repository is read with it")
    folder = folder_of(home, place)
    before = _held(folder)
    try:
        if before is None:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
            _git(None, "init", "--quiet", "--bare", "--template=", "--", str(folder))
        _git(
            folder,
            *("fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--force"),
            *("--", place, f"{ref or 'HEAD'}:{_HELD}"),
            local=not is_address(place),
        )
    except GitProblem as problem:
        # The commit that is held may be of another ref, and then it is not what was asked for.
        if before is not None and _ref_of(folder) == ref:
            return Fetched(folder, before, str(problem))
        shutil.rmtree(folder, ignore_errors=True)
        raise
    except OSError as error:
        raise GitProblem(f"it cannot be kept in {folder.parent} ({error.strerror or error})") from error
    commit = _held(folder)
    if commit is None:
        raise GitProblem(f"{ref or 'its default branch'} is not a commit")
    (folder / "rackside-ref").write_text(ref, encoding="utf-8")
    return Fetched(folder, commit)


def files(fetched: Fetched, under: str = "") -> list[Tracked]:
    """The regular files at the commit, by path. Raises GitProblem."""
    paths = ["--", f"{under.strip('/')}/"] if under else []
    listed = _git(
        fetched.folder, "--literal-pathspecs", "ls-tree", "-r", "-z", "-l", "--full-tree", fetched.commit, *paths
    )
    found = []
    for entry in listed.split(b"\x00"):
        about, _, path = entry.partition(b"\t")
        words = about.split()
        # Links (120000) and submodules (160000) are not text.
        if len(words) == 4 and words[0] in {b"100644", b"100755"}:
            found.append(Tracked(path.decode("utf-8", "replace"), int(words[3]), words[2].decode()))
    return found


def read(fetched: Fetched, wanted: Sequence[Tracked]) -> Iterator[tuple[Tracked, bytes]]:
    """Each file with its bytes. Raises GitProblem."""
    for start in range(0, len(wanted), _AT_ONCE):
        some = wanted[start : start + _AT_ONCE]
        asked = "".join(f"{one.blob}\n" for one in some).encode()
        answer = _git(fetched.folder, "cat-file", "--batch", asked=asked)
        at = 0
        for one in some:
            end = answer.index(b"\n", at)
            size = answer[at:end].rsplit(b" ", 1)[-1]
            if not size.isdigit():
                raise GitProblem("what was fetched is incomplete: remove it and add it anew")
            yield one, answer[end + 1 : end + 1 + int(size)]
            at = end + 2 + int(size)


def forget(home: Path, place: str) -> None:
    """Remove what was fetched of a repository."""
    shutil.rmtree(folder_of(home, place), ignore_errors=True)


def web_address(place: str, commit: str, path: str) -> str:
    """Where a file can be read on the web at a commit, empty where the host's addresses are not known."""
    match = None if "://" in place else _SCP.fullmatch(place)
    if match:
        host, rest, scheme = match["host"], match["path"], "https"
    elif is_address(place):
        parts = urllib.parse.urlsplit(place)
        host, rest = parts.hostname or "", parts.path
        scheme = "https" if parts.scheme == "ssh" else parts.scheme
        if parts.port and parts.scheme != "ssh":
            host = f"{host}:{parts.port}"
    else:
        return ""
    rest = rest.strip("/").removesuffix(".git")
    name = host.split(":")[0].lower()
    middle = (
        "/blob/" if "github" in name else "/-/blob/" if "gitlab" in name else "/src/" if name == "bitbucket.org" else ""
    )
    return f"{scheme}://{host}/{urllib.parse.quote(rest)}{middle}{commit}/{urllib.parse.quote(path)}" if middle else ""


def _held(folder: Path) -> str | None:
    if not (folder / "HEAD").is_file():
        return None
    try:
        commit = _git(folder, "rev-parse", "--verify", "--quiet", f"{_HELD}^{{commit}}").decode().strip()
    except GitProblem:
        return None
    return commit if _COMMIT.fullmatch(commit) else None


def _ref_of(folder: Path) -> str | None:
    try:
        return (folder / "rackside-ref").read_text(encoding="utf-8")
    except OSError:
        return None


def _git(folder: Path | None, *words: str, asked: bytes = b"", local: bool = False) -> bytes:
    """What git prints. It asks nobody anything, and is ended when it takes too long."""
    place = [] if folder is None else [f"--git-dir={folder}"]
    process = subprocess.Popen(
        ["git", *_SAFE, *place, *words],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=_environment(local),
        start_new_session=True,
    )
    try:
        out, err = process.communicate(asked, timeout=SECONDS)
    except subprocess.TimeoutExpired as error:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        raise GitProblem(f"git did not finish within {SECONDS:.0f} seconds") from error
    if process.returncode:
        raise GitProblem(_said(err))
    return out


def _environment(local: bool) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    kept.update({name: os.environ[name] for name in ("GIT_SSH_COMMAND", "GIT_SSH") if name in os.environ})
    kept.setdefault("GIT_SSH_COMMAND", "ssh -o BatchMode=yes -o ConnectTimeout=20")
    return {
        **kept,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "",
        "SSH_ASKPASS": "",
        "SSH_ASKPASS_REQUIRE": "never",
        "GIT_ALLOW_PROTOCOL": "file" if local else "https:http:ssh",
        "GIT_PROTOCOL_FROM_USER": "0" if not local else "1",
        "GIT_LFS_SKIP_SMUDGE": "1",
        "LC_ALL": "C",
    }


def _said(err: bytes) -> str:
    """The line of git's complaint that says why, without a password that an address in it may carry."""
    lines = [line.strip() for line in err.decode("utf-8", "replace").splitlines() if line.strip()]
    fatal = next(
        (line for line in lines if line.startswith(("fatal:", "error:", "ERROR:"))), lines[-1] if lines else ""
    )
    plain = re.sub(r"://[^/@\s]+@", "://", re.sub(r"^(?:fatal|error|ERROR|remote):\s*", "", fatal))
    plain = "".join(char if char.isprintable() else " " for char in plain)[:200]
    if _LOGIN.search(plain):
        plain += "; it wants a login, which git's credential helper or an SSH key of this user can give"
    return f"git says: {plain}" if plain else "git failed and did not say why"
