"""node-exporter: the node's own CPU, told by the name that its kernel goes by, or by a label `node` where nobody exports that name.

Pressure (PSI) needs a kernel with it, from 4.20.
"""

from __future__ import annotations

from tools.node_series import BY_LABEL, BY_NAME, NAMES, of_nodes
from tools.series import Source
from tools.signals import Per
from tools.vocabulary.pipelines import NODE_CPU_BUSY, NODE_CPU_PRESSURE, NODE_CPUS

_CPU = "node_cpu_seconds_total"
_WAITING = "node_pressure_cpu_waiting_seconds_total"
_SERIES = {
    NODE_CPU_BUSY: of_nodes(
        _CPU,
        f'1 - sum by ({{group}}) (rate({_CPU}{{{{mode=~"idle|iowait",{{sel}}}}}}[{{w}}]))'
        f' / count by ({{group}}) ({_CPU}{{{{mode="idle",{{sel}}}}}})',
        only=("avg",),
    ),
    NODE_CPU_PRESSURE: of_nodes(
        _WAITING, f"max by ({{group}}) (rate({_WAITING}{{{{{{sel}}}}}}[{{w}}]))", only=("avg",)
    ),
    NODE_CPUS: of_nodes(_CPU, f'count by ({{group}}) ({_CPU}{{{{mode="idle",{{sel}}}}}})', only=("now",)),
}

SOURCES = (
    Source(
        name=BY_NAME,
        title="node-exporter",
        per=Per.NODE,
        pods=("node-exporter",),
        anchor=(NAMES,),
        keys=("nodename",),
        signals={signal: (series[BY_NAME],) for signal, series in _SERIES.items()},
        order=43,
    ),
    Source(
        name=BY_LABEL,
        title="node-exporter, by its label node",
        per=Per.NODE,
        anchor=("node_load1", "node_memory_MemAvailable_bytes", "node_boot_time_seconds"),
        keys=("node",),
        signals={signal: (series[BY_LABEL],) for signal, series in _SERIES.items()},
        order=44,
        unless=(NAMES,),
    ),
)
