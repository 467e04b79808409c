"""What an exporter shows at `/metrics`, read as Prometheus would read it, from a server that may send anything."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import NamedTuple

from prometheus_client.parser import text_string_to_metric_families

from tools.reading import Blind, Reason

MAX_SAMPLES = 200_000


class Sample(NamedTuple):
    """One line: its labels, and its value, which may be NaN."""

    labels: Mapping[str, str]
    value: float


def samples(text: str, wanted: Collection[str]) -> dict[str, tuple[Sample, ...]] | Blind:
    """The samples of the wanted names; blind when the text is no exposition, or longer than any exporter's."""
    found: dict[str, list[Sample]] = defaultdict(list)
    names = frozenset(wanted)
    seen = 0
    try:
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                seen += 1
                if seen > MAX_SAMPLES:
                    return Blind(Reason.SOURCE_DOWN, f"it shows more than {MAX_SAMPLES:,} samples: too many to read")
                # A counter that is not named as one is given the ending that OpenMetrics wants.
                bare = sample.name.removesuffix("_total")
                name = sample.name if sample.name in names else bare
                if name in names and not math.isinf(sample.value):
                    found[name].append(Sample(sample.labels, float(sample.value)))
    except (ValueError, KeyError, IndexError, TypeError, RecursionError):
        return Blind(Reason.SOURCE_DOWN, "what it answers is no Prometheus exposition")
    if not seen:
        return Blind(Reason.NO_SERIES, "it answers without a single sample")
    return {name: tuple(rows) for name, rows in found.items()}
