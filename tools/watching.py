"""What watches the fleet: which rules Prometheus evaluates, what is exported, how often it is read and how long it is kept.

Asked only where a readiness rule wants to know, and never of the past: rules and settings are today's. A Prometheus that evaluates no rule at
all has a ruler elsewhere, or none: then the PrometheusRule objects of the cluster say what is meant to be watched.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from math import inf
from urllib.parse import urlsplit

from tools import alert_rules, exported
from tools.columns import Column, Part, Value
from tools.facts import many
from tools.measure import Measured
from tools.observe import Cluster
from tools.reading import Blind, Reason
from tools.rules import NONE
from tools.series import braces
from tools.signals import Ask
from tools.sources.prom import PromSource
from tools.topology import CLUSTER, Topology
from tools.vocabulary import watching as told
from tools.wanted_series import WANTED

RULES = "/api/v1/rules"
DECLARED = "prometheusrules.monitoring.coreos.com"
NO_CLUSTER = Blind(Reason.NOT_SET, "no cluster is asked")
# Prometheus and Thanos Ruler count so what they could not evaluate.
FAILURES = "sum by (rule_group) (increase(prometheus_rule_evaluation_failures_total{}[15m]))"
MOST_GROUPS = 3
# Of each Prometheus that is scraped, writes to no other store and has none beside it that uploads its blocks; 0 is no limit.
KEPT = (
    "prometheus_tsdb_retention_limit_seconds{0} > 0 unless on (instance) prometheus_remote_storage_samples_total{0}"
    " unless on () thanos_shipper_uploads_total{0}"
)
FOR_EVER_S = 10 * 31536000.0
RUNTIME = "/api/v1/status/runtimeinfo"
RECEIVERS = "/api/v1/alertmanagers"
UNTOLD = Blind(Reason.NO_SERIES, "Prometheus tells nothing of it")
UNCOUNTED = Blind(Reason.NO_SERIES, "whoever evaluates the rules does not count here what failed")
PAST = Blind(Reason.NOT_KEPT, "which rules Prometheus had then is not kept")
WINDOW_S = 600
DAY_S = 86400.0
_TIME = re.compile(r"(\d{1,9})(ms|y|w|d|h|m|s)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0, "y": 31536000.0}
SIGNALS = (*told.OF_RULES, told.ALERTMANAGERS, told.RETENTION, told.GPUS_UNNAMED, told.SCRAPE_INTERVAL, *WANTED)


def watching(
    prom: PromSource | Blind,
    asks: Collection[Ask],
    measured: Measured,
    topology: Topology,
    now: float,
    stale_after_s: float,
    past: bool = False,
    matchers: str = "",
    cluster: Cluster | Blind = NO_CLUSTER,
) -> dict[Ask, Column]:
    """The columns of what is asked for; nothing is sent to Prometheus for what is not."""
    wanted = {signal.now for signal in SIGNALS} & set(asks)
    blind = prom if isinstance(prom, Blind) else measured.blind
    if isinstance(prom, Blind) or blind is not None:
        return {ask: Column(ask, (), blind or UNTOLD) for ask in wanted}
    found = exported.missing(asks, measured, now, stale_after_s)
    if told.GPUS_UNNAMED.now in wanted:
        found[told.GPUS_UNNAMED.now] = exported.unnamed(topology, measured, now)
    if told.SCRAPE_INTERVAL.now in wanted:
        found[told.SCRAPE_INTERVAL.now] = _intervals(prom, topology, now, matchers)
    if any(signal.now in wanted for signal in told.OF_RULES):
        found |= _rules(prom, cluster, topology, now, past, matchers)
    if told.ALERTMANAGERS.now in wanted:
        found[told.ALERTMANAGERS.now] = _receivers(prom, now, past)
    if told.RETENTION.now in wanted:
        found[told.RETENTION.now] = _retention(prom, now, past, matchers)
    return {ask: Column(ask, (found[ask],), UNTOLD) for ask in wanted if ask in found}


def _rules(
    prom: PromSource, cluster: Cluster | Blind, topology: Topology, now: float, past: bool, matchers: str
) -> dict[Ask, Part]:
    data = PAST if past else prom.told(RULES)
    if isinstance(data, Blind):
        return {signal.now: Part("Prometheus", f"GET {RULES}", now, blind=data) for signal in told.OF_RULES}
    source, path, rules = "Prometheus", f"GET {RULES}", alert_rules.parse(data)
    groups: set[str] = set()
    if not rules and isinstance(cluster, Blind) and cluster.reason is not Reason.NOT_SET:
        # Whether a ruler elsewhere evaluates some is not known: nobody is said to go unwatched.
        return {signal.now: Part("Kubernetes API", DECLARED, now, blind=cluster) for signal in told.OF_RULES}
    if not rules and not isinstance(cluster, Blind):
        listing = cluster.list(DECLARED)
        if listing.blind is not None:
            return {
                signal.now: Part("Kubernetes API", listing.path, now, blind=listing.blind) for signal in told.OF_RULES
            }
        declared = alert_rules.declared(listing.items)
        if declared:
            source, path, rules = "Kubernetes API", listing.path, declared
            groups = {str(one.get("name")) for item in listing.items for one in many(item, "spec", "groups")}
    facts = alert_rules.facts(rules, topology.engines)
    found = {signal.now: Part(source, path, now, values) for signal, values in facts.items()}
    return found | ({told.RULES_FAILING.now: _failing_elsewhere(prom, now, groups, matchers)} if groups else {})


def _failing_elsewhere(prom: PromSource, now: float, groups: Collection[str], matchers: str) -> Part:
    """Which of the groups that are declared a ruler elsewhere could not evaluate, by what it counts of itself."""
    query = FAILURES.format(braces(matchers))
    result = prom.query(query, now)
    counted = [(row.labels.get("rule_group", "").rpartition(";")[2], row.value) for row in result.rows]
    counted = [(name, failed) for name, failed in counted if name in groups]
    if result.blind is not None or not counted:
        return Part("Prometheus", query, now, blind=result.blind or UNCOUNTED)
    failing = sorted({name for name, failed in counted if failed > 0})
    if not failing and not set(groups) <= {name for name, _ in counted}:
        return Part("Prometheus", query, now, blind=UNCOUNTED)
    said = "; ".join(f"rules of the group {name}"[:120] for name in failing[:MOST_GROUPS])
    return Part("Prometheus", query, now, {str(CLUSTER): said})


def _receivers(prom: PromSource, now: float, past: bool) -> Part:
    data = PAST if past else prom.told(RECEIVERS)
    if isinstance(data, Blind):
        return Part("Prometheus", f"GET {RECEIVERS}", now, blind=data)
    active = data.get("activeAlertmanagers") if isinstance(data, dict) else None
    values: dict[str, Value] = {}
    if isinstance(active, list):
        # An address may hold a password: only the host is shown.
        hosts = [urlsplit(str(one.get("url"))).hostname or "" for one in active if isinstance(one, dict)]
        values[str(CLUSTER)] = ", ".join(sorted({host for host in hosts if host}))[:200] or NONE
    return Part("Prometheus", f"GET {RECEIVERS}", now, values)


def _retention(prom: PromSource, now: float, past: bool, matchers: str) -> Part:
    """How long the Prometheus that is asked keeps samples, else how long those do that write theirs nowhere else.

    A front, or a store without end, states nothing or for ever of itself; whose samples it shows may forget them all the same.
    """
    data = PAST if past else prom.told(RUNTIME)
    text = str(data.get("storageRetention") or "") if isinstance(data, dict) else ""
    kept = retention(text)
    own = Part("Prometheus", f"GET {RUNTIME}", now, {} if kept is None else {str(CLUSTER): kept / DAY_S})
    if isinstance(data, Blind):
        own = Part("Prometheus", f"GET {RUNTIME}", now, blind=data)
    if kept is not None and kept < FOR_EVER_S:
        return own
    query = KEPT.format(braces(matchers))
    limits = [row.value for row in prom.query(query, now).rows]
    return Part("Prometheus", query, now, {str(CLUSTER): min(limits) / DAY_S}) if limits else own


def retention(text: str) -> float | None:
    """Seconds of a retention such as `15d` or `1y2w or 10GiB`; no limit where only a size bounds it, None where it says nothing."""
    said = text.partition(" or ")[0].strip()
    if re.fullmatch(rf"(?:{_TIME.pattern})+", said):
        return sum(int(number) * _SECONDS[unit] for number, unit in _TIME.findall(said)) or inf
    return inf if re.fullmatch(r"[\d.]+\s?[KMGTPE]?i?B", said) else None


def _intervals(prom: PromSource, topology: Topology, now: float, matchers: str) -> Part:
    """How often each pod is scraped, of those that were there for the whole window."""
    selector = braces(matchers)
    query = (
        f"min by (namespace, pod) ({WINDOW_S} / count_over_time(up{selector}[{WINDOW_S}s])"
        f" and up{selector} offset {WINDOW_S}s)"
    )
    result = prom.query(query, now)
    values: dict[str, Value] = {}
    for row in result.rows:
        key = f"{row.labels.get('namespace', '')}/{row.labels.get('pod', '')}"
        if key in topology.pods:
            values[key] = row.value
    return Part("Prometheus", query, now, values, blind=result.blind)
