"""The vocabulary: every signal and fact that a check may ask for, with its unit, its dimension and its meaning.

A *signal* is measured; runtimes and exporters translate it into metric names. A *fact* is read off Kubernetes objects or
logs (and, where they are blind or past, off kube-state-metrics). An *ask* is a signal with a statistic over a window:
`KV_USAGE.min("10m")`. Ratios run from 0 to 1, times are seconds, sizes bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from functools import cache, cached_property


class Per(StrEnum):
    """The thing that one value belongs to."""

    REPLICA = "replica"
    GPU = "gpu"
    NODE = "node"
    WORKLOAD = "workload"
    CLUSTER = "cluster"


class Kind(StrEnum):
    """How a signal is measured, which decides its statistics."""

    GAUGE = "gauge"
    COUNTER = "counter"
    HISTOGRAM = "histogram"
    FACT = "fact"


STATISTICS: dict[Kind, frozenset[str]] = {
    Kind.GAUGE: frozenset({"now", "max", "min", "avg", "slope", "changes", "crossings"}),
    Kind.COUNTER: frozenset({"rate", "increase"}),
    Kind.HISTOGRAM: frozenset({"p50", "p95", "p99", "mean", "buckets"}),
    Kind.FACT: frozenset({"now"}),
}

_SAID = {
    "now": "now",
    "max": "highest over {w}",
    "min": "lowest over {w}",
    "avg": "average over {w}",
    "slope": "change per second over {w}",
    "changes": "changes in {w}",
    "crossings": "crossings of its middle in {w}",
    "rate": "per second over {w}",
    "increase": "in {w}",
    "p50": "median over {w}",
    "p95": "p95 over {w}",
    "p99": "p99 over {w}",
    "mean": "mean over {w}",
    "buckets": "counted by bucket in {w}",
}
_UNIT_OF_WINDOW = {"s": "s", "m": "min", "h": "h"}


@dataclass(frozen=True, eq=False)
class Signal:
    """A thing that can be known. Each is declared once, so that it equals itself alone.

    `join` says how several values of one subject's parts become one, `evidence` what kind of evidence it is. A `lasting` signal
    is an event that stays true after its source fell silent (a GPU that reported a fault and vanished): staleness does not blind it.
    An `optional` one is exported only where a feature is in use: where its source reports without it, there is nothing to see.
    `told_by` names the Kubernetes kind (plural) whose list tells a fact, where it is not the usual one of its dimension.
    """

    name: str
    unit: str
    per: Per
    kind: Kind
    meaning: str
    join: str = "max"
    evidence: str = "metric"
    lasting: bool = False
    optional: bool = False
    told_by: str = ""

    def ask(self, statistic: str, window: str = "") -> Ask:
        """The one ask of it with this statistic and window; raises ValueError where there can be no such ask."""
        return _ask(self, statistic, window)

    @cached_property
    def now(self) -> Ask:
        """The value now."""
        return self.ask("now")

    def max(self, window: str) -> Ask:
        """The highest value in the window."""
        return self.ask("max", window)

    def min(self, window: str) -> Ask:
        """The lowest value in the window."""
        return self.ask("min", window)

    def avg(self, window: str) -> Ask:
        """The average over the window."""
        return self.ask("avg", window)

    def slope(self, window: str) -> Ask:
        """The change per second over the window (least squares)."""
        return self.ask("slope", window)

    def changes(self, window: str) -> Ask:
        """How often the value changed in the window."""
        return self.ask("changes", window)

    def crossings(self, window: str) -> Ask:
        """How often the value crossed the middle between its highest and its lowest in the window: twice for each time there and back."""
        return self.ask("crossings", window)

    def rate(self, window: str) -> Ask:
        """The counter's growth per second over the window."""
        return self.ask("rate", window)

    def increase(self, window: str) -> Ask:
        """The counter's growth over the window."""
        return self.ask("increase", window)

    def p50(self, window: str) -> Ask:
        """The median of what was observed in the window."""
        return self.ask("p50", window)

    def p99(self, window: str) -> Ask:
        """The 99th percentile of what was observed in the window."""
        return self.ask("p99", window)

    def p95(self, window: str) -> Ask:
        """The 95th percentile of what was observed in the window."""
        return self.ask("p95", window)

    def buckets(self, window: str) -> Ask:
        """How many were observed in the window, by the histogram's bounds (see tools/buckets.py)."""
        return self.ask("buckets", window)

    def mean(self, window: str) -> Ask:
        """The mean of what was observed in the window."""
        return self.ask("mean", window)


@dataclass(frozen=True, eq=False)
class Ask:
    """A signal with a statistic and, but for `now`, a window such as `10m`.

    There is one of each (`Signal.ask` makes it), equal to itself alone: columns are looked up by it a million times in a large fleet.
    """

    signal: Signal
    statistic: str
    window: str = ""

    def __str__(self) -> str:
        """Print as it is written in a scene: `llm.kv_usage min 10m`."""
        return " ".join(part for part in (self.signal.name, self.statistic, self.window) if part)

    @cached_property
    def said(self) -> str:
        """Print for a reader: `KV cache usage, lowest over 10 min`."""
        if self.statistic == "now":
            return self.signal.meaning
        return f"{self.signal.meaning}, {_over(self.statistic, self.window)}"

    @cached_property
    def unit(self) -> str:
        """The unit of the value: a rate is the signal's unit per second."""
        if self.statistic in {"rate", "slope"}:
            return "cores" if self.signal.unit == "core-seconds" else f"{self.signal.unit}/s"
        return self.statistic if self.statistic in {"changes", "crossings"} else self.signal.unit


@cache
def _ask(of: Signal, statistic: str, window: str) -> Ask:
    if statistic not in STATISTICS[of.kind]:
        raise ValueError(f"{of.name} is a {of.kind}: it has no {statistic!r}")
    if window and not re.fullmatch(r"\d+[smh]", window):
        raise ValueError(f"{window!r} is no window: write 10m, 1h or 30s")
    return Ask(of, statistic, window)


@cache
def _over(statistic: str, window: str) -> str:
    return _SAID[statistic].format(w=f"{int(window[:-1])} {_UNIT_OF_WINDOW[window[-1]]}")


SIGNALS: dict[str, Signal] = {}


def signal(
    name: str,
    unit: str,
    per: Per,
    kind: Kind,
    meaning: str,
    join: str = "max",
    evidence: str = "metric",
    *,
    lasting: bool = False,
    optional: bool = False,
    told_by: str = "",
) -> Signal:
    """Declare a signal; its name is its own."""
    if name in SIGNALS:
        raise ValueError(f"the signal {name} is declared twice")
    made = Signal(name, unit, per, kind, meaning, join, evidence, lasting, optional, told_by)
    SIGNALS[name] = made
    return made


def gauge(
    name: str, unit: str, per: Per, meaning: str, join: str = "max", *, lasting: bool = False, optional: bool = False
) -> Signal:
    """Declare a gauge."""
    return signal(name, unit, per, Kind.GAUGE, meaning, join, lasting=lasting, optional=optional)


def counter(name: str, unit: str, per: Per, meaning: str, *, optional: bool = False) -> Signal:
    """Declare a counter; parts are summed."""
    return signal(name, unit, per, Kind.COUNTER, meaning, "sum", optional=optional)


def times(name: str, meaning: str, unit: str = "seconds", *, optional: bool = False) -> Signal:
    """Declare a histogram of times, or of another unit, per replica."""
    return signal(name, unit, Per.REPLICA, Kind.HISTOGRAM, meaning, optional=optional)


def fact(
    name: str, unit: str, per: Per, meaning: str, join: str = "max", evidence: str = "state", told_by: str = ""
) -> Signal:
    """Declare a fact of Kubernetes objects; `evidence` is state, config, event or log."""
    return signal(name, unit, per, Kind.FACT, meaning, join, evidence, told_by=told_by)


def line(name: str, meaning: str) -> Signal:
    """Declare a line of the serving container's log: the newest that matches, empty when the log was read and holds none."""
    if not name.startswith("log."):
        raise ValueError(f"{name}: what a log tells is named log.*")
    return fact(name, "", Per.REPLICA, meaning, evidence="log")


# The serving engine, per replica (one pod).
REQUESTS_RUNNING = gauge("llm.requests_running", "requests", Per.REPLICA, "Requests running", "sum")
REQUESTS_WAITING = gauge("llm.requests_waiting", "requests", Per.REPLICA, "Requests waiting", "sum")
KV_USAGE = gauge("llm.kv_usage", "ratio", Per.REPLICA, "KV cache usage")
ENGINE_AWAKE = gauge("llm.engine_awake", "bool", Per.REPLICA, "Engine awake (not in sleep mode)", "min")
PREEMPTIONS = counter("llm.preemptions", "preemptions", Per.REPLICA, "Preemptions")
REQUESTS_FINISHED = counter("llm.requests_finished", "requests", Per.REPLICA, "Requests finished")
PROMPT_TOKENS = counter("llm.prompt_tokens", "tokens", Per.REPLICA, "Prompt tokens")
GENERATION_TOKENS = counter("llm.generation_tokens", "tokens", Per.REPLICA, "Generated tokens")
PREFIX_CACHE_HITS = counter("llm.prefix_cache_hits", "tokens", Per.REPLICA, "Prompt tokens found in the prefix cache")
TTFT = times("llm.ttft", "Time to first token")
QUEUE_TIME = times("llm.queue_time", "Time in the engine's queue")
PREFILL_TIME = times("llm.prefill_time", "Prefill time")
ITL = times("llm.itl", "Inter-token latency")
REQUEST_TOKENS = signal("llm.request_tokens", "tokens", Per.REPLICA, Kind.HISTOGRAM, "Prompt length of a request")

# The GPU.
GPU_UTIL = gauge("gpu.util", "ratio", Per.GPU, "GPU busy time")
GPU_TENSOR = gauge("gpu.tensor_active", "ratio", Per.GPU, "Tensor core activity")
GPU_DRAM = gauge("gpu.dram_active", "ratio", Per.GPU, "GPU memory bandwidth activity")
GPU_MEM_USED = gauge("gpu.mem_used", "bytes", Per.GPU, "GPU memory used")
GPU_MEM_FREE = gauge("gpu.mem_free", "bytes", Per.GPU, "GPU memory free")
GPU_POWER = gauge("gpu.power_draw", "watts", Per.GPU, "GPU power draw")
XID_LAST = signal("gpu.xid_last", "xid", Per.GPU, Kind.GAUGE, "Last Xid that the driver reported", lasting=True)
XID_BEFORE = signal("gpu.xid_before", "xid", Per.GPU, Kind.GAUGE, "Last Xid as of an hour ago", lasting=True)
XID_WINDOW = signal("gpu.xid_count", "xid", Per.GPU, Kind.FACT, "Xid counted in the exporter's window", "max", "metric")

# The container.
CPU_THROTTLED = signal(
    "container.cpu_throttled", "ratio", Per.REPLICA, Kind.HISTOGRAM, "CPU periods throttled", "max", "metric"
)
CPU_USAGE = counter("container.cpu_usage", "core-seconds", Per.REPLICA, "CPU used")
MEM_WORKING_SET = gauge("container.mem_working_set", "bytes", Per.REPLICA, "Container memory (working set)")
OOM_EVENTS = counter("container.oom_events", "kills", Per.REPLICA, "Out-of-memory kills in the container")

# Facts of a pod and its serving container.
POD_PHASE = fact("pod.phase", "", Per.REPLICA, "Pod phase")
POD_READY = fact("pod.ready", "bool", Per.REPLICA, "Pod ready", "min")
POD_AGE = fact("pod.age", "seconds", Per.REPLICA, "Pod age", "min")
RUNNING_FOR = fact("pod.running_for", "seconds", Per.REPLICA, "Time that the container has run", "min")
RESTARTS = fact("pod.restarts", "restarts", Per.REPLICA, "Restarts of the container", "sum")
TERMINATION = fact("pod.termination_reason", "", Per.REPLICA, "Last termination")
EXIT_CODE = fact("pod.exit_code", "", Per.REPLICA, "Exit code of the last termination")
TERMINATED_AGO = fact("pod.terminated_ago", "seconds", Per.REPLICA, "Time since the last termination", "min")
LIVED_FOR = fact("pod.lived_for", "seconds", Per.REPLICA, "How long the terminated container had run", "min")
WAITING_REASON = fact("pod.waiting_reason", "", Per.REPLICA, "Container waiting")
UNSCHEDULABLE = fact("pod.unschedulable", "", Per.REPLICA, "Scheduler's verdict on the pending pod", evidence="event")
PENDING_FOR = fact("pod.pending_for", "seconds", Per.REPLICA, "Time that the pod has been pending")
GPU_REQUEST = fact("pod.gpu_request", "GPUs", Per.REPLICA, "GPUs requested", "sum", "config")
CPU_LIMIT = fact("pod.cpu_limit", "cores", Per.REPLICA, "CPU limit", "min", "config")
MEMORY_LIMIT = fact("pod.memory_limit", "bytes", Per.REPLICA, "Memory limit", "min", "config")
SHM_SIZE = fact("pod.shm_size", "bytes", Per.REPLICA, "Size of /dev/shm", "min", "config")
TENSOR_PARALLEL = fact("engine.tensor_parallel", "GPUs", Per.REPLICA, "Tensor parallel size", "max", "config")
MAX_NUM_SEQS = fact("engine.max_num_seqs", "requests", Per.REPLICA, "Limit of concurrent sequences", "min", "config")
GPU_MEM_UTILIZATION = fact(
    "engine.gpu_memory_utilization", "ratio", Per.REPLICA, "gpu-memory-utilization", "max", "config"
)
KV_DTYPE = fact("engine.kv_cache_dtype", "", Per.REPLICA, "KV cache data type", "max", "config")

# What the serving container's log says (the newest line that matches, empty when it was read and holds none).
LOG_CUDA_OOM = fact("log.cuda_oom", "", Per.REPLICA, "CUDA out-of-memory line", evidence="log")
LOG_SERVING = fact("log.serving", "", Per.REPLICA, "Line that shows it was serving", evidence="log")
LOG_SHM = fact("log.shm", "", Per.REPLICA, "Shared-memory line", evidence="log")
LOG_XID = fact("log.xid", "", Per.REPLICA, "GPU fault line", evidence="log")
LOG_LAST_ERROR = fact("log.last_error", "", Per.REPLICA, "Last error of the log", evidence="log")

# Facts of a workload and its autoscaler.
STANDBY = fact("workload.standby", "bool", Per.WORKLOAD, "Declared a standby", evidence="config")
KEPT_WARM = fact(
    "workload.kept_warm", "bool", Per.WORKLOAD, "Called a standby by its name or labels", evidence="config"
)
REPLICAS_WANTED = fact("workload.replicas_wanted", "replicas", Per.WORKLOAD, "Replicas wanted")
REPLICAS_READY = fact("workload.replicas_ready", "replicas", Per.WORKLOAD, "Replicas ready")
HPA_METRICS = fact("hpa.metrics", "", Per.WORKLOAD, "Metrics that the autoscaler follows", evidence="config")
HPA_MIN = fact("hpa.min", "replicas", Per.WORKLOAD, "Autoscaler's minimum", evidence="config")
HPA_MAX = fact("hpa.max", "replicas", Per.WORKLOAD, "Autoscaler's maximum", evidence="config")
HPA_DESIRED = fact("hpa.desired", "replicas", Per.WORKLOAD, "Replicas that the autoscaler wants")

# Facts of a node and of the cluster.
NODE_GPUS = fact("node.gpus", "GPUs", Per.NODE, "GPUs on the node")
NODE_GPUS_REPORTING = fact(
    "node.gpus_reporting", "GPUs", Per.NODE, "GPUs with fresh metrics on the node", evidence="metric"
)
NODE_EXPORTER_UP = fact("node.exporter_up", "bool", Per.NODE, "GPU exporter answers its scrape", "min", "metric")
NODE_READY = fact("node.ready", "bool", Per.NODE, "Node ready", "min")
ENGINE_REPORTING = fact("engine.reporting", "bool", Per.REPLICA, "Fresh engine metrics", "min", "metric")
ENGINE_UP = fact("engine.up", "bool", Per.REPLICA, "Engine answers its scrape", "min", "metric")
CLUSTER_GPUS_FREE = fact("cluster.gpus_free", "GPUs", Per.CLUSTER, "Free GPUs in the cluster")
CLUSTER_GPUS_TOTAL = fact("cluster.gpus_total", "GPUs", Per.CLUSTER, "Allocatable GPUs in the cluster")
CLUSTER_CORDONED_BLOCK = fact(
    "cluster.largest_cordoned_block", "GPUs", Per.CLUSTER, "Most unused GPUs on one cordoned node"
)
CLUSTER_LARGEST_BLOCK = fact("cluster.largest_free_block", "GPUs", Per.CLUSTER, "Most free GPUs on one node")


def parse_ask(text: str) -> Ask:
    """Read an ask as printed (`llm.kv_usage min 10m`); a sentence in ValueError for anything else."""
    from tools.vocabulary import modules

    modules()
    name, *rest = text.split()
    found = SIGNALS.get(name)
    if found is None:
        raise ValueError(f"{name!r} is no signal; tools/signals.py and tools/vocabulary list them")
    statistic, window = (*rest, "now", "")[:2] if rest else ("now", "")
    if len(rest) == 1:
        window = ""
    return found.ask(statistic, window)
