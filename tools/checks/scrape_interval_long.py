"""The engine is read too seldom.

## What it means
Prometheus scrapes a replica less often than the limit.

## Why it hurts
A window of five minutes then holds a few samples: rates jump, short queues are missed, and an autoscaler on such a
metric acts late.

## What would rule it out
A replica that only serves batches.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.rules import paste
from tools.vocabulary.watching import SCRAPE_INTERVAL


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where the longest interval is beyond the limit."""
    interval = now.worst(SCRAPE_INTERVAL.now)
    if interval.number <= limits["seconds"]:
        return None
    return because("{interval_of} is scraped every {interval}.", interval=interval)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(SCRAPE_INTERVAL.now,),
    fires=fires,
    remedies=paste(
        "Scrape engines every 15 seconds.",
        "spec: {podMetricsEndpoints: [{port: http, path: /metrics, interval: 15s}]}",
        "count_over_time(up[10m]) of each replica is near 40.",
        "platform/prometheus-stack",
        "signals/prometheus",
    ),
    limits={"seconds": Limit(61.0, "seconds", "five samples in the five-minute windows of the checks")},
    pages=("platform/prometheus-stack", "signals/prometheus"),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\bscrape ?intervals?\b",
        r"\b(?:how often|often enough|too seldom|too rarely)\b[^.?!]{0,60}\b(?:scrap\w*|read|polled|metrics?|measured)\b",
        r"\b(?:scrap\w*|poll\w*|metrics?)\b[^.?!]{0,40}\b(?:how often|often enough|seldom|rarely|coarse)\b",
    ),
)
