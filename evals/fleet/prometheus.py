"""A real Prometheus on a free loopback port, loaded with history, gone without a trace afterwards."""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, NoReturn, Self

import yaml

PATIENCE = 60.0


class CannotRunError(RuntimeError):
    """Prometheus or promtool is missing, or refused; the message says what to do."""


def tool(name: str) -> str:
    """The path of an installed program; raises CannotRunError with a sentence when it is missing."""
    found = shutil.which(name)
    if found is None:
        raise CannotRunError(
            f"{name} is not installed. On Debian or Ubuntu: apt-get install prometheus (it brings promtool too)."
        )
    return found


def import_history(files: Sequence[Path], data: Path) -> None:
    """Turn OpenMetrics files into blocks under ``data``.

    Raises CannotRunError with promtool's words when it refuses.
    """
    data.mkdir(parents=True, exist_ok=True)
    for file in files:
        command = [
            tool("promtool"),
            "tsdb",
            "create-blocks-from",
            "openmetrics",
            "--max-block-duration=168h",
            "-q",
            str(file),
            str(data),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False, env=_short_lived())
        if done.returncode:
            raise CannotRunError(f"promtool refused {file.name}: {(done.stderr or done.stdout).strip()[-400:]}")


class Prometheus:
    """A context manager. Start it in the main thread: on Linux it dies with the thread that started it.

    ``files`` are OpenMetrics histories; ``scrape_configs`` are Prometheus' own, for live series; ``blocks`` is a
    folder of blocks that were imported before, which is left as it is. ``url`` is where it answers.
    """

    def __init__(
        self,
        files: Sequence[Path] = (),
        scrape_configs: Sequence[dict[str, Any]] = (),
        interval: str = "15s",
        blocks: Path | None = None,
    ) -> None:
        """Nothing runs before the context is entered."""
        self._files, self._scrapes, self._interval, self._blocks = files, scrape_configs, interval, blocks
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    def __enter__(self) -> Self:
        """Import, start, and wait until it answers; raises CannotRunError with a sentence when that fails."""
        self._folder = Path(tempfile.mkdtemp(prefix="fleet-prometheus-"))
        try:
            tool("prometheus")
            if self._blocks is not None:
                shutil.copytree(self._blocks, self._folder / "data")
            import_history(self._files, self._folder / "data")
            config = {
                "global": {"scrape_interval": self._interval, "scrape_timeout": "10s"},
                "scrape_configs": list(self._scrapes),
            }
            (self._folder / "prometheus.yml").write_text(yaml.safe_dump(config, sort_keys=False), encoding="utf-8")
            # A port can be taken between its choice and its use: try another one.
            if not any(self._start() for _ in range(3)):
                self._refuse()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop it and remove its folder."""
        self.close()

    @property
    def pid(self) -> int:
        """The process id; 0 when nothing runs."""
        return self._process.pid if self._process else 0

    def query(self, expression: str, at: float | None = None) -> list[dict[str, Any]]:
        """The result of an instant query; for looking at, and for tests.

        Raises CannotRunError when it is refused.
        """
        moment = "" if at is None else f"&time={at}"
        address = f"{self.url}/api/v1/query?query={urllib.parse.quote(expression)}{moment}"
        try:
            with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 -- our own loopback address
                found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
                return found
        except urllib.error.HTTPError as why:
            raise CannotRunError(f"Prometheus refused the query: {why.read().decode(errors='replace')[:300]}") from None

    def close(self) -> None:
        """Stop it, wait for its end, and remove its folder; may be called twice."""
        self._stop()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait(15)

    def _start(self) -> bool:
        assert self._folder is not None
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        command = [
            tool("prometheus"),
            f"--config.file={self._folder / 'prometheus.yml'}",
            f"--storage.tsdb.path={self._folder / 'data'}",
            "--storage.tsdb.retention.time=100y",
            f"--web.listen-address=127.0.0.1:{port}",
            "--log.level=warn",
        ]
        with (self._folder / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
                env=_short_lived(),
                preexec_fn=_die_with_parent if sys.platform == "linux" else None,  # noqa: PLW1509 -- only prctl runs in it
            )
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline and self._process.poll() is None:
            with (
                contextlib.suppress(OSError),
                urllib.request.urlopen(f"{self.url}/-/ready", timeout=2) as answer,  # noqa: S310 -- our own
            ):
                if answer.status == 200:
                    return True
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(0.05)
        self._stop()
        return False

    def _refuse(self) -> NoReturn:
        assert self._folder is not None
        log = self._folder / "log"
        said = log.read_text(encoding="utf-8", errors="replace").strip() if log.exists() else ""
        raise CannotRunError(f"Prometheus did not start: {said[-400:] or 'it said nothing'}")


def _short_lived() -> dict[str, str]:
    # Programs in Go that live for a second need not tidy up their memory as often as servers do.
    return {"GOGC": "400", **os.environ}


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _die_with_parent() -> None:
    # PR_SET_PDEATHSIG: the kernel kills Prometheus when we are gone, however we went.
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
