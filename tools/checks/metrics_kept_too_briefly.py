"""Prometheus forgets before anybody looks.

## What it means
Prometheus keeps its samples for less time than the limit.

## Why it hurts
Objectives over 28 days, capacity plans and the comparison with last week need what has been deleted.

## What would rule it out
A long-term store (Thanos, Mimir, VictoriaMetrics) that Prometheus writes to.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.finding import Change, Remedy
from tools.vocabulary.watching import RETENTION


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire below the limit."""
    kept = now[RETENTION.now]
    return because("Prometheus keeps samples for {kept}.", kept=kept) if kept.number < limits["days"] else None


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    """Keep a month."""
    days = now[RETENTION.now].number
    return (
        Remedy(
            "Keep a month, or write to a long-term store. Copy: `spec: {retention: 30d}`",
            Change("storage.tsdb.retention.time", f"{days:g}d", "30d"),
            "The status page of Prometheus shows the new retention.",
            ("infrastructure-audit/storage-and-data", "platform/prometheus-stack"),
        ),
    )


CHECK = Check(
    on=(On.CLUSTER,),
    severity="low",
    needs=(RETENTION.now,),
    fires=fires,
    remedies=remedies,
    limits={"days": Limit(14.0, "days", "two weeks side by side; Prometheus' own default is 15 days")},
    pages=("infrastructure-audit/storage-and-data", "platform/prometheus-stack"),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\bretention\b",
        r"\b(?:how long|how far back|long enough)\b[^.?!]{0,60}\b(?:metrics?|prometheus|series|history|monitoring)\b",
        r"\b(?:metrics?|prometheus|series|history|monitoring)\b[^.?!]{0,60}\b(?:how long|how far back|far enough back|long enough|kept for|keeps? (?:only|for)|forgets?)\b",
    ),
)
