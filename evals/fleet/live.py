"""The same fleet in wall-clock time: every target answers over HTTP, and Prometheus finds them by service
  discovery.

`/targets?honor=true` and `/targets?honor=false` list targets with the labels that a relabelled setup gives
them (HTTP service discovery); `/metrics/JOB/ADDRESS` is one target's exposition. A target that does not
answer is a 503.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from evals.fleet.openmetrics import escape, number
from evals.fleet.sample import Sample
from evals.fleet.targets import Target
from evals.fleet.world import World


class Live:
    """A context manager around the HTTP server; the world moves whenever somebody looks.

    ``clock`` gives the present in seconds since the epoch. ``scrape_configs`` belong into Prometheus'
    configuration.
    """

    def __init__(self, world: World, clock: Callable[[], float] = time.time, interval: str = "15s") -> None:
        """Nothing listens before the context is entered."""
        self._world, self._clock, self._interval = world, clock, interval
        self._server: ThreadingHTTPServer | None = None
        self._thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Listen on a free loopback port."""
        live = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                live.answer(self)

            def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the library's signature
                """Scrapes are no news."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="fleet-live", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self.close()

    def close(self) -> None:
        """Stop listening; may be called twice."""
        server, self._server = self._server, None
        if server is not None and self._thread is not None:
            server.shutdown()
            self._thread.join(10)
            server.server_close()

    @property
    def address(self) -> str:
        """Host and port; raises RuntimeError before the context is entered."""
        if self._server is None:
            raise RuntimeError("the live fleet does not listen: enter its context first")
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def scrape_configs(self) -> list[dict[str, Any]]:
        """Prometheus' scrape configurations for all targets."""
        return [
            {
                "job_name": f"fleet-{name}",
                "honor_labels": honor,
                "scrape_interval": self._interval,
                "http_sd_configs": [
                    {"url": f"http://{self.address}/targets?honor={str(honor).lower()}", "refresh_interval": "5s"}
                ],
            }
            for name, honor in (("state", True), ("engines", False))
        ]

    # ------------------------------------------------------------------ answering

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        """Answer one request."""
        parts = urlsplit(request.path)
        with self._world.lock:
            self._world.advance(self._clock())
            targets = self._world.targets.now()
            if parts.path == "/targets":
                honor = parse_qs(parts.query).get("honor", [""])[0] == "true"
                found = [self._discovered(target) for target in targets if target.honor_labels is honor]
                _send(request, 200, "application/json", json.dumps(found))
                return
            wanted = [target for target in targets if parts.path == _path(target)]
            samples = wanted[0].collect() if wanted else None
        if samples is not None:
            _send(request, 200, "text/plain; version=0.0.4; charset=utf-8", exposition(samples))
        elif wanted:
            _send(request, 503, "text/plain", "connection refused\n")
        else:
            _send(request, 404, "text/plain", "no such target\n")

    def _discovered(self, target: Target) -> dict[str, Any]:
        return {"targets": [self.address], "labels": {**dict(target.labels), "__metrics_path__": _path(target)}}


def _path(target: Target) -> str:
    return f"/metrics/{target.job}/{target.address}"


def _send(request: BaseHTTPRequestHandler, status: int, kind: str, text: str) -> None:
    body = text.encode()
    request.send_response(status)
    request.send_header("Content-Type", kind)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    request.wfile.write(body)


def exposition(samples: list[Sample]) -> str:
    """Samples in Prometheus' text format, family by family in the order in which they come."""
    families: dict[str, list[Sample]] = {}
    for sample in samples:
        name = sample.family if sample.type == "histogram" else sample.name
        families.setdefault(name, []).append(sample)
    lines: list[str] = []
    for name, members in families.items():
        kind = members[0].type
        lines.append(f"# TYPE {name} {kind if kind in {'counter', 'gauge', 'histogram'} else 'untyped'}")
        for sample in members:
            inner = ",".join(f'{label}="{escape(value)}"' for label, value in sample.labels)
            lines.append(
                f"{sample.name}{{{inner}}} {number(sample.value)}" if inner else f"{sample.name} {number(sample.value)}"
            )
    return "\n".join(lines) + "\n"
