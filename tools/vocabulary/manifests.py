"""What manifests declare beyond the core facts, and what stands around a workload: services, budgets, quotas, policies, agents.

A text that names what is wrong is empty where all is well; a text that says what stands there says `none` where nothing does.
"""

from __future__ import annotations

from tools.signals import Per, Signal, fact


def _pod(name: str, meaning: str, unit: str = "", join: str = "max", told_by: str = "") -> Signal:
    return fact(f"pod.{name}", unit, Per.REPLICA, meaning, join, "config", told_by)


def _workload(name: str, meaning: str, unit: str = "", told_by: str = "") -> Signal:
    return fact(f"workload.{name}", unit, Per.WORKLOAD, meaning, "max", "config", told_by)


def _node(name: str, meaning: str, told_by: str = "") -> Signal:
    return fact(f"node.{name}", "", Per.NODE, meaning, "max", "config", told_by)


# The serving container.
REQUESTS_MISSING = _pod("requests_missing", "Requests that the container lacks")
LIMITS_MISSING = _pod("limits_missing", "Limits that the container lacks")
CPU_REQUEST = _pod("cpu_request", "CPU requested", "cores", "min")
GPUS_UNCLAIMED = _pod("gpus_unclaimed", "GPUs used without a limit")
IMAGE_MOVES = _pod("image_moves", "Image under a tag that moves")
IMAGE_UNPINNED = _pod("image_unpinned", "Image without a digest")
IMAGE_RUNNING = _pod("image_running", "Image that runs")
PROBES_MISSING = _pod("probes_missing", "Probes that the container lacks")
READINESS_ODD = _pod("readiness_odd", "What the readiness probe asks")
LIVENESS_PATIENCE = _pod(
    "liveness_patience", "Time without an answer until the liveness probe restarts", "seconds", "min"
)
STARTUP_BUDGET = _pod("startup_budget", "Time that the probes grant a start", "seconds", "min")
PRESTOP = _pod("prestop", "preStop hook")
TRACING = _pod("tracing", "Where traces go")
LOG_LEVEL = _pod("log_level_debug", "Log level for debugging")
WEIGHTS_FETCHED = _pod("weights_fetched", "Weights fetched at each start")
WEIGHTS_SHARED = _pod("weights_shared", "Network volume mounted", told_by="persistentvolumeclaims")

# The pod.
GRACE = _pod("grace", "Termination grace period", "seconds", "min")
SPREAD = _pod("spread", "Rules that spread the replicas")
PLACEMENT = _pod("placement", "Rules that choose the node")
PRIORITY = _pod("priority", "Priority class")
SPOT_UNDECLARED = _pod("spot_undeclared", "Spot node that the pod did not ask for", told_by="nodes")

# The workload, and what stands around it.
ROLLOUT = _workload("rollout", "Rollout strategy")
ROLLOUT_SURGE = _workload("rollout_surge", "Replicas that a rollout adds first", "replicas")
ROLLOUT_DOWN = _workload("rollout_down", "Replicas that a rollout may take down", "replicas")
OWNER = _workload("owner", "Owner label", told_by="namespaces")
COST_LABEL = _workload("cost_label", "Cost label", told_by="namespaces")
SERVICES = _workload("services", "Services that select it", told_by="services")
PORTS_APART = _workload("ports_apart", "Ports that do not match", told_by="services")
NO_WAY_IN = _workload("no_way_in", "Services, none of which leads to a port of its", told_by="services")
PORTS_UNNAMED = _workload("ports_unnamed", "Service port without a protocol", told_by="services")
EXPOSED = _workload("exposed", "Service reachable from outside", told_by="services")
BUDGET = _workload("budget", "Disruption budget", told_by="poddisruptionbudgets")
BUDGET_BLOCKS = _workload("budget_blocks", "Disruption budget that allows none", told_by="poddisruptionbudgets")
AUTOSCALER = _workload("autoscaler", "Autoscaler", told_by="horizontalpodautoscalers")
GPU_QUOTA = _workload("gpu_quota", "GPU quota of the namespace", told_by="resourcequotas")
LIMIT_RANGE = _workload("limit_range", "Limit range of the namespace", told_by="limitranges")

# The node.
GPU_LABELS_MISSING = _node("gpu_labels_missing", "GPU labels that the node lacks")
GPU_TAINT = _node("gpu_taint", "Taints of the node")
DRIVER = _node("driver", "GPU driver of the node")
LOG_AGENT = _node("log_agent", "Log agent on the node", told_by="pods")
WATCHED = _node("watched", "What looks for faults of the node")
