"""How fast the budget of a latency objective burns: the share of requests that took longer than was promised, by bucket bounds.

A p95 of 2 s allows 5 % of requests to take longer. A histogram counts at its own bounds alone: where one is near the objective it is
taken and named, else the share lies between what the bounds on both sides say, and only what both agree on is told.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from tools.buckets import Bucket, read
from tools.burn import WINDOWS, Asked, Burning, Counts, narrowed, over, serving
from tools.check import duration_shown
from tools.reading import Blind, Reason, Subject
from tools.signals import Ask, Signal

# Of a p95: one of twenty may take longer.
ALLOWED = 0.05
# A bound so near, as a share of the objective, stands for it.
NEAR = 0.1


@dataclass(slots=True)
class _Counted:
    """What the replicas counted in a window: late for certain, late at most, all; and by which bounds."""

    requests: float = 0.0
    surely: float = 0.0
    at_most: float = 0.0
    above: set[Bucket] = field(default_factory=set)
    below: set[Bucket] = field(default_factory=set)


def asks(signal: Signal) -> frozenset[Ask]:
    """What it reads."""
    return frozenset(signal.buckets(window) for window in WINDOWS)


def burning_late(counts: Counts, workload: Subject, signal: Signal, limit_s: float, what: str = "requests") -> Burning:
    """How the budget of a p95 of `limit_s` seconds burns; `what` is what the histogram counts one by one."""
    told = {window: _counted(counts, workload, signal.buckets(window), limit_s) for window in WINDOWS}
    bounds = [one for counted in told.values() if isinstance(counted, _Counted) for one in counted.above]
    surely = {window: _asked(counts, workload, signal.buckets(window), one, sure=True) for window, one in told.items()}
    at_most = {window: _asked(counts, workload, signal.buckets(window), one, sure=False) for window, one in told.items()}  # fmt: skip
    bound = min((one.bound for one in bounds), default=limit_s)
    sure = over(surely, ALLOWED, f"{what} took longer than {_at(bound, limit_s)}")
    if sure.verdict in {"page", "ticket"}:
        return sure
    hidden = _hidden(counts, workload, signal.buckets(WINDOWS[0]))
    if hidden and sure.verdict != "cannot tell":
        return replace(sure, verdict="cannot tell", why=hidden)
    most = over(at_most, ALLOWED, f"{what} may have taken longer than {duration_shown(limit_s)}")
    if sure.verdict == most.verdict:
        # Between two bounds the worse of what can be is told.
        return sure if surely == at_most else most
    below = [one.bound for counted in told.values() if isinstance(counted, _Counted) for one in counted.below]
    nearest = " and ".join(duration_shown(one) for one in (max(below, default=0.0), bound) if 0 < one < float("inf"))
    why = f"no bucket bound is near {duration_shown(limit_s)} (the nearest: {nearest or 'none'}), so that nobody can tell how many took longer; declare one of them"
    return replace(most, verdict="cannot tell", why=why)


def _at(bound: float, limit_s: float) -> str:
    if bound == limit_s:
        return duration_shown(limit_s)
    return f"{duration_shown(bound)} (the bucket bound next to {duration_shown(limit_s)})"


def _counted(counts: Counts, workload: Subject, ask: Ask, limit_s: float) -> _Counted | Blind:
    values, blind = counts.told(ask, workload)
    if blind is not None:
        return blind
    found = _Counted()
    for value in values.values():
        buckets = read(str(value))
        if not buckets:
            continue
        whole = buckets[-1].counted
        lower = max((one for one in buckets if one.bound <= limit_s), default=None, key=lambda one: one.bound)
        upper = min((one for one in buckets if one.bound >= limit_s), key=lambda one: one.bound)
        near = [one for one in (lower, upper) if one is not None and abs(one.bound - limit_s) <= NEAR * limit_s]
        if near:
            lower = upper = min(near, key=lambda one: abs(one.bound - limit_s))
        found.requests += whole
        found.surely += max(0.0, whole - upper.counted)
        found.at_most += max(0.0, whole - (lower.counted if lower is not None else 0.0))
        found.above.add(upper._replace(counted=0.0))
        if lower is not None:
            found.below.add(lower._replace(counted=0.0))
    return found if found.above else Blind(Reason.NO_SERIES, f"no histogram of its {ask.signal.meaning.lower()}")


def _asked(counts: Counts, workload: Subject, ask: Ask, found: _Counted | Blind, *, sure: bool) -> Asked:
    if isinstance(found, Blind):
        return Asked(ask.window, 0.0, 0.0, ("", ""), "", found)
    promql = ("", "")
    bounds = {one.le for one in (found.above if sure else found.below)}
    if len(bounds) == 1:
        # Replicas that count at bounds of their own have no one expression.
        whole = narrowed(counts.snapshot, ask, workload, 'le="+Inf"')
        within = narrowed(counts.snapshot, ask, workload, f'le="{bounds.pop()}"')
        promql = (f"({whole} - {within})", whole) if whole and within else promql
    column = counts.snapshot.columns[ask]
    source = next((part.source for part in column.parts if part.values), "")
    return Asked(ask.window, found.requests, found.surely if sure else found.at_most, promql, source)


def _hidden(counts: Counts, workload: Subject, ask: Ask) -> str:
    """Why some of the replicas that are up do not count, empty where all do: theirs may be the slow ones."""
    up = serving(counts.snapshot, workload)
    values: Mapping[str, object] = counts.told(ask, workload)[0]
    silent = [key for key in up if key not in values]
    if not silent:
        return ""
    blind = counts.snapshot.read(ask, silent[0]).blind
    return f"{len(silent)} of its {len(up)} replicas {'does' if len(silent) == 1 else 'do'} not tell ({blind})"
