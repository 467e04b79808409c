"""What autoscalers report of themselves, what keeps pods from being created, and how long a replica takes to be ready."""

from __future__ import annotations

from tools.series import Series
from tools.signals import Per, counter, fact, gauge

HPA_WANTED = gauge("hpa.wanted", "replicas", Per.WORKLOAD, "Replicas that the autoscaler wanted")
HPA_CEILING = fact(
    "hpa.limited", "", Per.WORKLOAD, "Autoscaler stopped by its bounds", told_by="horizontalpodautoscalers"
)
HPA_BROKEN = fact("hpa.broken", "", Per.WORKLOAD, "Autoscaler cannot compute", told_by="horizontalpodautoscalers")
HPA_CALM = fact(
    "hpa.scale_down_window",
    "seconds",
    Per.WORKLOAD,
    "Scale-down stabilisation window",
    evidence="config",
    told_by="horizontalpodautoscalers",
)
KEDA_MADE = fact(
    "hpa.keda", "bool", Per.WORKLOAD, "Autoscaler made by KEDA", evidence="config", told_by="horizontalpodautoscalers"
)
KEDA_SAID = fact("hpa.keda_said", "", Per.WORKLOAD, "What KEDA says of its trigger", evidence="event", told_by="events")
KEDA_ERRORS = counter("keda.errors", "errors", Per.WORKLOAD, "Errors of KEDA's triggers", optional=True)
KEDA_EMPTY = counter("keda.empty", "answers", Per.WORKLOAD, "Empty answers to KEDA's query", optional=True)

REPLICAS_CREATED = fact("workload.replicas_created", "replicas", Per.WORKLOAD, "Replicas that exist")
CREATE_REFUSED = fact(
    "workload.create_refused", "", Per.WORKLOAD, "Why the API refused a pod", evidence="event", told_by="events"
)
FAILED_REASON = fact("pod.failed_reason", "", Per.REPLICA, "Why the pod failed")
NO_SCALE_UP = fact(
    "pod.no_scale_up", "", Per.REPLICA, "Cluster autoscaler's answer", evidence="event", told_by="events"
)
STARTUP_TOOK = fact("pod.startup_took", "seconds", Per.REPLICA, "Time from creation to ready")

SERIES = {
    "kube_state_metrics_autoscalers": {HPA_WANTED: (Series("kube_horizontalpodautoscaler_status_desired_replicas"),)},
    "keda": {
        KEDA_ERRORS: (Series("keda_scaler_detail_errors_total"),),
        KEDA_EMPTY: (
            Series(
                "keda_scaler_empty_upstream_responses_total",
                only=("increase",),
                # The one family that calls the ScaledObject by another label.
                expr=(
                    "sum by ({by}) (label_replace(increase(keda_scaler_empty_upstream_responses_total{{{sel}}}[{w}]),"
                    ' "scaledObject", "$1", "scaledResource", "(.+)"))'
                ),
            ),
        ),
    },
}
