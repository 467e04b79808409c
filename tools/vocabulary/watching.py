"""What watches a workload and its GPUs: alert rules, the series that exist, how often they are read and how long they are kept.

Told by Prometheus about itself, not by a metric of anybody. `none` says that nothing stands there; an empty text that nothing is missing.
"""

from __future__ import annotations

from tools.signals import Per, Signal, fact

PROMETHEUS = "prometheus"


def _workload(name: str, meaning: str) -> Signal:
    return fact(f"workload.{name}", "", Per.WORKLOAD, meaning, evidence="config")


def _cluster(name: str, meaning: str, unit: str = "") -> Signal:
    return fact(f"cluster.{name}", unit, Per.CLUSTER, meaning, evidence="config")


# Alert rules.
ALERT_LATENCY = _workload("alert_latency", "Alert rules on latency")
ALERT_ERRORS = _workload("alert_errors", "Alert rules on errors")
ALERT_DOWN = _workload("alert_down", "Alert rules on lost replicas or scrapes")
ALERT_QUEUE = _workload("alert_queue", "Alert rules on queue or cache")
ALERT_STALL = _workload("alert_stall", "Alert rules on a stalled engine")
ALERT_SCALER = _workload("alert_scaler", "Alert rules on autoscalers")
NO_RUNBOOK = _workload("no_runbook", "Alert rules without a runbook")
ALERT_GPU_FAULT = _cluster("alert_gpu_fault", "Alert rules on GPU faults")
ALERT_GPU_IDLE = _cluster("alert_gpu_idle", "Alert rules on idle GPUs")
RULES_FAILING = _cluster("rules_failing", "Rules that Prometheus cannot evaluate")
ALERTMANAGERS = _cluster("alertmanagers", "Alertmanagers that Prometheus sends to")
RETENTION = _cluster("retention", "How long Prometheus keeps samples", "days")
OF_RULES = (
    ALERT_LATENCY,
    ALERT_ERRORS,
    ALERT_DOWN,
    ALERT_QUEUE,
    ALERT_STALL,
    ALERT_SCALER,
    NO_RUNBOOK,
    ALERT_GPU_FAULT,
    ALERT_GPU_IDLE,
    RULES_FAILING,
)

# What is exported, and how often it is read.
LATENCY_MISSING = fact("engine.latency_missing", "", Per.REPLICA, "Latency series that are missing", evidence="metric")
ENDINGS_MISSING = fact(
    "engine.endings_missing", "", Per.REPLICA, "Request counters that are missing", evidence="metric"
)
CACHE_MISSING = fact("engine.cache_missing", "", Per.REPLICA, "Cache series that are missing", evidence="metric")
FAULTS_MISSING = fact("gpu.faults_missing", "", Per.GPU, "Fault series that are missing", evidence="metric")
ECC_MISSING = fact("gpu.ecc_missing", "", Per.GPU, "ECC series that are missing", evidence="metric")
PROFILING_MISSING = fact("gpu.profiling_missing", "", Per.GPU, "Profiling series that are missing", evidence="metric")
GPUS_UNNAMED = fact("workload.gpus_unnamed", "", Per.WORKLOAD, "GPU series without the pod", evidence="metric")
SCRAPE_INTERVAL = fact("engine.scrape_interval", "seconds", Per.REPLICA, "Scrape interval", evidence="metric")
