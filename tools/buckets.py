"""What a histogram's buckets counted, as one value of a reading: every bound with its cumulated count.

Written as `LE:BOUND=COUNT` with blanks between: the label as it stands (so that it can be asked for again), its bound in the signal's
unit, and how many observations were at most that large.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

STATISTIC = "buckets"


class Bucket(NamedTuple):
    """One bound and how many observations were at most that large."""

    le: str
    bound: float
    counted: float


def written(counted: Iterable[tuple[str, float]], scale: float = 1.0) -> str:
    """Labels with their counts as a value; `scale` turns the label's number into the signal's unit. What is no number is left out."""
    found = []
    for le, count in counted:
        try:
            bound = float(le) * scale
        except ValueError:
            continue
        if not math.isnan(bound) and math.isfinite(count):
            found.append(Bucket(le, bound, count))
    return " ".join(f"{one.le}:{one.bound!r}={one.counted!r}" for one in sorted(found, key=lambda one: one.bound))


def read(text: str) -> tuple[Bucket, ...]:
    """The buckets of a value, lowest first; none where the one without a bound is missing, for then nothing tells how many there were."""
    found = []
    for one in text.split():
        head, _, count = one.rpartition("=")
        le, _, bound = head.rpartition(":")
        found.append(Bucket(le, float(bound), float(count)))
    return tuple(found) if found and math.isinf(found[-1].bound) else ()
