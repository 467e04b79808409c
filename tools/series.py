"""How a source's metric names become signals: one `Source` per kind of exporter and dimension, rendered to PromQL here.

A rename is one line: the candidates of a signal are tried in order and the first that exists is asked.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

from tools.buckets import STATISTIC as BUCKETS
from tools.signals import REQUESTS_RUNNING, Ask, Kind, Per, Signal

# Everything that a source's identity may need: which pod exported it, which node, which GPU, which model.
IDENTITY = (
    "namespace",
    "pod",
    "container",
    "exported_namespace",
    "exported_pod",
    "exported_container",
    "node",
    "Hostname",
    "hostname",
    "gpu",
    "modelName",
    "model_name",
    "instance",
    "job",
)


@dataclass(frozen=True, slots=True)
class Series:
    """A metric that carries a signal.

    `scale` turns the raw value into the signal's unit. `match` are extra label matchers. `label` names the label whose text is
    the value (series of value 1). `expr` is an own expression over `{by}`, `{keys}`, `{sel}` (matchers) and `{w}` (window), for what
    needs two metrics; `also` names those others, `tells` the one that
    a reader knows it by. `default` is false for what the stock configuration does not export. `only` names the statistics that can
    be had of it, all when empty. `at_first_use` says that a counter is there from the first time that it counts on: a server that
    reports without it has counted nothing since it started, where others on this Prometheus show that the name is right.
    """

    metric: str
    scale: float = 1.0
    match: str = ""
    label: str = ""
    prefer: tuple[str, ...] = ()
    expr: str = ""
    also: tuple[str, ...] = ()
    tells: str = ""
    default: bool = True
    only: tuple[str, ...] = ()
    at_first_use: bool = False

    @property
    def metrics(self) -> tuple[str, ...]:
        """Every metric name that must exist for this series to be asked."""
        return (self.metric, *self.also)


@dataclass(frozen=True, slots=True)
class Source:
    """A kind of exporter: how its series are told apart, and which signals they carry.

    `anchor` names metrics that every healthy instance exports: their sample times say how fresh the source is, their labels
    who is who (`identity` are labels that tell more than the common ones). `keys` are the labels that identify the subject.
    `images` match a container's image when the runtime is told by it (empty for exporters). `key_prefix` completes a key that
    other exporters write with more before it. `tells_pod` is false where a GPU's labels do not say which pod it is allocated to.
    `pods` match an exporter's own image or pod, `port` is where it shows `path` unless it is told otherwise (0: nobody knows).
    `unless` names metrics by which another source speaks of the same things: then this one is not asked.
    `spare` names metrics that stand for the anchor where that was dropped on the way: they tell who is there, and less of them.
    `mute` says that it shows none of its metrics until it is first asked for something.
    `agent` says that what is scraped answers for more than the engine, whose series it has only where that is configured.
    """

    name: str
    title: str
    per: Per
    anchor: tuple[str, ...]
    keys: tuple[str, ...]
    signals: Mapping[Signal, tuple[Series, ...]]
    images: tuple[str, ...] = ()
    identity: tuple[str, ...] = ()
    match: str = ""
    serving: bool = False
    order: int = 50
    key_prefix: str = ""
    tells_pod: bool = True
    pods: tuple[str, ...] = ()
    port: int = 0
    path: str = "/metrics"
    agent: bool = False
    mute: bool = False
    unless: tuple[str, ...] = ()
    spare: tuple[str, ...] = ()

    def anchors(self, names: Container[str]) -> tuple[str, ...]:
        """The anchors among these metric names, or the first of the spare ones."""
        if any(name in names for name in self.unless):
            return ()
        found = tuple(name for name in self.anchor if name in names)
        return found or tuple(name for name in self.spare if name in names)[:1]

    def keys_in(self, exported: bool) -> tuple[str, ...]:
        """The labels that hold the workload's identity, given whether Prometheus renamed them to `exported_*`."""
        if not exported:
            return self.keys
        return tuple(f"exported_{key}" if key in {"namespace", "pod", "container"} else key for key in self.keys)


@dataclass(frozen=True, slots=True)
class Labels:
    """How one source's labels look on one server: its key labels, and matchers that every selector carries."""

    keys: tuple[str, ...]
    matchers: str = ""


def braces(*parts: str) -> str:
    """Join label matchers into a selector's braces, empty when there are none."""
    inner = ",".join(part for part in parts if part)
    return f"{{{inner}}}" if inner else ""


def none_yet(ask: Ask, found: Sequence[Series], source: Source, labels: Labels) -> str:
    """The PromQL of 0 for who reports without a counter that is there from its first use on, and was not used; empty where that does not hold.

    Who runs requests, or has another such counter, finished none yet or is kept from being counted: nobody knows which.
    """
    busy = [one.metric for one in source.signals.get(REQUESTS_RUNNING, ())]
    lazy = bool(found) and all(series.at_first_use for series in found)
    if ask.statistic not in {"increase", "rate"} or not lazy or not busy:
        return ""
    anchors, source_match = source.anchor, source.match
    by = ", ".join(labels.keys)
    there = " or ".join(f"max by ({by}) ({name}{braces(source_match, labels.matchers)})" for name in anchors)
    first = dict.fromkeys(one.metric for those in source.signals.values() for one in those if one.at_first_use)
    counted = " or ".join(f"max by ({by}) ({name}{braces(source_match, labels.matchers)})" for name in first)
    inner = braces(source_match, labels.matchers)
    ran = " or ".join(f"max by ({by}) (max_over_time({name}{inner}[{ask.window or '5m'}])) > 0" for name in busy)
    return f"(({there}) * 0 unless ({counted}) unless ({ran}))"


_OVER = {"max": "max_over_time", "min": "min_over_time", "avg": "avg_over_time", "slope": "deriv", "changes": "changes"}
_QUANTILE = {"p50": "0.5", "p95": "0.95", "p99": "0.99"}


def render(ask: Ask, series: Series, labels: Labels, source_match: str = "") -> str:
    """The PromQL that answers an ask from one series, in the signal's unit, grouped by the source's keys."""
    by = ", ".join((*labels.keys, series.label) if series.label else labels.keys)
    inner = ",".join(part for part in (source_match, series.match, labels.matchers) if part)
    selector = braces(inner)
    window = ask.window or "5m"
    metric = series.metric
    join = ask.signal.join
    if series.expr:
        core = series.expr.format(by=by, keys=", ".join(labels.keys), sel=inner, w=window)
    elif series.label and not series.expr:
        return f"max by ({by}) ({metric}{selector}) == 1"
    elif ask.signal.kind is Kind.HISTOGRAM and ask.statistic == "mean":
        rate = f"sum by ({by}) (rate({metric}_{{part}}{selector}[{window}]))"
        core = f"{rate.replace('{part}', 'sum')} / {rate.replace('{part}', 'count')}"
    elif ask.statistic == BUCKETS:
        # Counts, whatever the unit of what is counted: the bounds are scaled where they are read.
        return f"sum by (le, {by}) (increase({metric}_bucket{selector}[{window}]))"
    elif ask.signal.kind is Kind.HISTOGRAM:
        bucket = f"sum by (le, {by}) (rate({metric}_bucket{selector}[{window}]))"
        core = f"histogram_quantile({_QUANTILE[ask.statistic]}, {bucket})"
    elif ask.statistic in {"rate", "increase"}:
        core = f"sum by ({by}) ({ask.statistic}({metric}{selector}[{window}]))"
    elif ask.statistic == "now":
        core = f"{join} by ({by}) ({metric}{selector})"
    elif ask.statistic == "crossings":
        # One middle for the whole window: of what was even before it, each moment's own would lie on the line.
        one = f"{metric}{selector}"
        middle = f"(max_over_time({one}[{window}] @ end()) + min_over_time({one}[{window}] @ end())) / 2"
        core = f"{join} by ({by}) (changes(({one} > bool ({middle}))[{window}:1m]))"
    else:
        # A pod that left a GPU, or came to it, makes a new series of the same GPU: the lowest of both is its lowest.
        join = "min" if (ask.statistic, ask.signal.per, join) == ("min", Per.GPU, "max") else join
        core = f"{join} by ({by}) ({_OVER[ask.statistic]}({metric}{selector}[{window}]))"
    if series.scale != 1.0 and ask.statistic not in {"changes", "crossings"}:
        core = f"({core}) * {series.scale:.10g}"
    return core


def exists(series: Series, ask: Ask, names: frozenset[str]) -> bool:
    """Whether it can give the statistic, and every metric that it needs is on the server (histograms by their buckets)."""
    if ask.statistic == BUCKETS:
        # Percentiles are made of buckets: where those can be had, these can.
        if series.expr or (series.only and "p95" not in series.only):
            return False
    elif series.only and ask.statistic not in series.only:
        return False
    histogram = ask.signal.kind is Kind.HISTOGRAM and not series.expr
    return all((f"{name}_bucket" if histogram else name) in names for name in series.metrics)
