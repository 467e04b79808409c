"""Slack under load: a server in a process of its own (`serve`, `bare` or `idle`), and the driver that delivers to it and looks.

`python -m evals.bench.slack_load MODE API_URL HOME` prints the port that it listens on. `bare` is a Bolt app that does nothing but
acknowledge, on the same HTTP server; `idle` is `serve` with the knowledge base loaded.
"""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from slack_sdk.signature import SignatureVerifier

from evals.bench.processes import ROOT, python
from evals.bench.rows import CannotMeasureError
from evals.slack_standin import BOT_TOKEN, BOT_USER, SIGNING_SECRET, SlackStandIn

SENDERS = 32
PATIENCE_S = 120.0
DRAIN_S = 600.0
PEOPLE, CHANNELS = 50, 20


@dataclass(frozen=True, slots=True)
class Loaded:
    """What was seen of one server: milliseconds to each acknowledgement, what was not acknowledged, what was answered and when."""

    acks_ms: tuple[float, ...]
    refused: int
    lost: int
    twice: int
    drain_s: float
    late_s: float

    def percentile(self, share: float) -> float:
        """The acknowledgement time that this share stays under."""
        ordered = sorted(self.acks_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


@contextmanager
def server(mode: str, slack: SlackStandIn, home: Path) -> Iterator[tuple[int, int]]:
    """A server's port and process id; killed at the end."""
    command = python("-m", "evals.bench.slack_load", mode, slack.api_url, str(home))
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        try:
            assert process.stdout is not None
            told = process.stdout.readline().strip()
            if not told.isdecimal():
                raise CannotMeasureError(f"the {mode} server did not start")
            yield int(told), process.pid
        finally:
            process.kill()


def load(port: int, slack: SlackStandIn, seconds: float, rate: float, *, answered: bool) -> Loaded:
    """Deliver mentions at a rate, each once; with `answered`, wait until their threads hold an answer."""
    number = int(seconds * rate)
    bodies = [slack.say(f"C{n % CHANNELS}", f"U{n % PEOPLE}", f"<@{BOT_USER}> question {n}?") for n in range(number)]
    acks: list[float] = []
    late: list[float] = []
    refused: list[int] = []
    lock = threading.Lock()
    kept = threading.local()
    begun = time.perf_counter() + 0.5

    def send(n: int) -> None:
        due = begun + n / rate
        time.sleep(max(0.0, due - time.perf_counter()))
        raw = json.dumps(bodies[n])
        stamp = str(int(time.time()))
        headers = {
            "content-type": "application/json",
            "x-slack-request-timestamp": stamp,
            "x-slack-signature": SignatureVerifier(SIGNING_SECRET).generate_signature(timestamp=stamp, body=raw) or "",
        }
        started = time.perf_counter()
        status = _post(kept, port, raw, headers)
        took = time.perf_counter() - started
        with lock:
            acks.append(1000.0 * took)
            late.append(started - due)
            if status != 200:
                refused.append(status)

    with ThreadPoolExecutor(SENDERS) as pool:
        list(pool.map(send, range(number)))
    ended = time.perf_counter()
    roots = [(body["event"]["channel"], body["event"]["ts"]) for body in bodies]
    counts = _drained(slack, roots) if answered else dict.fromkeys(roots, 1)
    drain = time.perf_counter() - ended if answered else 0.0
    return Loaded(
        tuple(acks),
        len(refused),
        sum(not n for n in counts.values()),
        sum(n > 1 for n in counts.values()),
        drain,
        max(late),
    )


def _post(kept: Any, port: int, raw: str, headers: dict[str, str]) -> int:
    """One delivery over a connection that is kept, as Slack's are; 0 where it broke twice."""
    for _ in range(2):
        connection = getattr(kept, "connection", None)
        if connection is None:
            connection = kept.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        try:
            connection.request("POST", "/slack/events", raw, headers)
            response = connection.getresponse()
            response.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            kept.connection = None
        else:
            return int(response.status)
    return 0


def _drained(slack: SlackStandIn, roots: Sequence[tuple[str, str]]) -> dict[tuple[str, str], int]:
    """How many answers each thread holds once all have one, or nothing came for a while."""
    end = time.monotonic() + DRAIN_S
    while True:
        with slack.changed:
            counts = dict.fromkeys(roots, 0)
            for channel, messages in slack.messages.items():
                for message in messages:
                    key = (channel, message.get("thread_ts", ""))
                    if message.get("bot_id") and key in counts:
                        counts[key] += 1
            if all(counts.values()) or time.monotonic() > end:
                return counts
            slack.changed.wait(0.5)


def resident_mib(pid: int) -> float:
    """The memory that a process holds."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024.0


def main(arguments: Sequence[str]) -> int:
    """Be the server."""
    mode, api_url, home = arguments
    print_port = lambda port: print(port, flush=True)  # noqa: E731
    if mode == "bare":
        _bare(print_port)
        return 0
    from bot.advisor.question import Answer, Scope
    from bot.slack_app import SlackSettings, serve

    # Nobody is told that it is busy: what is measured is that nothing is lost, and how long the whole of it takes.
    settings = SlackSettings(
        BOT_TOKEN, None, SIGNING_SECRET, Path(home), api_url, host="127.0.0.1", port=0, queue=1_000_000
    )
    if mode == "idle":
        from bot.app import make_library
        from bot.settings import load_settings

        library = make_library(load_settings())
        library.search("how full is the KV cache", 3)
    return serve(
        settings,
        lambda question, _: Answer(question.text, "live", Scope(), f"You asked: {question.text}"),
        ready=print_port,
    )


def _bare(ready: Any) -> None:
    from slack_bolt import App
    from slack_bolt.authorization import AuthorizeResult

    from bot.slack_http import HttpServer, SlackEndpoint

    app = App(
        signing_secret=SIGNING_SECRET,
        authorize=lambda: AuthorizeResult(
            enterprise_id=None, team_id="T0STANDIN", bot_token=BOT_TOKEN, bot_user_id=BOT_USER
        ),
    )
    app.event("message")(lambda: None)
    listening = HttpServer(SlackEndpoint(app, lambda: ""), "127.0.0.1", 0)
    listening.start()
    ready(listening.port)
    threading.Event().wait()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
