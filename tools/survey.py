"""Take the snapshot: Kubernetes and Prometheus are asked side by side, and what they tell is laid into columns."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from tools import failing_replicas, pod_logs, stalled_engines
from tools.addresses import node_names_from_series
from tools.columns import Column, Part
from tools.direct import Direct, Scraper, read_directly
from tools.exporters.kube_state_metrics import AUTOSCALERS, NODES, PODS
from tools.gpu_owners import gpus_from
from tools.inventory import runtimes, sources
from tools.kind_states import kind_states
from tools.measure import Identity, Measured, measure
from tools.observe import NOT_KEPT, Cluster, Observed, observe
from tools.reading import Blind, Reason, Subject
from tools.reporting import reporting, unscraped
from tools.signals import (
    ENGINE_REPORTING,
    ENGINE_UP,
    GPU_REQUEST,
    NODE_EXPORTER_UP,
    NODE_GPUS_REPORTING,
    POD_READY,
    RUNNING_FOR,
    XID_BEFORE,
    XID_LAST,
    Ask,
    Kind,
    Per,
)
from tools.snapshot import STALE_AFTER_S, Snapshot, SourceState
from tools.sources.prom import PromSource
from tools.topology import Autoscaler, Pod, Topology, engine_of_image, owner_of, workload_from_name
from tools.vocabulary.order import LOG_ORDER
from tools.watching import watching

_PROM_FACTS = frozenset({NODE_GPUS_REPORTING, NODE_EXPORTER_UP, ENGINE_REPORTING, ENGINE_UP})


def survey(
    prom: PromSource | Blind,
    cluster: Cluster | Blind,
    asks: Collection[Ask],
    now: float,
    past: bool = False,
    matchers: str = "",
    stale_after_s: float = STALE_AFTER_S,
) -> Snapshot:
    """Everything that the asks want to know, at `now` (seconds since the epoch).

    `past` says that `now` lies behind us: then the API's objects are today's and are not asked.
    """
    started = time.monotonic()
    # Who is ready and holds how much belongs to the topology, and which error came first to its causes, whatever the checks ask.
    asks = {*asks, POD_READY.now, GPU_REQUEST.now, LOG_ORDER.now}
    with ThreadPoolExecutor(2, thread_name_prefix="survey") as pool:
        observing = pool.submit(observe, NOT_KEPT if past else cluster, now, asks)
        if isinstance(cluster, Blind) or past:
            measured = measure(prom, asks, now, matchers)
            observed = observing.result()
        else:
            # What the API cannot list is asked of kube-state-metrics instead, and only that.
            observed = observing.result()
            told = {"pods": PODS, "nodes": NODES, "horizontalpodautoscalers": AUTOSCALERS}
            skip = {source.name for kind, source in told.items() if kind not in observed.absent}
            measured = measure(prom, asks, now, matchers, skip)
    topology = _topology(observed, measured)
    direct = _directly(cluster, observed, measured, topology, asks, now)
    if direct.identities:
        topology = _topology(observed, measured, direct)
    columns = _columns(asks, observed, measured, direct, topology, now, stale_after_s)
    asked = NOT_KEPT if past else cluster
    failing = pod_logs.read_failing(
        asked, observed.pods, columns, [*_failing(measured), *_after_xid(measured, topology)], now
    )
    columns = failing.into(columns)
    before = 0 if isinstance(prom, Blind) else prom.requests
    columns |= watching(prom, asks, measured, topology, now, stale_after_s, past, matchers, cluster)
    states = _states(observed, measured)
    return Snapshot(
        at=now,
        topology=topology,
        columns=columns,
        sources=(*states, *failing.state(states), *direct.states),
        seconds={"survey": time.monotonic() - started},
        stale_after_s=stale_after_s,
        requests=observed.requests
        + measured.requests
        + direct.requests
        + failing.requests
        + (0 if isinstance(prom, Blind) else prom.requests - before),
        queries=measured.queries,
        matchers=matchers,
        happenings=observed.happenings,
        past=past,
        addressing=observed.addressing,
    )


def _failing(measured: Measured) -> list[str]:
    """The pods that fail the most requests, worst first, those that hold requests and give no token, and the slowest: their logs are worth a request each."""
    failed: dict[str, float] = {}
    for ask in (failing_replicas.ERRORS, failing_replicas.FAILURES):
        for part in measured.parts.get(ask, ()):
            for key, count in part.values.items():
                # A count of whom no engine is known is nobody's reading: a closer look at who is asked about counts more.
                known = part.fresh is None or key in part.fresh
                if known and isinstance(count, float) and count >= failing_replicas.LEAST:
                    failed[key] = max(count, failed.get(key, 0.0))
    told = {
        ask: _values(measured, ask)
        for ask in (stalled_engines.TOKENS, stalled_engines.WAITING, stalled_engines.RUNNING)
    }
    still = {key for key, rate in told[stalled_engines.TOKENS].items() if rate == 0}
    holds = {
        key for ask in (stalled_engines.WAITING, stalled_engines.RUNNING) for key, n in told[ask].items() if n >= 1
    }
    slow = {
        key: took for key, took in _values(measured, failing_replicas.FIRST).items() if took >= failing_replicas.SLOW_S
    }
    chosen = [*sorted(failed, key=lambda key: (-failed[key], key)), *sorted((still & holds) - set(failed))]
    return [*chosen, *sorted(set(slow) - set(chosen), key=lambda key: (-slow[key], key))]


def _after_xid(measured: Measured, topology: Topology) -> list[str]:
    """The pods on GPUs whose driver reported an Xid within the hour: what runs there may go on, and its log alone says what it did."""
    before, changed = _values(measured, XID_BEFORE.now), _values(measured, XID_LAST.changes("1h"))
    anew = (
        key
        for key, code in _values(measured, XID_LAST.max("1h")).items()
        if code and (changed.get(key) or before.get(key, code) != code)
    )
    return sorted({gpu.pod for key in anew if (gpu := topology.gpus.get(key)) is not None and gpu.pod})


def _values(measured: Measured, ask: Ask) -> dict[str, float]:
    parts = measured.parts.get(ask, ())
    return {key: value for part in parts for key, value in part.values.items() if isinstance(value, float)}


def _states(observed: Observed, measured: Measured) -> tuple[SourceState, ...]:
    seen = len({key for identity in measured.identities.values() for key in identity.rows})
    prometheus = measured.blind
    if prometheus is None and not seen:
        failed = (identity.blind for identity in measured.identities.values())
        prometheus = next((blind for blind in failed if blind is not None), None) or Blind(
            Reason.NO_SERIES, "Prometheus answers, but holds no series that Rackside knows"
        )
    return (SourceState("Prometheus", prometheus, seen, measured.requests), *kind_states(observed))


def _directly(
    cluster: Cluster | Blind,
    observed: Observed,
    measured: Measured,
    topology: Topology,
    asks: Collection[Ask],
    now: float,
) -> Direct:
    """Read the exporters themselves where Prometheus has no fresh GPU, and the engines that it does not scrape."""
    if observed.blind is not None or not isinstance(cluster, Scraper):
        return Direct()
    seen = any(one.fresh for one in measured.identities.values() if one.source.per is Per.GPU)
    unwatched = unscraped(measured, topology)
    troubled = {pod.node for pod in topology.pods.values() if pod.gpus and pod.ready is False}
    exporters = sorted(observed.exporters, key=lambda one: (one.pod.node not in troubled, one.pod.node, one.pod.key))
    told = observed.facts.get(RUNNING_FOR.now)
    # A pod that has only just started is not scraped yet, which is no news.
    young = {key for key, value in told.values.items() if float(value) < STALE_AFTER_S} if told else set()
    engines = [one for one in observed.engines if one.pod.key in unwatched - young]
    return read_directly(cluster, () if seen else exporters, engines, asks, now)


def _topology(observed: Observed, measured: Measured, direct: Direct | None = None) -> Topology:
    pods = dict(observed.pods) or _pods_from_series(measured)
    told = [measured.identities.get(source.name) for source in sources()]
    told += [] if direct is None else direct.identities.values()
    listed = measured.identities.get(NODES.name)
    addresses = dict(observed.addresses) or node_names_from_series(listed.rows.values() if listed else ())
    gpus = gpus_from((identity for identity in told if identity is not None), pods, addresses)
    nodes = set(observed.nodes) | {gpu.node for gpu in gpus.values()} | {pod.node for pod in pods.values() if pod.node}
    if "nodes" in observed.absent and NODES.name in measured.identities:
        nodes |= set(measured.identities[NODES.name].rows)
    autoscalers = observed.autoscalers or _autoscalers_from_series(measured.identities.get(AUTOSCALERS.name))
    engines, models = _engines(pods, measured)
    return Topology(
        pods, gpus, tuple(sorted(nodes)), autoscalers, observed.wanted, engines, models, observed.supports, addresses
    )


def _pods_from_series(measured: Measured) -> dict[str, Pod]:
    told: dict[str, Mapping[str, str]] = {}
    ready = {key: value for part in measured.parts.get(POD_READY.now, ()) for key, value in part.values.items()}
    gpus = {key: value for part in measured.parts.get(GPU_REQUEST.now, ()) for key, value in part.values.items()}
    known = measured.identities.get(PODS.name)
    for name in (PODS.name, *(source.name for source in runtimes())):
        identity = measured.identities.get(name)
        for key, labels in (identity.rows if identity else {}).items():
            # An engine that fell silent may be there still, unless kube-state-metrics no longer knows its pod.
            if identity and (key in identity.fresh or (name != PODS.name and not (known and known.fresh))):
                told.setdefault(key, labels)
    pods: dict[str, Pod] = {}
    for key, labels in told.items():
        namespace, _, name = key.partition("/")
        kind = labels.get("created_by_kind", "")
        owner = labels.get("created_by_name", "")
        workload = owner_of(namespace, name, kind, owner, {}) if kind else workload_from_name(namespace, name)
        pods[key] = Pod(
            namespace=namespace,
            name=name,
            node=labels.get("node", ""),
            workload=workload,
            ready=None if key not in ready else ready[key] == 1.0,
            gpus=float(gpus.get(key, 0.0)),
            ambiguous=not kind,
        )
    return pods


def _autoscalers_from_series(identity: Identity | None) -> tuple[Autoscaler, ...]:
    found: list[Autoscaler] = []
    for key, labels in (identity.rows if identity else {}).items():
        namespace, _, name = key.partition("/")
        kind, target = labels.get("scaletargetref_kind", "").lower(), labels.get("scaletargetref_name", "")
        if kind and target:
            found.append(Autoscaler(namespace, name, Subject(kind, namespace, target)))
    return tuple(found)


def _engines(pods: Mapping[str, Pod], measured: Measured) -> tuple[dict[Subject, str], dict[str, Subject]]:
    engines: dict[Subject, str] = {}
    models: dict[str, Subject] = {}
    known = [(source.name, source.images) for source in runtimes()]
    for pod in pods.values():
        engine = engine_of_image([pod.image], known) if pod.image else ""
        if engine:
            engines.setdefault(pod.workload, engine)
    for source in runtimes():
        identity = measured.identities.get(source.name)
        for key, labels in (identity.rows if identity else {}).items():
            if key in pods:
                engines[pods[key].workload] = source.name
                if labels.get("model_name"):
                    models[labels["model_name"]] = pods[key].workload
    return engines, models


def _columns(
    asks: Collection[Ask],
    observed: Observed,
    measured: Measured,
    direct: Direct,
    topology: Topology,
    now: float,
    stale_after_s: float,
) -> dict[Ask, Column]:
    derived = reporting(measured, topology, now, stale_after_s)
    targets = targets_of(topology)
    columns: dict[Ask, Column] = {}
    for ask in asks:
        parts = [part for part in (observed.facts.get(ask), derived.get(ask)) if part is not None]
        asked = measured.parts.get(ask, ())
        parts.extend(retarget(part, targets) if ask.signal.per is Per.WORKLOAD else part for part in asked)
        parts.extend(direct.parts.get(ask, ()))
        if ask.signal.optional:
            parts.extend(_not_in_use(ask, measured))
        columns[ask] = Column(ask, tuple(parts), _absent(ask, observed, measured))
    return columns


def _not_in_use(ask: Ask, measured: Measured) -> list[Part]:
    """Who reports without this signal: there the feature that would export it is not in use."""
    return [
        Part(f"{source.title} via Prometheus", "", 0.0, nothing=frozenset(identity.fresh))
        for source in sources()
        if ask.signal in source.signals and (identity := measured.identities.get(source.name)) is not None
    ]


def targets_of(topology: Topology) -> dict[str, str]:
    """What each autoscaler scales, by the autoscaler's key."""
    targets = {f"{one.namespace}/{one.name}": str(one.target) for one in topology.autoscalers}
    # KEDA's metrics name the ScaledObject, after which it names the autoscaler that it makes.
    return targets | {key.replace("/keda-hpa-", "/", 1): to for key, to in targets.items() if "/keda-hpa-" in key}


def retarget(part: Part, targets: Mapping[str, str]) -> Part:
    """A part keyed by autoscalers, keyed by what they scale."""
    values = {targets[key]: value for key, value in part.values.items() if key in targets}
    fresh = {targets[key]: sampled for key, sampled in (part.fresh or {}).items() if key in targets}
    return replace(part, values=values, fresh=None if part.fresh is None else fresh)


def _absent(ask: Ask, observed: Observed, measured: Measured) -> Blind:
    if ask.signal.kind is not Kind.FACT or ask.signal in _PROM_FACTS:
        return (
            measured.blind or measured.absent.get(ask) or Blind(Reason.NO_SERIES, "Prometheus was asked and has none")
        )
    if ask.signal.name.startswith("log."):
        unread = Blind(Reason.NO_SERIES, "its log was not read")
        return observed.absent.get("pods") or observed.absent.get("logs") or unread
    kinds = {
        Per.REPLICA: "pods",
        Per.NODE: "nodes",
        Per.WORKLOAD: "deployments",
        Per.CLUSTER: "nodes",
        Per.GPU: "nodes",
    }
    no_scaler = Blind(Reason.NOTHING_OBSERVED, "it has no autoscaler")
    stated = Blind(Reason.NO_SERIES, "its object does not state it")
    if ask.signal.name.startswith("hpa."):
        kinds[Per.WORKLOAD], stated = "horizontalpodautoscalers", no_scaler
    blind = observed.absent.get(ask.signal.told_by or kinds[ask.signal.per]) or observed.blind
    if blind is not None and measured.blind is None and ask in measured.absent:
        return Blind(blind.reason, f"{blind.detail}; {measured.absent[ask].detail}")
    return blind or stated
