"""One sample of one series, as an exporter exposes it and a scrape stores it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

SampleType = Literal["gauge", "counter", "histogram", "info", "untyped"]
Labels = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Sample:
    """A sample without its time: the scrape step that it belongs to carries that.

    ``name`` is the exposed name, suffix included (``..._total``, ``..._bucket``, ``..._sum``, ``..._count``).
    ``labels`` are sorted by label name, hold no empty name, and leave out ``__name__``.
    ``family`` is the name of the metric family in the exposition (the histogram's name without its suffix);
    empty means the same as ``name``.
    """

    name: str
    labels: Labels
    value: float
    type: SampleType = "gauge"
    family: str = ""


def labels_of(**labels: str) -> Labels:
    """Labels in the order that series are compared in; empty values are kept, as exporters write them."""
    return tuple(sorted(labels.items()))
