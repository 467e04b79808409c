"""The past of readings: the queries of a snapshot asked again over a range, and the snapshot as it would have been at each step.

Only what Prometheus keeps moves back in time; facts of Kubernetes objects stay as they are now. Queries are narrowed to the
parts that are looked at, so that the past of one workload costs the same in a fleet of any size.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from tools.columns import Column, Part, Value
from tools.measure import MARK, Query, part_of, union
from tools.narrowing import narrowing, one_of
from tools.presence import REPORTING, reported
from tools.reading import Blind
from tools.signals import Ask, Per
from tools.snapshot import Snapshot
from tools.sources.prom import Points, PromSource, Result, Row
from tools.survey import retarget, targets_of

BATCH = 8
PARALLEL = 4


def has_past(snapshot: Snapshot, ask: Ask) -> bool:
    """Whether the past of an ask can be asked for."""
    return ask in snapshot.queries or ask in REPORTING


@dataclass(frozen=True)
class History:
    """The parts of each ask at each step (seconds since the epoch, oldest first). `blind` are the asks whose past is not told."""

    times: tuple[float, ...]
    step_s: float
    parts: Mapping[Ask, tuple[tuple[Part, ...], ...]]
    blind: Mapping[Ask, Blind]

    def at(self, snapshot: Snapshot, index: int, asks: Iterable[Ask] | None = None) -> Snapshot:
        """The snapshot with those asks (all that are kept where none are named) as they were at a step."""
        chosen = self.parts if asks is None else [ask for ask in asks if ask in self.parts]
        moved = {ask: Column(ask, self.parts[ask][index], snapshot.columns[ask].absent) for ask in chosen}
        return replace(snapshot, at=self.times[index], columns={**snapshot.columns, **moved})


def history(
    prom: PromSource,
    snapshot: Snapshot,
    asks: Collection[Ask],
    keys: Mapping[Per, Collection[str]],
    start: float,
    step_s: float,
) -> History:
    """The past of asks from `start` to the snapshot's time. `keys` are the parts that matter, by dimension."""
    count = max(1, int((snapshot.at - start) // step_s))
    times = tuple(snapshot.at - step_s * (count - i) for i in range(count + 1))
    queries = [
        narrowed(query, keys.get(ask.signal.per, ()))
        for ask in sorted(asks, key=str)
        for query in snapshot.queries.get(ask, ())
    ]
    together: dict[tuple[str, str], list[Query]] = defaultdict(list)
    for query in queries:
        together[query.source.name, query.series.label].append(query)
    batches = [found[i : i + BATCH] for found in together.values() for i in range(0, len(found), BATCH)]
    targets = targets_of(snapshot.topology)
    parts: dict[Ask, list[list[Part]]] = {}
    blind: dict[Ask, Blind] = {}
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="history") as pool:
        for batch, (points, unseen) in zip(
            batches, pool.map(lambda b: _asked(prom, b, times, step_s), batches), strict=True
        ):
            for i, query in enumerate(batch):
                if unseen is not None:
                    blind[query.ask] = unseen
                    continue
                told = _by_step(query, [one for one in points if one.labels.get(MARK) == str(i)], times)
                if query.ask.signal.per is Per.WORKLOAD:
                    told = [retarget(part, targets) for part in told]
                for at_step, part in zip(parts.setdefault(query.ask, [[] for _ in times]), told, strict=True):
                    at_step.append(part)
    kept = {ask: tuple(map(tuple, steps)) for ask, steps in parts.items() if ask not in blind}
    for ask in REPORTING.keys() & set(asks):
        told_of = reported(prom, snapshot, ask, keys, times)
        if isinstance(told_of, Blind):
            blind[ask] = told_of
        elif told_of:
            kept[ask] = tuple((part,) for part in told_of)
    return History(times, step_s, kept, blind)


def narrowed(query: Query, keys: Collection[str]) -> Query:
    """The query over some keys of its dimension only, where its labels can say so."""
    names = query.identity.labels.keys
    if query.ask.signal.per is Per.WORKLOAD:
        # Keyed by an autoscaler, which has another name than what it scales.
        spaces = {key.split("/")[1] for key in keys if key.count("/") == 2}
        matcher = one_of(names[0], spaces) if spaces and len(names) > 1 else ""
    else:
        matcher = narrowing(query.identity, keys)
    return Query.of(query.ask, query.source, query.found, query.identity, matcher) if matcher else query


def _asked(
    prom: PromSource, batch: Sequence[Query], times: Sequence[float], step_s: float
) -> tuple[tuple[Points, ...], Blind | None]:
    return prom.range(union(batch), times[0], times[-1], step_s)


def _by_step(query: Query, points: Sequence[Points], times: Sequence[float]) -> list[Part]:
    # The client asks from a whole second on.
    begin, step_s = round(times[0]), (times[-1] - times[0]) / max(1, len(times) - 1) or 1.0
    if query.series.label:
        return _labelled(query, points, times, begin, step_s)
    identity = query.identity
    values: list[dict[str, Value]] = [{} for _ in times]
    nothing: list[set[str]] = [set() for _ in times]
    for one in points:
        key = identity.key(one.labels)
        if key is None:
            continue
        for moment, value in zip(one.times, one.values, strict=True):
            values[round((moment - begin) / step_s)][key] = value
        for moment in one.nothing:
            nothing[round((moment - begin) / step_s)].add(key)
    title = f"{query.source.title} via Prometheus"
    # What is a sample of the past is never stale: Prometheus has looked back five minutes at most.
    return [
        Part(title, query.text, moment, told, None, identity.blind, frozenset(none))
        for moment, told, none in zip(times, values, nothing, strict=True)
    ]


def _labelled(
    query: Query, points: Sequence[Points], times: Sequence[float], begin: float, step_s: float
) -> list[Part]:
    """Where a label bears the value, each step is read like an answer of its own."""
    rows: dict[int, list[Row]] = defaultdict(list)
    for one in points:
        for moment, value in zip(one.times, one.values, strict=True):
            rows[round((moment - begin) / step_s)].append(Row(one.labels, value))
    return [
        replace(part_of(query, Result(query.text, tuple(rows[i]), None), moment), fresh=None)
        for i, moment in enumerate(times)
    ]
