"""cAdvisor in the kubelet: what a container really used. CFS series exist only for containers with a CPU limit."""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import CPU_THROTTLED, CPU_USAGE, MEM_WORKING_SET, OOM_EVENTS, Per

SOURCES = (
    Source(
        name="cadvisor",
        title="cAdvisor",
        per=Per.REPLICA,
        anchor=("container_memory_working_set_bytes",),
        keys=("namespace", "pod"),
        match='container!="",container!="POD"',
        signals={
            CPU_THROTTLED: (
                Series(
                    "container_cpu_cfs_throttled_periods_total",
                    also=("container_cpu_cfs_periods_total",),
                    expr=(
                        "sum by ({by}) (rate(container_cpu_cfs_throttled_periods_total{{{sel}}}[{w}]))"
                        " / sum by ({by}) (rate(container_cpu_cfs_periods_total{{{sel}}}[{w}]))"
                    ),
                ),
            ),
            CPU_USAGE: (Series("container_cpu_usage_seconds_total"),),
            MEM_WORKING_SET: (Series("container_memory_working_set_bytes"),),
            OOM_EVENTS: (Series("container_oom_events_total"),),
        },
        order=30,
    ),
)
