"""Ask Prometheus for a set of asks: one list of names, one look at who is there, then the asks in batches.

Asks of one source share a request (a union of labelled expressions), so the number of requests follows the vocabulary and
never the fleet. A batch that the server refuses is asked again one by one, so that one bad expression blinds only itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.columns import Part, Value
from tools.inventory import sources
from tools.reading import Blind, Reason
from tools.series import IDENTITY, Labels, Series, Source, braces, exists, render
from tools.signals import Ask, Kind
from tools.sources.prom import PromSource, Result, Row

BATCH = 6
PARALLEL = 4
MARK = "rackside_ask"
SEEN_WITHIN = "1h"


@dataclass(frozen=True)
class Identity:
    """Who one source speaks of: labels by key, the sample time of those that are fresh, and how its labels look."""

    source: Source
    labels: Labels
    rows: Mapping[str, Mapping[str, str]]
    fresh: Mapping[str, float]
    exported: bool
    blind: Blind | None = None


@dataclass(frozen=True)
class Measured:
    """What Prometheus answered. `blind` is set when it could not be asked at all."""

    blind: Blind | None
    parts: Mapping[Ask, tuple[Part, ...]] = field(default_factory=dict)
    absent: Mapping[Ask, Blind] = field(default_factory=dict)
    identities: Mapping[str, Identity] = field(default_factory=dict)
    up: tuple[Row, ...] = ()
    up_blind: Blind | None = None
    requests: int = 0


@dataclass(frozen=True, slots=True)
class _Query:
    ask: Ask
    source: Source
    series: Series
    text: str


def measure(
    prom: PromSource | Blind, asks: Collection[Ask], at: float, matchers: str = "", skip: Collection[str] = ()
) -> Measured:
    """Every ask that some source on this server can answer at `at`. `skip` names sources whose facts are read elsewhere."""
    if isinstance(prom, Blind):
        return Measured(prom)
    before = prom.requests
    names = prom.names(at)
    if isinstance(names, Blind):
        return Measured(names, requests=prom.requests - before)
    measures = {
        s.name for s in sources() for ask in asks if ask.signal in s.signals and ask.signal.kind is not Kind.FACT
    }
    wanted = [s for s in sources() if s.name not in skip or s.name in measures]
    here = [s for s in wanted if any(name in names for name in s.anchor)]
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="measure") as pool:
        up = pool.submit(prom.query, f"min by (namespace, pod, node, instance, job) (up{braces(matchers)})", at)
        identities = {one.source.name: one for one in pool.map(lambda s: _identify(prom, s, names, at, matchers), here)}
        queries, absent = _plan(asks, here, names, identities, skip)
        parts = _answer(prom, queries, identities, at, pool)
        up_result = up.result()
    return Measured(
        blind=None,
        parts={ask: tuple(found) for ask, found in parts.items()},
        absent=absent,
        identities=identities,
        up=up_result.rows,
        up_blind=up_result.blind,
        requests=prom.requests - before,
    )


def key_of(labels: Mapping[str, str], keys: Sequence[str]) -> str | None:
    """The key of a row: its key labels joined by `/`; None when the first of them is missing."""
    values = [labels.get(key, "") for key in keys]
    return "/".join(value for value in values if value) if values[0] else None


def _identify(prom: PromSource, source: Source, names: frozenset[str], at: float, matchers: str) -> Identity:
    anchors = [name for name in source.anchor if name in names]
    wanted = dict.fromkeys((*source.keys, *source.identity, *IDENTITY))
    by = ", ".join(wanted)
    selector = braces(source.match, matchers)
    now = prom.query(f"max by ({by}) (timestamp({anchors[0]}{selector}))", at)
    if now.blind is not None:
        return Identity(source, Labels(source.keys, matchers), {}, {}, exported=False, blind=now.blind)
    seen = " or ".join(f"last_over_time({anchor}{selector}[{SEEN_WITHIN}])" for anchor in anchors)
    lately = prom.query(f"max by ({by}) ({seen})", at)
    # An autoscaler has no pod: its namespace alone tells that Prometheus renamed the labels.
    renamed = ("exported_pod", "exported_namespace")
    exported = any(row.labels.get(label) for row in (*now.rows, *lately.rows) for label in renamed)
    keys = source.keys_in(exported)
    rows: dict[str, Mapping[str, str]] = {}
    fresh: dict[str, float] = {}
    for row in now.rows:
        key = key_of(row.labels, keys)
        if key and row.value >= fresh.get(key, 0.0):
            rows[key], fresh[key] = row.labels, row.value
    for row in lately.rows:
        key = key_of(row.labels, keys)
        if key and (key not in rows or (key not in fresh and row.labels.get("exported_pod"))):
            rows[key] = row.labels
    return Identity(source, Labels(keys, matchers), rows, fresh, exported)


def _plan(
    asks: Iterable[Ask],
    here: Sequence[Source],
    names: frozenset[str],
    identities: Mapping[str, Identity],
    skip: Collection[str],
) -> tuple[list[_Query], dict[Ask, Blind]]:
    queries: list[_Query] = []
    absent: dict[Ask, Blind] = {}
    for ask in asks:
        carriers = [source for source in sources() if ask.signal in source.signals]
        for source in carriers:
            if source not in here or (source.name in skip and ask.signal.kind is Kind.FACT):
                continue
            found = [series for series in source.signals[ask.signal] if exists(series, ask, names)]
            if found:
                labels = identities[source.name].labels
                text = " or ".join(render(ask, series, labels, source.match) for series in found)
                queries.append(_Query(ask, source, found[0], text))
        if carriers:
            answered = any(query.ask == ask for query in queries)
            absent[ask] = Blind(Reason.NO_SERIES, "no series for it") if answered else _missing(ask, carriers, here)
    return queries, absent


def _missing(ask: Ask, carriers: Sequence[Source], here: Sequence[Source]) -> Blind:
    """Why no series answers an ask: the names that were looked for, of what is installed where that is known."""
    installed = [source for source in carriers if source in here]
    others = [source.title for source in here if source.per is ask.signal.per and source.serving]
    if not installed and others and all(source.serving for source in carriers):
        return Blind(Reason.NO_SERIES, f"{' and '.join(dict.fromkeys(others))} does not export it")
    candidates = [series for source in installed or carriers for series in source.signals[ask.signal]]
    some = ", ".join(dict.fromkeys(series.metric for series in candidates[:3]))
    stock = any(series.default for series in candidates)
    return Blind(Reason.NO_SERIES if stock else Reason.NOT_DEFAULT, f"Prometheus has no {some}")


def _answer(
    prom: PromSource, queries: Sequence[_Query], identities: Mapping[str, Identity], at: float, pool: ThreadPoolExecutor
) -> dict[Ask, list[Part]]:
    by_source: dict[tuple[str, str], list[_Query]] = defaultdict(list)
    for query in queries:
        by_source[query.source.name, query.series.label].append(query)
    batches = [found[i : i + BATCH] for found in by_source.values() for i in range(0, len(found), BATCH)]
    parts: dict[Ask, list[Part]] = defaultdict(list)
    for answered in pool.map(lambda batch: _ask_batch(prom, batch, identities, at), batches):
        for query, part in answered:
            parts[query.ask].append(part)
    return parts


def _ask_batch(
    prom: PromSource, batch: Sequence[_Query], identities: Mapping[str, Identity], at: float
) -> list[tuple[_Query, Part]]:
    if len(batch) == 1:
        query = batch[0]
        return [(query, _part(query, prom.query(query.text, at), identities[query.source.name], at))]
    union = " or ".join(f'label_replace({q.text}, "{MARK}", "{i}", "", "")' for i, q in enumerate(batch))
    result = prom.query(union, at)
    if result.blind is not None and result.blind.reason is Reason.PARTIAL:
        return [pair for query in batch for pair in _ask_batch(prom, [query], identities, at)]
    rows: dict[str, list[Row]] = defaultdict(list)
    nans: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in result.rows:
        rows[row.labels.get(MARK, "")].append(row)
    for labels in result.not_a_number:
        nans[labels.get(MARK, "")].append(labels)
    return [
        (
            query,
            _part(
                query,
                Result(query.text, tuple(rows[str(i)]), result.blind, tuple(nans[str(i)])),
                identities[query.source.name],
                at,
            ),
        )
        for i, query in enumerate(batch)
    ]


def _part(query: _Query, result: Result, identity: Identity, at: float) -> Part:
    title = f"{query.source.title} via Prometheus"
    blind = result.blind or identity.blind  # without its identity nobody knows whose it is and how old
    if blind is not None:
        return Part(title, query.text, at, blind=blind)
    values: dict[str, Value] = {}
    label = query.series.label
    for row in result.rows:
        key = key_of(row.labels, identity.labels.keys)
        if key is None:
            continue
        if not label:
            values[key] = row.value
            continue
        said = row.labels.get(label, "")
        if query.series.prefer and key in values:
            said = min((said, str(values[key])), key=lambda text: _rank(text, query.series.prefer))
        elif key in values:
            said = ", ".join(sorted({*str(values[key]).split(", "), said}))
        values[key] = said
    nans = (key_of(labels, identity.labels.keys) for labels in result.not_a_number)
    return Part(title, query.text, at, values, identity.fresh, not_a_number=frozenset(key for key in nans if key))


def _rank(text: str, prefer: Sequence[str]) -> int:
    return prefer.index(text) if text in prefer else len(prefer)
