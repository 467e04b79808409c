"""Who reported when: fresh series of GPUs and engines at each step of a past, from the sample times of what every healthy source exports."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

from tools.columns import Part, Value
from tools.measure import Identity
from tools.narrowing import narrowing
from tools.reading import Blind
from tools.series import braces
from tools.signals import ENGINE_REPORTING, NODE_GPUS_REPORTING, Ask, Per
from tools.snapshot import Snapshot
from tools.sources.prom import PromSource

REPORTING: Mapping[Ask, Per] = {NODE_GPUS_REPORTING.now: Per.GPU, ENGINE_REPORTING.now: Per.REPLICA}


def reported(
    prom: PromSource, snapshot: Snapshot, ask: Ask, keys: Mapping[Per, Collection[str]], times: Sequence[float]
) -> tuple[Part, ...] | Blind:
    """An ask of `REPORTING` at each of some evenly spaced times, for the parts that matter. One request."""
    per = REPORTING[ask]
    known = identities(snapshot, per)
    wanted = keys.get(per, ())
    queries = {name: text for name, one in known.items() if (text := _query(one, wanted))}
    if not queries or not wanted:
        return ()
    step = (times[-1] - times[0]) / max(1, len(times) - 1)
    whole = " or ".join(f'label_replace({text}, "rackside_ask", "{name}", "", "")' for name, text in queries.items())
    points, blind = prom.range(whole, times[0], times[-1], step)
    if blind is not None:
        return blind
    fresh: list[set[str]] = [set() for _ in times]
    for one in points:
        identity = known.get(one.labels.get("rackside_ask", ""))
        key = identity.key(one.labels) if identity else None
        if key is None:
            continue
        for moment, sampled in zip(one.times, one.values, strict=True):
            if moment - sampled <= snapshot.stale_after_s:
                fresh[round((moment - round(times[0])) / step)].add(key)
    seen: set[str] = set()
    parts: list[Part] = []
    for moment, those in zip(times, fresh, strict=True):
        # Before its first sample nobody knows whether a thing was there.
        seen |= those
        parts.append(Part("Prometheus", whole, moment, _values(snapshot, ask, those, seen)))
    return tuple(parts) if seen else ()


def identities(snapshot: Snapshot, per: Per) -> dict[str, Identity]:
    """Who was seen, by source, of a dimension; of replicas the serving engines alone."""
    found = {query.source.name: query.identity for queries in snapshot.queries.values() for query in queries}
    return {
        name: one
        for name, one in found.items()
        if one.source.per is per and one.blind is None and (per is Per.GPU or one.source.serving)
    }


def _query(identity: Identity, keys: Collection[str]) -> str:
    matcher = narrowing(identity, keys)
    by = ", ".join(identity.labels.keys)
    selector = braces(identity.source.match, identity.labels.matchers, matcher)
    return " or ".join(f"max by ({by}) (timestamp({anchor}{selector}))" for anchor in identity.source.anchor)


def _values(snapshot: Snapshot, ask: Ask, fresh: set[str], seen: set[str]) -> dict[str, Value]:
    if REPORTING[ask] is Per.REPLICA:
        return {key: 1.0 if key in fresh else 0.0 for key in seen}
    counted: dict[str, float] = defaultdict(float)
    for key in seen & snapshot.topology.gpus.keys():
        counted[snapshot.topology.gpus[key].node] += 1.0 if key in fresh else 0.0
    return dict(counted)
