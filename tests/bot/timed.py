"""A headline with its time: since when, what happened before, and the reading that decided it."""

from __future__ import annotations

from dataclasses import replace

from bot.advisor.question import Answer
from tests.bot.saturated import HPA, SATURATED
from tools.finding import Finding, Happened, Recovered, Since
from tools.moments import rfc3339
from tools.past_reading import Trace

NOW = 1_790_000_000.0
ONSET = NOW - 2400
TIMES = tuple(NOW - 60 * i for i in range(180, -1, -1))
VALUES = tuple(None if 60 <= i < 80 else 0.97 if i <= 40 else 0.4 for i in range(180, -1, -1))
TRACE = Trace(
    finding=HPA.key,
    name="KV cache usage, average over 10 min",
    of="llama-70b-chat-7d9f8b6c5-x2x9k",
    unit="ratio",
    times=TIMES,
    values=VALUES,
    firing=tuple(None if value is None else value > 0.92 for value in VALUES),
    threshold=0.92,
    above=True,
    onset=ONSET,
    query="avg_over_time(vllm:kv_cache_usage_perc[10m])",
    source="vLLM via Prometheus",
)


def happened(minutes: float, text: str, kind: str = "rollout") -> Happened:
    """A change so long before."""
    said = f"{HPA.subject} {text}; that happened {minutes:.0f} minutes before."
    return Happened(kind, rfc3339(ONSET - 60 * minutes), HPA.subject, said, minutes, "Kubernetes API")  # type: ignore[arg-type]


TIMED = replace(
    HPA,
    since=Since(
        'Since 13:33 UTC (40 min), to within 60 s: the reading "KV cache usage" on x has been past its threshold of 92 % since then.',
        rfc3339(ONSET),
        within_s=60.0,
        times=1,
    ),
    happened=(happened(2, "rolled out revision 7 (image a to b)"), happened(25, "was changed", "config")),
    unseen_before="Of the time before it could not be seen: changes of ConfigMaps (no series tells of them).",
)
GONE = Recovered(
    "routing_skew", "One replica gets most of the load.", HPA.subject, rfc3339(NOW - 5000), rfc3339(NOW - 3000),
    f"Recovered: {HPA.subject}: one replica gets most of the load, from 12:50 UTC to 13:23 UTC, to within 5 min.",
)  # fmt: skip


def answer(finding: Finding = TIMED, trace: Trace | None = TRACE) -> Answer:
    """The saturated answer with its headline's time."""
    others = tuple(one for one in SATURATED.findings if one.key != finding.key)
    traces = {} if trace is None else {finding.key: trace}
    return replace(SATURATED, findings=(finding, *others), recovered=(GONE,), traces=traces)
