"""kube-state-metrics: facts of Kubernetes objects as series. Asked for where the API is blind, or the time is past.

Resource names arrive sanitised (`nvidia_com_gpu`). The reason of a scheduling failure, container arguments, volumes and logs
are not exported: without the API they stay blind.
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    CPU_LIMIT,
    EXIT_CODE,
    GPU_REQUEST,
    HPA_DESIRED,
    HPA_MAX,
    HPA_METRICS,
    HPA_MIN,
    MEMORY_LIMIT,
    NODE_GPUS,
    NODE_READY,
    PENDING_FOR,
    POD_AGE,
    POD_PHASE,
    POD_READY,
    RESTARTS,
    RUNNING_FOR,
    TERMINATED_AGO,
    TERMINATION,
    WAITING_REASON,
    Per,
)
from tools.vocabulary.startup import TOLD_OF

_WORST_FIRST = ("OOMKilled", "ContainerCannotRun", "StartError", "Error")
# Before that a container only waits for its turn.
_WAITING_FIRST = (
    "CrashLoopBackOff",
    "ImagePullBackOff",
    "ErrImagePull",
    "CreateContainerConfigError",
    "CreateContainerError",
)
_INIT_LOOPS = (
    "max by ({keys}) (kube_pod_init_container_status_waiting_reason"
    '{{reason!~"PodInitializing|ContainerCreating",{sel}}}) == 1'
)


def _reason(metric: str, prefer: tuple[str, ...], init: str) -> Series:
    # Only the reason that holds is exported: a pod that is known and has none has none.
    return Series(
        "kube_pod_info",
        label="reason",
        prefer=prefer,
        tells=metric,
        expr=(
            f"max by ({{by}}) ({metric}{{{{{{sel}}}}}}) == 1 or {init}"
            " or on ({keys}) group by ({by}) (kube_pod_info{{{sel}}})"
        ),
    )


_WAITS = _reason(
    "kube_pod_container_status_waiting_reason",
    _WAITING_FIRST,
    "max by ({by}) (kube_pod_init_container_status_waiting_reason{{{sel}}}) == 1",
)
# How an init container ended counts as long as it waits to be tried again.
_ENDED = _reason(
    "kube_pod_container_status_last_terminated_reason",
    _WORST_FIRST,
    "max by ({by}) (kube_pod_init_container_status_last_terminated_reason{{{sel}}}) * on ({keys}) group_left () "
    f"({_INIT_LOOPS}) == 1",
)
_INIT_NAMED = (
    'label_replace(label_replace(kube_pod_init_container_status_waiting_reason{{reason!~"PodInitializing|ContainerCreating",{sel}}},'
    ' "told_of", "init container $1", "container", "(.+)"), "told_of", "init container $1", "exported_container", "(.+)")'
)


def _since(metric: str) -> Series:
    return Series(metric, expr=f"time() - max by ({{by}}) ({metric}{{{{{{sel}}}}}})")


PODS = Source(
    name="kube_state_metrics_pods",
    title="kube-state-metrics",
    per=Per.REPLICA,
    pods=("kube-state-metrics",),
    anchor=("kube_pod_info",),
    spare=("kube_pod_created", "kube_pod_status_ready"),
    keys=("namespace", "pod"),
    identity=("created_by_kind", "created_by_name"),
    signals={
        POD_PHASE: (Series("kube_pod_status_phase", label="phase"),),
        POD_READY: (Series("kube_pod_status_ready", match='condition="true"'),),
        POD_AGE: (_since("kube_pod_created"),),
        RUNNING_FOR: (_since("kube_pod_container_state_started"),),
        # Of an init container as long as it waits to be tried again, else of the others.
        RESTARTS: (
            Series(
                "kube_pod_init_container_status_restarts_total",
                only=("now",),
                expr=(
                    "max by ({by}) (kube_pod_init_container_status_restarts_total{{{sel}}})"
                    f" * on ({{keys}}) group_left () ({_INIT_LOOPS})"
                ),
            ),
            Series("kube_pod_container_status_restarts_total"),
        ),
        TERMINATION: (_ENDED,),
        EXIT_CODE: (
            Series("kube_pod_container_status_last_terminated_exitcode"),
            # Of an init container only the reason is exported; whom the kernel kills for memory ends with 137.
            Series(
                "kube_pod_init_container_status_last_terminated_reason",
                also=("kube_pod_init_container_status_waiting_reason",),
                expr=(
                    'max by ({by}) (kube_pod_init_container_status_last_terminated_reason{{reason="OOMKilled",{sel}}})'
                    f" * on ({{keys}}) group_left () ({_INIT_LOOPS}) * 137"
                ),
            ),
        ),
        TERMINATED_AGO: (
            _since("kube_pod_container_status_last_terminated_timestamp"),
            # Before kube-state-metrics 2.11: a container that was restarted ended before its present run began, by a back-off at most.
            Series(
                "kube_pod_container_state_started",
                also=("kube_pod_container_status_restarts_total",),
                expr=(
                    "(time() - max by ({by}) (kube_pod_container_state_started{{{sel}}}))"
                    " and on ({keys}) max by ({by}) (kube_pod_container_status_restarts_total{{{sel}}}) > 0"
                ),
            ),
            # Of an init container that waits to be tried again: when its count of restarts last rose.
            Series(
                "kube_pod_init_container_status_restarts_total",
                also=("kube_pod_init_container_status_waiting_reason",),
                expr=(
                    "(time() - max by ({by}) (max_over_time((timestamp(kube_pod_init_container_status_restarts_total{{{sel}}})"
                    " and changes(kube_pod_init_container_status_restarts_total{{{sel}}}[2m]) > 0)[1h:1m])))"
                    f" and on ({{keys}}) ({_INIT_LOOPS})"
                ),
            ),
        ),
        WAITING_REASON: (_WAITS,),
        TOLD_OF: (
            Series(
                "kube_pod_info",
                label="told_of",
                tells="kube_pod_init_container_status_waiting_reason",
                expr=f"max by ({{by}}) ({_INIT_NAMED}) == 1 or on ({{keys}}) group by ({{by}}) (kube_pod_info{{{{{{sel}}}}}})",
            ),
        ),
        PENDING_FOR: (
            Series(
                "kube_pod_created",
                also=("kube_pod_status_phase",),
                # Nothing pends that is in another phase: then it has pended for no time.
                expr=(
                    "(time() - max by ({by}) (kube_pod_created{{{sel}}}))"
                    ' * on ({keys}) max by ({by}) (kube_pod_status_phase{{phase="Pending",{sel}}})'
                ),
            ),
        ),
        GPU_REQUEST: (Series("kube_pod_container_resource_requests", match='resource=~"nvidia_com_.*"'),),
        CPU_LIMIT: (Series("kube_pod_container_resource_limits", match='resource="cpu"'),),
        MEMORY_LIMIT: (Series("kube_pod_container_resource_limits", match='resource="memory"'),),
    },
    order=40,
)

NODES = Source(
    name="kube_state_metrics_nodes",
    title="kube-state-metrics",
    per=Per.NODE,
    anchor=("kube_node_info",),
    spare=("kube_node_status_capacity",),
    keys=("node",),
    identity=("internal_ip",),
    signals={
        NODE_GPUS: (Series("kube_node_status_capacity", match='resource="nvidia_com_gpu"'),),
        NODE_READY: (Series("kube_node_status_condition", match='condition="Ready",status="true"'),),
    },
    order=41,
)

AUTOSCALERS = Source(
    name="kube_state_metrics_autoscalers",
    title="kube-state-metrics",
    per=Per.WORKLOAD,
    anchor=("kube_horizontalpodautoscaler_info",),
    spare=("kube_horizontalpodautoscaler_status_desired_replicas", "kube_horizontalpodautoscaler_spec_max_replicas"),
    keys=("namespace", "horizontalpodautoscaler"),
    identity=("scaletargetref_kind", "scaletargetref_name"),
    signals={
        HPA_METRICS: (
            Series(
                "kube_horizontalpodautoscaler_spec_target_metric",
                label="metric_name",
                expr="max by ({by}) (kube_horizontalpodautoscaler_spec_target_metric{{{sel}}})",
            ),
        ),
        HPA_MIN: (Series("kube_horizontalpodautoscaler_spec_min_replicas"),),
        HPA_MAX: (Series("kube_horizontalpodautoscaler_spec_max_replicas"),),
        HPA_DESIRED: (Series("kube_horizontalpodautoscaler_status_desired_replicas"),),
    },
    order=42,
)

SOURCES = (PODS, NODES, AUTOSCALERS)
