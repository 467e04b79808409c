"""Figures of costs: each with the formula that it is made by and the queries that it rests on, so that it can be recomputed."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from tools.reading import Reading

Kind = Literal["used", "standby", "idle", "free", "stranded", "gone", "unseen"]
KINDS: tuple[Kind, ...] = ("used", "standby", "idle", "free", "stranded", "gone", "unseen")
_MOST_QUERIES = 12


@dataclass(frozen=True, slots=True)
class Query:
    """What was asked of which source."""

    source: str
    query: str


@dataclass(frozen=True, slots=True)
class Figure:
    """A number with its unit; `how` is the arithmetic with its values filled in, `queries` what those values were read by."""

    value: float
    unit: str
    how: str
    queries: tuple[Query, ...] = ()


@dataclass(frozen=True, slots=True)
class Spent:
    """GPU-hours of the window of one kind, with the reason. `usd` is None where the GPU has no price.

    Kinds: used; standby (kept warm on purpose); idle (held, and nothing done with it); free (nobody holds it, and it could be had);
    stranded (nobody could have it); gone (held by pods that have ended since); unseen (not known, and so neither idle nor used).
    """

    kind: Kind
    reason: str
    gpu_hours: float
    usd: float | None
    queries: tuple[Query, ...] = ()


def queries(readings: Iterable[Reading | None]) -> tuple[Query, ...]:
    """The queries behind some readings, each once."""
    found = dict.fromkeys(Query(one.source, one.query) for one in readings if one is not None and one.query)
    return tuple(found)[:_MOST_QUERIES]


def plain(number: float) -> str:
    """A number as it stands in a formula: four digits that count."""
    return f"{number:.4g}" if abs(number) < 10_000 else f"{number:,.0f}"


def merged(spent: Iterable[Spent]) -> tuple[Spent, ...]:
    """What was spent, joined by kind and reason, in the order of kinds and the longest first; a slot's worth of rounding is left out."""
    hours: dict[tuple[Kind, str], float] = {}
    usd: dict[tuple[Kind, str], float | None] = {}
    asked: dict[tuple[Kind, str], dict[Query, None]] = {}
    for one in spent:
        key = (one.kind, one.reason)
        hours[key] = hours.get(key, 0.0) + one.gpu_hours
        before = usd.get(key, 0.0)
        usd[key] = None if before is None or one.usd is None else before + one.usd
        asked.setdefault(key, {}).update(dict.fromkeys(one.queries))
    found = [
        Spent(kind, reason, hours[kind, reason], usd[kind, reason], tuple(asked[kind, reason])[:_MOST_QUERIES])
        for kind, reason in hours
        if hours[kind, reason] > 1e-9
    ]
    return tuple(sorted(found, key=lambda one: (KINDS.index(one.kind), -one.gpu_hours, one.reason)))
