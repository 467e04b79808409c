"""Read exporters and engines themselves, through the API server, where Prometheus has nothing of them.

What can be had is the last value of a gauge. Nothing over time can: a rate, a percentile or a highest value needs a Prometheus
that scrapes them, and is blind with that reason.
"""

from __future__ import annotations

import math
import re
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Protocol, runtime_checkable

from tools.columns import Part, Value
from tools.inventory import sources
from tools.measure import Identity, key_of
from tools.reading import Blind, Reason
from tools.scrape_targets import Target
from tools.series import Labels, Series, Source
from tools.signals import Ask, Kind, Per
from tools.snapshot import SourceState
from tools.sources.exposition import Sample, samples

EXPORTERS_MOST = 16
ENGINES_MOST = 8
WITHIN_S = 15.0
PARALLEL = 8
_MATCHER = re.compile(r'(\w+)(=~|!~|!=|=)"([^"]*)"')
_JOIN: Mapping[str, Callable[[float, float], float]] = {"sum": lambda a, b: a + b, "max": max, "min": min}


class ScrapeRead(Protocol):
    """What asking one pod gave."""

    @property
    def text(self) -> str: ...
    @property
    def blind(self) -> Blind | None: ...
    @property
    def path(self) -> str: ...


@runtime_checkable
class Scraper(Protocol):
    """An API server through which pods can be asked for their metrics."""

    def scrape(self, namespace: str, pod: str, port: int, path: str) -> ScrapeRead:
        """The text at a pod's metrics path."""


@dataclass(frozen=True)
class Direct:
    """What exporters and engines themselves showed: identities by source, parts by ask, and how it went."""

    identities: Mapping[str, Identity] = field(default_factory=dict)
    parts: Mapping[Ask, tuple[Part, ...]] = field(default_factory=dict)
    states: tuple[SourceState, ...] = ()
    requests: int = 0


@dataclass(frozen=True, slots=True)
class _Shown:
    target: Target
    source: Source
    path: str
    rows: Mapping[str, tuple[Sample, ...]]


def read_directly(
    cluster: Scraper, exporters: Sequence[Target], engines: Sequence[Target], asks: Collection[Ask], now: float
) -> Direct:
    """Ask some of the exporters and engines, those that may tell most first."""
    shown: list[_Shown] = []
    states: list[SourceState] = []
    requests = 0
    for title, found, most in (("GPU exporters", exporters, EXPORTERS_MOST), ("Engines", engines, ENGINES_MOST)):
        if not found:
            continue
        read, why, asked = _ask(cluster, found[:most])
        requests += asked
        shown += read
        states.append(_state(title, len(found), len({one.target.pod.key for one in read}), why, asked))
    by_source: dict[str, list[_Shown]] = defaultdict(list)
    for one in shown:
        by_source[one.source.name].append(one)
    identities = {name: _identity(those, now) for name, those in by_source.items()}
    parts: dict[Ask, list[Part]] = defaultdict(list)
    for ask in asks:
        for name, those in by_source.items():
            part = _part(ask, those, identities[name], now)
            if part is not None:
                parts[ask].append(part)
    return Direct(identities, {ask: tuple(those) for ask, those in parts.items()}, tuple(states), requests)


def _ask(cluster: Scraper, found: Sequence[Target]) -> tuple[list[_Shown], Blind | None, int]:
    """The first alone: where it may not be asked, none may be."""
    until = time.monotonic() + WITHIN_S
    names = {name for source in sources() for name in _names(source)}

    def one(target: Target) -> list[_Shown] | Blind | None:
        if time.monotonic() > until:
            return None
        read = cluster.scrape(target.pod.namespace, target.pod.name, target.port, target.path)
        rows = read.blind or samples(read.text, names)
        if isinstance(rows, Blind):
            return rows
        # An image does not always tell who serves in it: whoever's series are there is there.
        per = target.source.per
        here = [s for s in sources() if s.per is per and any(rows.get(name) for name in s.anchor) and _fits(s, target)]
        if not here:
            return Blind(Reason.NO_SERIES, f"{target.pod.key} shows no series of {target.source.title}")
        return [_Shown(target, source, read.path, rows) for source in here]

    first = one(found[0])
    if isinstance(first, Blind) and first.reason is Reason.FORBIDDEN:
        return [], first, 1
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="direct") as pool:
        answers = [first, *pool.map(one, found[1:])]
    shown = [each for answer in answers if isinstance(answer, list) for each in answer]
    why = next((answer for answer in answers if isinstance(answer, Blind)), None)
    return shown, why, sum(answer is not None for answer in answers)


def _fits(source: Source, target: Target) -> bool:
    return source.serving if target.source.serving else bool(source.pods)


def _names(source: Source) -> Iterable[str]:
    yield from source.anchor
    for found in source.signals.values():
        for series in found:
            yield from series.metrics


def _state(title: str, found: int, read: int, why: Blind | None, asked: int) -> SourceState:
    if not read:
        return SourceState(
            f"{title} in the cluster", why or Blind(Reason.SOURCE_DOWN, "none answered in time"), 0, asked
        )
    of = f"{read} of {found}" if read < found else f"all {found}"
    failed = f"; one could not be read: {why.detail}" if why is not None else ""
    said = f"Prometheus has nothing of them, so {of} were read directly: last values only, nothing over time{failed}"
    return SourceState(f"{title} in the cluster", Blind(Reason.PARTIAL, said), read, asked)


def _labels(sample: Sample, one: _Shown) -> Mapping[str, str]:
    """The labels that Prometheus would have: its target's where the sample does not say, of an engine always."""
    pod = one.target.pod
    own = {"namespace": pod.namespace, "pod": pod.name}
    if one.source.per is Per.GPU:
        return {"node": pod.node, **sample.labels}
    # A mapped server's own labels for them may be others.
    return {"node": pod.node, **sample.labels, **own, **dict(zip(one.source.keys, own.values(), strict=False))}


def _identity(those: Sequence[_Shown], now: float) -> Identity:
    source = those[0].source
    rows: dict[str, Mapping[str, str]] = {}
    for one in those:
        for anchor in source.anchor:
            for sample in one.rows.get(anchor, ()):
                labels = _labels(sample, one)
                key = key_of(labels, source.keys, source.key_prefix)
                if key and _matches(source.match, labels):
                    rows.setdefault(key, labels)
    return Identity(source, Labels(source.keys), rows, dict.fromkeys(rows, now), exported=False)


def _part(ask: Ask, those: Sequence[_Shown], identity: Identity, now: float) -> Part | None:
    source = identity.source
    carried = source.signals.get(ask.signal)
    if carried is None or ask.signal.kind is Kind.FACT:
        return None
    title = f"{source.title}, read directly"
    # A label's text needs an expression, or is a fact that objects tell.
    last = [series for series in carried if not (series.expr or series.also or series.label)]
    if ask.statistic != "now" or not last:
        over = f"nothing over {ask.window}" if ask.window else "nothing of what this takes"
        why = Blind(Reason.NO_SERIES, f"read from the {_who(source)} itself, which tells its last value and {over}")
        return Part(title, those[0].path, now, unseen=dict.fromkeys(identity.rows, why))
    values: dict[str, Value] = {}
    nans: set[str] = set()
    told = ""
    for series in last:
        found: dict[str, float] = {}
        for one in those:
            for key, value in _values(series, one):
                told = told or f"{one.path} {series.metric}"
                if math.isnan(value):
                    nans.add(key)
                else:
                    found[key] = _JOIN[ask.signal.join](found[key], value) if key in found else value
        values = {**found, **values}
    unseen = {
        key: Blind(Reason.NO_SERIES, f"the {_who(source)} was read directly and shows no {last[0].metric}")
        for key in identity.rows
        if key not in values and key not in nans
    }
    nothing = frozenset(unseen) if ask.signal.optional else frozenset()
    return Part(
        title, told or those[0].path, now, values, None, None, frozenset(nans), nothing, {} if nothing else unseen
    )


def _values(series: Series, one: _Shown) -> Iterable[tuple[str, float]]:
    source = one.source
    for sample in one.rows.get(series.metric, ()):
        labels = _labels(sample, one)
        key = key_of(labels, source.keys, source.key_prefix)
        if key is not None and _matches(source.match, labels) and _matches(series.match, labels):
            yield key, sample.value * series.scale


def _who(source: Source) -> str:
    return "engine" if source.serving else "exporter"


def _matches(match: str, labels: Mapping[str, str]) -> bool:
    for name, operator, value in _MATCHER.findall(match):
        told = labels.get(name, "")
        same = re.fullmatch(value, told) is not None if "~" in operator else told == value
        if same == operator.startswith("!"):
            return False
    return True
