"""node-exporter: the node's own CPU, told by the name that its kernel goes by (`node_uname_info`).

Its other series only carry the address that was scraped; the join over `instance` names the node. Where the kernel's name is not the
node's, there is nothing to see. Pressure (PSI) needs a kernel with it, from 4.20.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import Per
from tools.vocabulary.pipelines import NODE_CPU_BUSY, NODE_CPU_PRESSURE, NODE_CPUS

_NAMED = " * on (instance) group_left (nodename) max by (instance, nodename) (node_uname_info)"
_CPU = "node_cpu_seconds_total"

SOURCES = (
    Source(
        name="node_exporter",
        title="node-exporter",
        per=Per.NODE,
        pods=("node-exporter",),
        anchor=("node_uname_info",),
        keys=("nodename",),
        signals={
            NODE_CPU_BUSY: (
                Series(
                    _CPU,
                    only=("avg",),
                    expr=(
                        f'max by ({{by}}) ((1 - sum by (instance) (rate({_CPU}{{{{mode=~"idle|iowait",{{sel}}}}}}[{{w}}]))'
                        f' / count by (instance) ({_CPU}{{{{mode="idle",{{sel}}}}}})){_NAMED})'
                    ),
                ),
            ),
            NODE_CPU_PRESSURE: (
                Series(
                    "node_pressure_cpu_waiting_seconds_total",
                    only=("avg",),
                    expr=(
                        "max by ({by}) (max by (instance) (rate(node_pressure_cpu_waiting_seconds_total{{{sel}}}[{w}]))"
                        f"{_NAMED})"
                    ),
                ),
            ),
            NODE_CPUS: (
                Series(
                    _CPU,
                    only=("now",),
                    expr=f'max by ({{by}}) (count by (instance) ({_CPU}{{{{mode="idle",{{sel}}}}}}){_NAMED})',
                ),
            ),
        },
        order=43,
    ),
)
