"""Metrics are missing where there should be some, so nothing can be said about what they would show.

## What it means
A node has GPUs, or a workload has engines, and Prometheus holds no fresh series of them although others report: the exporter is down,
not scraped, or switched off.

## Why it hurts
Faults there are invisible, dashboards average them away, and every rule that needs these metrics is silent.

## What would rule it out
Fresh samples from the node's GPUs or the workload's engines, or a node that is not ready: then the node is the cause. A workload of
which Prometheus has no target and had no series is not down: nobody looks, which is a blind spot.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because, counted
from tools.finding import Remedy
from tools.signals import (
    ENGINE_REPORTING,
    ENGINE_UP,
    NODE_EXPORTER_UP,
    NODE_GPUS,
    NODE_GPUS_REPORTING,
    NODE_READY,
    RUNNING_FOR,
)


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when a ready node's GPUs, or engines that have run for a while, have no fresh series."""
    return _node(now) if now.subject.kind == "node" else _engines(now, limits)


def _node(now: Now) -> Because | None:
    reporting = now[NODE_GPUS_REPORTING.now]
    if reporting.number > 0:
        return None
    gpus = now[NODE_GPUS.now]
    ready = now[NODE_READY.now]
    if gpus.number == 0 or ready.number == 0:
        return None
    up = now.get(NODE_EXPORTER_UP.now)
    said = "Of {gpus} on the node {reporting} report to Prometheus"
    if up is not None and up.number == 0:
        return because(said + ": the exporter does not answer its scrape.", up, ready, gpus=gpus, reporting=reporting)
    return because(said + ", while GPUs of other nodes do.", up, ready, gpus=gpus, reporting=reporting)


def _engines(now: Now, limits: Limits) -> Because | None:
    silent = [one for one in now.each(ENGINE_REPORTING.now) if one.number == 0]
    if not silent:
        return None
    old = []
    for one in silent:
        age = now.of(one.subject, RUNNING_FOR.now)
        if age is None:
            now.least(RUNNING_FOR.now)  # raises when no age can be seen
        elif age.number >= limits["settled"]:
            old.append((one, age))
    if not old:
        return None
    first, age = old[0]
    return because(
        "{count} of this workload, {first_of} among them, have run for over {age} without engine metrics in Prometheus.",
        now.of(first.subject, ENGINE_UP.now),
        first,
        count=counted([one for one, _ in old], "Replicas without engine metrics", "replicas", now.subject),
        first=first,
        age=min((age for _, age in old), key=lambda reading: reading.number),
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Bring the target back; until then treat everything it would show as unknown."""
    if now.subject.kind == "node":
        return (
            Remedy(
                "Look at the exporter's pod on this node: does its DaemonSet tolerate the node's taints, does it run, is its port scraped?",
                None,
                "up is 1 for the exporter of this node, and its GPUs show in Prometheus.",
                ("observability/missing-metrics-and-blind-spots", "observability/metrics-dcgm"),
            ),
        )
    return (
        Remedy(
            "Look at the scrape of these pods: the ServiceMonitor's labels and port, a NetworkPolicy, or an engine started with"
            " --disable-log-stats.",
            None,
            "up is 1 for every replica, and vllm:num_requests_running has a series for each.",
            ("observability/missing-metrics-and-blind-spots", "observability/metrics-vllm"),
        ),
    )


CHECK = Check(
    on=(On.NODE, On.WORKLOAD),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(NODE_GPUS_REPORTING.now, NODE_GPUS.now, NODE_READY.now, ENGINE_REPORTING.now, RUNNING_FOR.now),
    helps=(NODE_EXPORTER_UP.now, ENGINE_UP.now),
    limits={"settled": Limit(600, "seconds", "ten minutes: loading and the first scrapes are over")},
    fires=fires,
    remedies=remedies,
    pages=("observability/missing-metrics-and-blind-spots",),
    owner="sre",
)
