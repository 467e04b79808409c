"""Stored series by column: what a Prometheus would hold after scraping the fleet at every step."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from itertools import zip_longest

from evals.fleet.sample import Labels, Sample, SampleType
from evals.fleet.targets import Target, merged


class Column:
    """One series: its identity, and its samples in time order."""

    __slots__ = ("family", "labels", "name", "times", "type", "values")

    def __init__(self, name: str, labels: Labels, kind: SampleType, family: str) -> None:
        """An empty series; ``labels`` are those that Prometheus stores."""
        self.name, self.labels, self.type, self.family = name, labels, kind, family
        self.times = array("q")
        self.values = array("d")


class Columns:
    """All series. Samples of one series are added in time order."""

    def __init__(self) -> None:
        """No series yet."""
        self._series: dict[tuple[str, Labels], Column] = {}
        self._of_target: dict[tuple[str, Labels], dict[tuple[str, Labels], Column]] = {}
        self._before: dict[tuple[str, Labels], list[tuple[str, Labels, Column]]] = {}
        self.count = 0

    def __iter__(self) -> Iterator[Column]:
        """Every series, in the order in which they were first seen."""
        return iter(self._series.values())

    def __len__(self) -> int:
        """How many series there are."""
        return len(self._series)

    def scrape(self, at: int, target: Target) -> None:
        """Store what a target exposes now, and what Prometheus says of the scrape itself."""
        samples = target.collect()
        known = self._of_target.setdefault((target.address, target.labels), {})
        # A target exposes nearly the same list every time: the column of the same place is tried first.
        before = self._before.get((target.address, target.labels), [])
        after: list[tuple[str, Labels, Column]] = []
        for sample, there in zip_longest(samples or (), before[: len(samples or ())]):
            name, labels = sample.name, sample.labels
            if there is not None and there[1] == labels and there[0] == name:
                column = there[2]
                after.append(there)
            else:
                found = known.get((name, labels))
                if found is None:
                    found = known[name, labels] = self._column(sample, merged(target, labels))
                column = found
                after.append((name, labels, column))
            column.times.append(at)
            column.values.append(sample.value)
        if samples is not None:
            self._before[target.address, target.labels] = after
        self.count += len(after)
        size = float(len(after))
        for name, value in (
            ("up", 0.0 if samples is None else 1.0),
            ("scrape_samples_scraped", size),
            ("scrape_duration_seconds", 0.0006 if samples is None else round(0.003 + 6e-6 * size, 6)),
        ):
            found = known.get((name, ()))
            if found is None:
                found = known[name, ()] = self._column(Sample(name, (), value), target.labels)
            column = found
            column.times.append(at)
            column.values.append(value)
            self.count += 1

    def _column(self, sample: Sample, labels: Labels) -> Column:
        key = (sample.name, labels)
        column = self._series.get(key)
        if column is None:
            column = self._series[key] = Column(sample.name, labels, sample.type, sample.family or sample.name)
        return column
