"""A canary beside the stable workload: worse, no worse, or too few requests to tell. A ratio of a few requests is no ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.burn import Counts, count
from tools.check import NothingToSee, Unseen, duration_shown
from tools.present import Present
from tools.reading import Reading, Subject
from tools.signals import REQUESTS_FINISHED, TTFT, Ask
from tools.vocabulary.outcomes import FAILED, HTTP_5XX, HTTP_REQUESTS

Verdict = Literal["worse", "no worse", "too few requests to tell", "cannot tell"]
WINDOW = "1h"
POINT = 0.01  # one more failure in a hundred requests
TWICE = 2.0
LEAST_FAILURES = 5.0
SLOWER = 1.5


@dataclass(frozen=True, slots=True)
class Canary:
    """The verdict with its reason, and the readings and queries behind it."""

    verdict: Verdict
    why: str
    queries: tuple[str, ...] = ()
    readings: tuple[Reading, ...] = ()


def asks() -> frozenset[Ask]:
    """What it reads."""
    counted = {signal.increase(WINDOW) for signal in (HTTP_REQUESTS, HTTP_5XX, REQUESTS_FINISHED, FAILED)}
    return frozenset({*counted, TTFT.p95(WINDOW)})


def judged(counts: Counts, stable: Subject, canary: Subject, least: int) -> Canary:
    """A canary against the stable workload over an hour; `least` requests are needed of each."""
    ours, theirs = (count(counts, one, WINDOW) for one in (canary, stable))
    queries = tuple(text for one in (ours, theirs) for text in one.promql if text)
    for name, one in (("canary", ours), ("stable", theirs)):
        if one.blind is not None:
            return Canary("cannot tell", f"the requests of the {name} are not seen ({one.blind})", queries)
    few = [f"the {name} had {one.requests:,.0f}" for name, one in (("canary", ours), ("stable", theirs)) if one.requests < least]  # fmt: skip
    if few:
        why = f"{' and '.join(few)} requests in {WINDOW}, of {least:,} that a judgement needs"
        return Canary("too few requests to tell", why, queries)
    mine, other = ours.ratio or 0.0, theirs.ratio or 0.0
    said = f"{mine:.2%} of {ours.requests:,.0f} requests failed, against {other:.2%} of {theirs.requests:,.0f} on the stable one"
    if mine - other >= POINT or (mine >= TWICE * other and ours.failed >= LEAST_FAILURES and mine > other):
        return Canary("worse", said, queries)
    silent = [name for name, one in (("canary", ours), ("stable", theirs)) if one.silent]
    if silent:
        return Canary("cannot tell", f"{said}; of a replica of the {' and the '.join(silent)} nothing is told", queries)
    late = [_slowest(counts, one) for one in (canary, stable)]
    seen = tuple(one for one in late if one is not None)
    if len(seen) < len(late):
        return Canary(
            "cannot tell", f"{said}; how long the first tokens take is not seen of all of both", queries, seen
        )
    slow = f"its first tokens take {duration_shown(seen[0].number)} (p95), against {duration_shown(seen[1].number)}"
    if seen[0].number > SLOWER * seen[1].number:
        return Canary("worse", f"{slow}; {said}", queries, seen)
    return Canary("no worse", f"{said}; {slow}", queries, seen)


def _slowest(counts: Counts, one: Subject) -> Reading | None:
    """The highest p95 of its replicas; None where one of them is not seen, for that may be the slow one."""
    now = Present(counts.snapshot, one)
    try:
        found = now.worst(TTFT.p95(WINDOW))
    except (Unseen, NothingToSee):
        return None
    return None if now.unseen else found
