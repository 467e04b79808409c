"""Profiling metrics of a node's GPUs are missing where others of their kind have them.

## What it means
The exporter reports the GPUs, and what only profiling can tell (how busy tensor cores and memory are) is missing here: the
exporter lacks the right to profile, its profiling module failed to load, or another profiler (Nsight, `dcgmi dmon`) holds the counters.
Where no GPU of the fleet has them, it is a choice of configuration and no fault of this node.

## Why it hurts
Utilisation only says that a kernel was there. Whether these GPUs compute, wait for memory or wait for nothing cannot be told.

## What would rule it out
GPUs of a kind that has no such metrics anywhere, or GPUs that are idle: of these there is nothing to profile.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.crashes import needed
from tools.finding import Remedy
from tools.signals import GPU_UTIL
from tools.vocabulary.gpu_reporting import PROFILED

TOLD = PROFILED.now
BUSY = GPU_UTIL.avg("10m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when GPUs of the node that are in use report without profiling although GPUs of their kind, or they lately, had it."""
    without = [one for one in now.each(TOLD) if one.number == 0]
    # Of an idle GPU there is nothing to profile, and some exporters leave its fields out.
    used = [(one, needed(now, one, BUSY)) for one in without]
    used = [(one, busy) for one, busy in used if busy.number >= limits["busy"]]
    if not used:
        return None
    return because(
        "{count} of the node, {first_of} among them, are in use and report without profiling metrics, which others of their kind have or they"
        " had within 6 h.",
        *used[0],
        # What the exporter may not do it may do of none of them: of some alone it is a curiosity.
        severity="info" if any(one.number for one in now.each(TOLD)) else None,
        count=counted([one for one, _ in used], "GPUs without profiling metrics", "GPUs", now.subject),
        first=used[0][0],
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Give the exporter the right to profile, and the counters back."""
    return (
        Remedy(
            f"Read the exporter's log on {now.subject.name} for `Not collecting DCP metrics` or an error of the profiling module: give its container the"
            " capability SYS_ADMIN (or let the driver allow profiling for all), and end other profilers on the node.",
            verify="DCGM_FI_PROF_GR_ENGINE_ACTIVE has a series for every GPU of the node.",
            cites=("observability/missing-metrics-and-blind-spots", "observability/metrics-dcgm"),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(TOLD, BUSY),
    limits={"busy": Limit(0.05, "ratio", "below that a GPU is idle")},
    fires=fires,
    remedies=remedies,
    pages=("observability/missing-metrics-and-blind-spots", "observability/metrics-dcgm"),
    owner="sre",
)
