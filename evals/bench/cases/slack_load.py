"""Slack's deliveries at 50 a second: the time to the acknowledgement beside a bare Bolt app, what is lost, the drain, idle memory."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from evals.bench.rows import Row, Size
from evals.bench.slack_load import Loaded, load, resident_mib, server
from evals.slack_standin import SlackStandIn

RATE = 50.0
SECONDS, TINY_SECONDS = 60.0, 2.0


def measure(size: Size) -> Iterator[Row]:
    """Each server once: a minute is a run of thousands of deliveries."""
    seconds = TINY_SECONDS if size.runs == 1 else SECONDS
    with tempfile.TemporaryDirectory(prefix="rackside-bench-") as scratch:
        bare, bare_mib = _run("bare", Path(scratch) / "bare", seconds)
        ours, _ = _run("serve", Path(scratch) / "serve", seconds)
        with SlackStandIn() as slack, server("idle", slack, Path(scratch) / "idle") as (_, pid):
            idle_mib = resident_mib(pid)
    number = len(ours.acks_ms)
    seen: dict[str, float | str] = {
        "deliveries": number,
        "not acknowledged": ours.refused,
        "lost": ours.lost,
        "answered twice": ours.twice,
        "drain s": round(ours.drain_s, 1),
        "sent late by at most s": round(ours.late_s, 2),
    }
    what = f"acknowledgement at {RATE:.0f} events/s for {seconds:.0f} s"
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        budget = "100 ms more than a bare Bolt app" if name == "p99" else "-"
        yield Row(
            f"Slack {what}, {name}", "ms", ours.percentile(share), "a bare Bolt app", bare.percentile(share), budget, number,
            seen if name == "p99" else {},
        )  # fmt: skip
    yield Row("serve, idle, index loaded", "MiB", idle_mib, "a bare Bolt app", bare_mib, "1,024 MiB", 1)


def _run(mode: str, home: Path, seconds: float) -> tuple[Loaded, float]:
    with SlackStandIn() as slack, server(mode, slack, home) as (port, pid):
        # The first deliveries load what is loaded late; they are not the minute.
        load(port, slack, 1.0, 10.0, answered=mode == "serve")
        slack.reset()
        return load(port, slack, seconds, RATE, answered=mode == "serve"), resident_mib(pid)
