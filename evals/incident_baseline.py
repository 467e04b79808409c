"""vllm-doctor (PyPI, BSD-3-Clause) on the same incidents: what its ten rules name, read from the same Prometheus at the same time.

It pins a version of its own of what Rackside pins, so it runs from its own environment, made on request below Rackside's
home. It only knows the present, and so it is shown the incident's Prometheus through a door that answers as of the incident's time.
"""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from evals.fleet.folder import Incident

VERSION = "0.6.0"
PATIENCE_S = 120
# Its rules in our words. It names symptoms; each counts as every failure mode that an expert would call the same.
MEANS: dict[str, tuple[str, ...]] = {
    "kv_cache_pressure": ("kv_saturation_queueing", "kv_memory_cliff"),
    "queue_pressure": ("ttft_breach_queueing", "kv_saturation_queueing"),
    "queue_latency": ("ttft_breach_queueing", "kv_saturation_queueing"),
    "ttft_bottleneck": ("ttft_breach_prefill", "ttft_breach_queueing"),
    "tpot_bottleneck": ("itl_breach_batch_too_large",),
    "preemption_pressure": ("preemption_thrash",),
    "replica_imbalance": ("routing_skew",),
    "error_rate": ("error_rate_spike", "abort_spike"),
    "prefix_cache_efficiency": ("prefix_cache_ineffective",),
    "low_throughput": ("small_batches",),
}


class CannotCompareError(RuntimeError):
    """The other tool is not to be had; the message says what was tried."""


class VllmDoctor:
    """Its command line in its own environment. Raises CannotCompareError with a sentence when it cannot be installed."""

    def __init__(self, home: Path) -> None:
        """Find its environment, or make it."""
        place = home / f"vllm-doctor-{VERSION}"
        self._program = place / "bin" / "vllm-doctor"
        if not self._program.exists():
            self._install(place)

    def _install(self, place: Path) -> None:
        for command in (
            [sys.executable, "-m", "venv", str(place)],
            [str(place / "bin" / "python"), "-m", "pip", "install", "-q", f"vllm-doctor=={VERSION}"],
        ):
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
            except (OSError, subprocess.TimeoutExpired) as why:
                raise CannotCompareError(f"vllm-doctor is left out: its environment cannot be made ({why}).") from None
            if done.returncode:
                last = (done.stderr.strip().splitlines() or ["pip said nothing"])[-1]
                raise CannotCompareError(f"vllm-doctor is left out: it cannot be installed ({last[:200]}).")

    def named(self, prometheus: str, at: float) -> tuple[str, ...]:
        """The rules that fire, in its own order, worst first."""
        with AsOf(prometheus, at) as door:
            command = [str(self._program), "diagnose", door.url, "--since", "10m", "--output", "json"]
            try:
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE_S)
            except subprocess.TimeoutExpired:
                return ()
        return fired(done.stdout)


def fired(report: str) -> tuple[str, ...]:
    """The ids of the rules with a finding in one of its reports; none where it is no report."""
    try:
        checks = json.loads(report)["checks"]
        return tuple(str(one["id"]) for one in checks if one.get("finding"))
    except (ValueError, KeyError, TypeError, AttributeError):
        return ()


def precision(expected: set[str], rules: tuple[str, ...]) -> float:
    """Its share of true findings down to the last expected one; 0 when one is missing, 1 for silence without a fault.

    Generous: it names no subject, so none is asked for, and a rule counts as any of the failure modes it may mean.
    """
    if not expected:
        return 0.0 if rules else 1.0
    places = [
        next((place for place, rule in enumerate(rules, 1) if one in MEANS.get(rule, ())), None) for one in expected
    ]
    found = [place for place in places if place is not None]
    if len(found) < len(places):
        return 0.0
    right = {place for place, rule in enumerate(rules, 1) if expected & set(MEANS.get(rule, ()))}
    last = max(found)
    return len([place for place in right if place <= last]) / last


def about_vllm(incident: Incident) -> bool:
    """Whether the incident is one that vLLM's own metrics can show: every cause is one of its rules', or there is no fault."""
    known = {mode for modes in MEANS.values() for mode in modes}
    return all(one.id in known for one in incident.expected)


class AsOf:
    """A context manager: a Prometheus as of a time. Queries without a time get that one; `url` is where it answers."""

    def __init__(self, prometheus: str, at: float) -> None:
        """Nothing listens before the context is entered."""
        outer = self
        self._prometheus, self._at = prometheus, at

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                code, body = outer.answer(self.path)
                self.send_response(code)
                self.send_header("content-type", "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Standard error is for people."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, name="as-of", daemon=True)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def answer(self, path: str) -> tuple[int, bytes]:
        """What Prometheus answers; 404 for all but its queries."""
        asked = urllib.parse.urlsplit(path)
        if asked.path != "/api/v1/query":
            return 404, b'{"status": "error", "error": "only queries are answered here"}'
        query = dict(urllib.parse.parse_qsl(asked.query))
        query.setdefault("time", str(self._at))
        address = f"{self._prometheus}/api/v1/query?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(address, timeout=30) as found:  # noqa: S310 -- our own loopback address
                return 200, found.read()
        except urllib.error.HTTPError as why:
            return why.code, why.read()
        except OSError as why:
            return 502, json.dumps({"status": "error", "error": str(why)}).encode()

    def __enter__(self) -> Self:
        """Listen on a free loopback port."""
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(10)
