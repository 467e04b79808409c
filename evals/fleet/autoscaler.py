"""A HorizontalPodAutoscaler's controller.

Every 15 seconds, tolerance 0.1, scale-down held back for 300 seconds.
"""

from __future__ import annotations

import math

from evals.fleet.happenings import Happenings
from evals.fleet.identity import uid
from evals.fleet.recipe import Hpa, quantity
from evals.fleet.workloads import Deployed

SYNC = 15.0
TOLERANCE = 0.1
STABILISATION = 300.0


def about(workload: Deployed) -> tuple[str, str, str, str]:
    """Whom the autoscaler's events are about."""
    spec = workload.spec
    return "HorizontalPodAutoscaler", spec.namespace, spec.name, uid("hpa", spec.key)


def sync(workload: Deployed, hpa: Hpa, at: float, events: Happenings) -> None:
    """Read the metric, and set the number of replicas that follows from it."""
    scaling, ready = workload.scaling, workload.ready
    value = _metric(workload, hpa.metric) if ready else None
    before = (scaling.value, scaling.desired, scaling.limited)
    scaling.value = value
    current = workload.desired
    wanted = current
    if value is not None:
        ratio = value / hpa.target
        if abs(ratio - 1) > TOLERANCE:
            wanted = math.ceil(ratio * len(ready))
    scaling.limited = ""
    if wanted > hpa.max_replicas:
        wanted, scaling.limited = hpa.max_replicas, "TooManyReplicas"
    elif wanted < hpa.min_replicas:
        wanted, scaling.limited = hpa.min_replicas, "TooFewReplicas"
    scaling.wanted = [(when, n) for when, n in scaling.wanted if when > at - STABILISATION] + [(at, wanted)]
    if wanted < current:
        wanted = min(current, max(n for _, n in scaling.wanted))
    wanted = min(wanted, max(4 + current, 2 * current))
    if wanted != current:
        name = (
            "cpu resource utilization (percentage of request)" if hpa.metric == "cpu" else f"pods metric {hpa.metric}"
        )
        side = "above" if wanted > current else "below"
        why = f"{name} {side} target" if wanted > current else "All metrics below target"
        events.add(
            at,
            about(workload),
            "SuccessfulRescale",
            f"New size: {wanted}; reason: {why}",
            "horizontal-pod-autoscaler",
        )
        scaling.last_scale = at
        workload.desired = wanted
        workload.generation += 1
    scaling.desired = wanted
    if before != (scaling.value, scaling.desired, scaling.limited):
        workload.version += 1


def _metric(workload: Deployed, name: str) -> float:
    # Percent of the request for cpu; else the mean per pod of an engine's gauge. Whole numbers, as the API
    # has them.
    pods = workload.ready
    if name == "cpu":
        return float(round(100 * sum(pod.cores for pod in pods) / len(pods) / quantity(workload.spec.cpu)))
    engines = [pod.engine for pod in pods if pod.engine is not None]
    waiting = sum(len(engine.waiting) for engine in engines) / max(1, len(engines))
    running = sum(len(engine.running) for engine in engines) / max(1, len(engines))
    return round({"vllm_num_requests_waiting": waiting, "vllm_num_requests_running": running}.get(name, 0.0), 1)
