"""A decisive reading over time, as charts and sparklines draw it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Trace:
    """The decisive reading over the look-back, for a chart: `values` are None where there is no data.

    `firing` says for each time whether the check would have fired, None where that could not be told. `threshold` is None where
    none can be told; the check fires above it when `above`.
    """

    finding: str
    name: str
    of: str
    unit: str
    times: tuple[float, ...]
    values: tuple[float | None, ...]
    firing: tuple[bool | None, ...]
    threshold: float | None
    above: bool
    onset: float | None
    query: str
    source: str
