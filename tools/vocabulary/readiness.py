"""What readiness rules look at beyond the manifests: resilience, engine settings, the GPU stack of nodes, scaling, routes, rights.

A text that names what is wrong is empty where all is well; a text that says what stands there says `none` where nothing does.
"""

from __future__ import annotations

from tools.node_series import BY_LABEL, BY_NAME, of_nodes
from tools.signals import Per, Signal, fact, gauge

ROLES = "clusterrolebindings"
KEDA = "scaledobjects.keda.sh"


def _pod(name: str, meaning: str, unit: str = "", join: str = "max", told_by: str = "") -> Signal:
    return fact(f"pod.{name}", unit, Per.REPLICA, meaning, join, "config", told_by)


def _workload(name: str, meaning: str, told_by: str, unit: str = "", join: str = "max") -> Signal:
    return fact(f"workload.{name}", unit, Per.WORKLOAD, meaning, join, "config", told_by)


def _node(name: str, meaning: str, told_by: str = "") -> Signal:
    return fact(f"node.{name}", "", Per.NODE, meaning, "max", "config", told_by)


def _cluster(name: str, meaning: str) -> Signal:
    return fact(f"cluster.{name}", "", Per.CLUSTER, meaning, evidence="config", told_by="pods")


# Resilience.
ON_ONE_NODE = _workload("on_one_node", "Node that carries every replica", "pods")
IMAGES_APART = _workload("images_apart", "Digests that replicas of one image tag run", "pods")
NO_ROLLBACK = _workload("no_rollback", "Revisions kept for a rollback", "deployments")
CLAIM_SINGLE = _workload("claim_single", "Claim that only one node may mount", "persistentvolumeclaims")
BARE = _pod("bare", "Controller that the pod lacks")
LIVENESS_AS_READINESS = _pod("liveness_as_readiness", "Liveness probe that is no more patient than readiness")
LIVENESS_TIMEOUT = _pod("liveness_timeout", "Timeout of the liveness probe", "seconds", "min")
MEMORY_UNGUARANTEED = _pod("memory_unguaranteed", "Memory request below its limit")
SCRATCH_UNBOUNDED = _pod("scratch_unbounded", "Scratch volume without a bound")
WEIGHTS_WRITABLE = _pod("weights_writable", "Writable mount of the weights")
CACHE_LOST = _pod("cache_lost", "Compile cache that a restart loses")
REGISTRY_PUBLIC = _pod("registry_public", "Image from a public registry")
UNMAINTAINED = _pod("unmaintained", "Engine without upkeep")

# Settings of the engine.
REVISION_OPEN = _pod("revision_open", "Model without a fixed revision")
CONTEXT_IMPLICIT = _pod("context_implicit", "Context limit left to the model")
BATCH_IMPLICIT = _pod("batch_implicit", "Batch limits left to the engine")
KNOWN_HOLES = _pod("known_holes", "Published holes of the engine's version")
PRECISION_IMPLICIT = _pod("precision_implicit", "Precision left to the model")

# The GPU stack of a node.
STACK_UNREADY = _node("stack_unready", "Pods of the GPU stack that are not ready", told_by="pods")
DRIVER_ODD = _node("driver_odd", "Driver that differs from the pool's")
DRIVER_BRANCH = _node("driver_branch", "Driver branch")
SYSTEM_ODD = _node("system_odd", "Versions that differ from the pool's")
MIG_STATE = _node("mig_state", "MIG configuration that was not applied")
SHARED_GPU = _pod("shared_gpu", "GPU shared by time-slicing or MPS", told_by="nodes")

# Agents of the cluster, told by the names of their pods.
STATE_METRICS = _cluster("state_metrics", "kube-state-metrics in the cluster")
POLICY_ENGINE = _cluster("policy_engine", "Policy engine in the cluster")
IMAGE_SCANNER = _cluster("image_scanner", "Image scanner in the cluster")
BACKUP_AGENT = _cluster("backup_agent", "Backup agent in the cluster")

# Whether pods suit their nodes.
PRECISION_BEYOND = _pod("precision_beyond", "Number format that the GPU lacks", told_by="nodes")
FABRIC_MISSING = _pod("fabric_missing", "Fast network that the pod lacks")
CRASH_UNSAID = _pod("crash_unsaid", "What is kept of a crash")
CLOCK_SYNCED = gauge("node.clock_synced", "bool", Per.NODE, "Clock synchronised", "min")
DISK_FREE = gauge("node.disk_free", "ratio", Per.NODE, "Free space of the root file system", "min")

# Scaling.
NO_FALLBACK = _workload("no_fallback", "ScaledObject without a fallback", KEDA)
FROM_ZERO = _workload("from_zero", "ScaledObject that scales to zero", KEDA)
PAUSED = _workload("paused", "ScaledObject that is paused", KEDA)
QUOTA_GPUS = _workload("quota_gpus", "GPUs that the namespace's quota grants", "resourcequotas", "GPUs", "min")

# Routes and rights.
ROUTES = _workload("routes", "Routes that lead to it", "ingresses")
ROUTE_PLAIN = _workload("route_plain", "Route without TLS", "ingresses")
ROUTE_TIMEOUT = _workload("route_timeout", "Shortest timeout of its routes", "ingresses", "seconds", "min")
GRADUAL = _workload("gradual", "Route that shares requests out between versions", "ingresses")
EGRESS_POLICY = _workload("egress_policy", "Network policy for what goes out", "networkpolicies")
RIGHTS_WIDE = _workload("rights_wide", "Rights of its service account", ROLES)
ADMINS = fact(
    "cluster.admins", "subjects", Per.CLUSTER, "Subjects bound to cluster-admin", evidence="config", told_by=ROLES
)

_ROOT = '{{mountpoint="/",{sel}}}'
_OF_NODES = {
    CLOCK_SYNCED: of_nodes(
        "node_timex_sync_status",
        "max by ({group}) (max_over_time(node_timex_sync_status{{{sel}}}[{w}]))",
        only=("max",),
    ),
    DISK_FREE: of_nodes(
        "node_filesystem_avail_bytes",
        f"min by ({{group}}) (node_filesystem_avail_bytes{_ROOT}) / max by ({{group}}) (node_filesystem_size_bytes{_ROOT})",
        "node_filesystem_size_bytes",
        only=("now",),
        join="min",
    ),
}
SERIES = {form: {signal: (series[form],) for signal, series in _OF_NODES.items()} for form in (BY_NAME, BY_LABEL)}
