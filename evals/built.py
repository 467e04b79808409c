"""Incidents ready to be served: their history as Prometheus blocks, their objects and logs, built in other processes and kept.

A build is kept under Rackside's home by a key over everything it follows from (the folder's evidence, its time, and the
simulator's code), so that a second run only answers. What cannot be kept is built for this run alone.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import json
import multiprocessing
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evals.fleet.folder import evidence, read_incident
from evals.fleet.prometheus import import_history
from evals.fleet.world import LogKey

KEPT = 800
AHEAD = 3


@dataclass(frozen=True)
class Built:
    """Where a build lies: `blocks` is a Prometheus data folder (read it, do not write into it)."""

    place: Path

    @property
    def blocks(self) -> Path:
        """The folder of the blocks."""
        return self.place / "blocks"

    @property
    def objects(self) -> list[dict[str, Any]]:
        """The Kubernetes objects."""
        found: list[dict[str, Any]] = self._told()["objects"]
        return found

    @property
    def logs(self) -> dict[LogKey, str]:
        """Logs by (namespace, pod, container, previous)."""
        return {(n, p, c, bool(previous)): text for n, p, c, previous, text in self._told()["logs"]}

    def _told(self) -> dict[str, Any]:
        content: dict[str, Any] = json.loads((self.place / "world.json").read_text(encoding="utf-8"))
        return content


def build(folder: Path, kept: Path) -> Path:
    """Build an incident into a folder below `kept`, unless it lies there; returns that folder.

    Raises ValueError or CannotRunError with a sentence when the evidence cannot be read or imported.
    """
    place = kept / key(folder)
    if (place / "world.json").is_file():
        with contextlib.suppress(OSError):
            os.utime(place)
        return place
    kept.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=kept) as scratch:
        fresh = Path(scratch) / "built"
        fresh.mkdir()
        found = evidence(folder, Path(scratch))
        import_history([found.metrics], fresh / "blocks")
        logs = [[*name, text] for name, text in found.logs.items()]
        told = json.dumps({"objects": found.objects, "logs": logs}, default=_plain, ensure_ascii=True)
        (fresh / "world.json").write_text(told, encoding="utf-8")
        # Another process may have been quicker: then its build is as good.
        with contextlib.suppress(OSError):
            fresh.rename(place)
    if not (place / "world.json").is_file():
        raise ValueError(f"{folder.name} could not be kept below {kept}")
    return place


def key(folder: Path) -> str:
    """A name that changes when anything does that the build follows from."""
    found = hashlib.sha256(f"1 {read_incident(folder).at} {_simulator()}".encode())
    for file in sorted(path for path in folder.rglob("*") if path.is_file() and path.name != "incident.yaml"):
        found.update(f"\n{file.relative_to(folder)}\n".encode())
        found.update(file.read_bytes())
    return f"{folder.name[:40]}-{found.hexdigest()[:20]}"


@functools.cache
def _simulator() -> str:
    found = hashlib.sha256()
    for file in sorted((Path(__file__).parent / "fleet").glob("*.py")):
        found.update(file.read_bytes())
    return found.hexdigest()


def _plain(value: object) -> str:
    # A manifest's unquoted time is a date to YAML; an API server only knows its text.
    return value.isoformat().replace("+00:00", "Z") if hasattr(value, "isoformat") else str(value)


@contextlib.contextmanager
def kept_under(home: Path) -> Iterator[Path]:
    """A folder for builds: below `home` where that can be written, else one that is gone afterwards."""
    kept = home / "incidents"
    try:
        kept.mkdir(parents=True, exist_ok=True)
        usable = os.access(kept, os.W_OK)
    except OSError:
        usable = False
    if usable:
        yield kept
        prune(kept)
        return
    with tempfile.TemporaryDirectory(prefix="rackside-incidents-") as scratch:
        yield Path(scratch)


def prune(kept: Path, most: int = KEPT) -> None:
    """Forget the builds that were not used for longest."""
    there = sorted((path for path in kept.iterdir() if path.is_dir()), key=lambda path: -path.stat().st_mtime)
    for path in there[most:]:
        shutil.rmtree(path, ignore_errors=True)


def ahead(folders: Sequence[Path], kept: Path, workers: int = 0) -> Generator[tuple[Path, Built], None, None]:
    """Incidents in their order, each as soon as it is built; others are built meanwhile, a few of them ahead.

    Closing the iterator early cancels what has not begun.
    """
    workers = workers or min(4, os.cpu_count() or 1, max(1, len(folders)))
    # A fork of a process with threads (servers, the index) may hang: the workers start afresh.
    with ProcessPoolExecutor(workers, multiprocessing.get_context("spawn")) as pool:
        waiting: deque[tuple[Path, Future[Path]]] = deque()
        rest = iter(folders)
        try:
            while True:
                while len(waiting) < workers + AHEAD and (one := next(rest, None)) is not None:
                    waiting.append((one, pool.submit(build, one, kept)))
                if not waiting:
                    return
                folder, future = waiting.popleft()
                yield folder, Built(future.result())
        finally:
            for _, future in waiting:
                future.cancel()
