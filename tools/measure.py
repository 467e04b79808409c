"""Ask Prometheus for a set of asks: one list of names, one look at who is there, then the asks in batches.

Asks of one source share a request (a union of labelled expressions), so the number of requests follows the vocabulary and
never the fleet. A batch that the server refuses is asked again one by one, so that one bad expression blinds only itself.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from tools.buckets import STATISTIC as BUCKETS
from tools.buckets import written
from tools.columns import Part, Value
from tools.inventory import sources
from tools.reading import Blind, Reason
from tools.series import IDENTITY, Labels, Series, Source, braces, exists, none_yet, render
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
    _known: dict[tuple[str, ...], str | None] = field(default_factory=dict, init=False, repr=False, compare=False)

    def key(self, row: Mapping[str, str]) -> str | None:
        """The key of a row by its labels, None when the first of its key labels is missing. Equal ones are one text, in whichever answer they stand."""
        values = tuple([row.get(label, "") for label in self.labels.keys])
        try:
            return self._known[values]
        except KeyError:
            made = self._known[values] = key_of(row, self.labels.keys, self.source.key_prefix)
            return made


@dataclass(frozen=True, slots=True)
class Query:
    """How one source answers an ask: the series that exist, and the expression over them."""

    ask: Ask
    source: Source
    found: tuple[Series, ...]
    identity: Identity
    text: str

    @classmethod
    def of(cls, ask: Ask, source: Source, found: Sequence[Series], identity: Identity, matchers: str = "") -> Query:
        """The query with the source's labels; `matchers` narrow it further."""
        inner = ",".join(part for part in (identity.labels.matchers, matchers) if part)
        labels = Labels(identity.labels.keys, inner)
        texts = [render(ask, series, labels, source.match) for series in found]
        if ask.statistic == BUCKETS:
            # Of a replica that exports both names, the bounds of one histogram may not be taken for those of the other.
            keys = ", ".join(labels.keys)
            texts = [
                texts[0],
                *(f"({text} unless on ({keys}) ({' or '.join(texts[:at])}))" for at, text in enumerate(texts) if at),
            ]
        zero = none_yet(ask, found, source, labels)
        text = " or ".join((*texts, zero) if zero else texts)
        return cls(ask, source, tuple(found), identity, text)

    @property
    def series(self) -> Series:
        """The first of the series, after which the values are read."""
        return self.found[0]


@dataclass(frozen=True)
class Measured:
    """What Prometheus answered, and the queries that it was asked by ask. `blind` is set when it could not be asked at all."""

    blind: Blind | None
    parts: Mapping[Ask, tuple[Part, ...]] = field(default_factory=dict)
    absent: Mapping[Ask, Blind] = field(default_factory=dict)
    identities: Mapping[str, Identity] = field(default_factory=dict)
    up: tuple[Row, ...] = ()
    up_blind: Blind | None = None
    requests: int = 0
    queries: Mapping[Ask, tuple[Query, ...]] = field(default_factory=dict)


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
    here = [s for s in wanted if s.anchors(names)]
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="measure") as pool:
        up = pool.submit(prom.query, f"min by (namespace, pod, node, instance, job) (up{braces(matchers)})", at)
        identities = {one.source.name: one for one in pool.map(lambda s: _identify(prom, s, names, at, matchers), here)}
        queries, absent = _plan(asks, here, names, identities, skip)
        parts = _answer(prom, queries, at, pool)
        up_result = up.result()
    return Measured(
        blind=None,
        parts={ask: tuple(found) for ask, found in parts.items()},
        absent=absent,
        identities=identities,
        up=up_result.rows,
        up_blind=up_result.blind,
        requests=prom.requests - before,
        queries=_by_ask(queries),
    )


def _by_ask(queries: Iterable[Query]) -> dict[Ask, tuple[Query, ...]]:
    found: dict[Ask, list[Query]] = defaultdict(list)
    for query in queries:
        found[query.ask].append(query)
    return {ask: tuple(those) for ask, those in found.items()}


def key_of(labels: Mapping[str, str], keys: Sequence[str], prefix: str = "") -> str | None:
    """The key of a row: its key labels joined by `/`, begun with a prefix; None when the first of them is missing."""
    values = [labels.get(key, "") for key in keys]
    if not values[0]:
        return None
    key = "/".join(value for value in values if value)
    return key if key.startswith(prefix) else prefix + key


def _identify(prom: PromSource, source: Source, names: frozenset[str], at: float, matchers: str) -> Identity:
    anchors = source.anchors(names)
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
    rows: dict[str, Mapping[str, str]] = {}
    fresh: dict[str, float] = {}
    identity = Identity(source, Labels(source.keys_in(exported), matchers), rows, fresh, exported)
    for row in now.rows:
        key = identity.key(row.labels)
        if key and row.value >= fresh.get(key, 0.0):
            rows[key], fresh[key] = row.labels, row.value
    for row in lately.rows:
        key = identity.key(row.labels)
        if key and (key not in rows or (key not in fresh and row.labels.get("exported_pod"))):
            rows[key] = row.labels
    return identity


def _plan(
    asks: Iterable[Ask],
    here: Sequence[Source],
    names: frozenset[str],
    identities: Mapping[str, Identity],
    skip: Collection[str],
) -> tuple[list[Query], dict[Ask, Blind]]:
    queries: list[Query] = []
    absent: dict[Ask, Blind] = {}
    for ask in asks:
        carriers = [source for source in sources() if ask.signal in source.signals]
        for source in carriers:
            if source not in here or (source.name in skip and ask.signal.kind is Kind.FACT):
                continue
            found = [series for series in source.signals[ask.signal] if exists(series, ask, names)]
            if found:
                queries.append(Query.of(ask, source, found, identities[source.name]))
        if carriers:
            answered = ", ".join(list(dict.fromkeys(query.series.metric for query in queries if query.ask == ask))[:3])
            absent[ask] = (
                Blind(Reason.NO_SERIES, f"Prometheus was asked for {answered} and has none")
                if answered
                else _missing(ask, carriers, here)
            )
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


def _answer(prom: PromSource, queries: Sequence[Query], at: float, pool: ThreadPoolExecutor) -> dict[Ask, list[Part]]:
    by_source: dict[tuple[str, str], list[Query]] = defaultdict(list)
    for query in queries:
        by_source[query.source.name, query.series.label].append(query)
    # An ask's answers stand in the order in which sources are preferred, whichever ask came first.
    preferred = sorted(by_source.values(), key=lambda found: (found[0].source.order, found[0].source.name))
    batches = [found[i : i + BATCH] for found in preferred for i in range(0, len(found), BATCH)]
    parts: dict[Ask, list[Part]] = defaultdict(list)
    for answered in pool.map(lambda batch: _ask_batch(prom, batch, at), batches):
        for query, part in answered:
            parts[query.ask].append(part)
    return parts


def _ask_batch(prom: PromSource, batch: Sequence[Query], at: float) -> list[tuple[Query, Part]]:
    if len(batch) == 1:
        query = batch[0]
        return [(query, part_of(query, prom.query(query.text, at), at))]
    result = prom.query(union(batch), at)
    if result.blind is not None and result.blind.reason is Reason.PARTIAL:
        return [pair for query in batch for pair in _ask_batch(prom, [query], at)]
    rows: dict[str, list[Row]] = defaultdict(list)
    nans: dict[str, list[Mapping[str, str]]] = defaultdict(list)
    for row in result.rows:
        rows[row.labels.get(MARK, "")].append(row)
    for labels in result.not_a_number:
        nans[labels.get(MARK, "")].append(labels)
    return [
        (query, part_of(query, Result(query.text, tuple(rows[str(i)]), result.blind, tuple(nans[str(i)])), at))
        for i, query in enumerate(batch)
    ]


def union(batch: Sequence[Query]) -> str:
    """Several queries as one; each row bears its query's place under `MARK`."""
    return " or ".join(f'label_replace({q.text}, "{MARK}", "{i}", "", "")' for i, q in enumerate(batch))


def part_of(query: Query, result: Result, at: float) -> Part:
    """A query's answer by key."""
    identity = query.identity
    title = f"{query.source.title} via Prometheus"
    blind = result.blind or identity.blind  # without its identity nobody knows whose it is and how old
    if blind is not None:
        return Part(title, query.text, at, blind=blind)
    told = [(key, row) for row in result.rows if (key := identity.key(row.labels)) is not None]
    values: dict[str, Value]
    if query.ask.statistic == BUCKETS:
        values = _counted(told, query.series.scale)
    elif query.series.label:
        values = _labelled(told, query)
    else:
        values = {key: row.value for key, row in told}
    nans = map(identity.key, result.not_a_number)
    return Part(title, query.text, at, values, identity.fresh, not_a_number=frozenset(key for key in nans if key))


def _counted(told: Iterable[tuple[str, Row]], scale: float) -> dict[str, Value]:
    """Histograms, each as one text."""
    counted: dict[str, list[tuple[str, float]]] = defaultdict(list)
    for key, row in told:
        counted[key].append((row.labels.get("le", ""), row.value))
    return {key: written(those, scale) for key, those in counted.items()}


def _labelled(told: Iterable[tuple[str, Row]], query: Query) -> dict[str, Value]:
    """What stands in a label: a number, or the texts of a fact."""
    values: dict[str, Value] = {}
    for key, row in told:
        said = row.labels.get(query.series.label, "")
        if query.ask.signal.kind is not Kind.FACT:
            if said.isdecimal():
                values[key] = float(said)
            continue
        if query.series.prefer and key in values:
            said = min((said, str(values[key])), key=lambda text: _rank(text, query.series.prefer))
        elif key in values:
            said = ", ".join(sorted({*str(values[key]).split(", "), said}))
        values[key] = said
    return values


def _rank(text: str, prefer: Sequence[str]) -> int:
    return prefer.index(text) if text in prefer else len(prefer)
