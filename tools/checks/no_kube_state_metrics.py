"""No kube-state-metrics runs in the cluster.

## What it means
No pod with its name was found.

## Why it hurts
Restarts, out-of-memory kills, unready replicas and capacity leave no history: what happened last night cannot be
told, and no alert can see it.

## What would rule it out
The same metrics from another agent, or one outside of what Rackside may list.
"""

from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import STATE_METRICS

CHECK = Check(
    on=(On.CLUSTER,),
    severity="low",
    needs=(STATE_METRICS.now,),
    fires=lacks(STATE_METRICS.now, "No kube-state-metrics pod is seen."),
    remedies=paste(
        "Install kube-state-metrics; it is part of the Prometheus stack.",
        "kube-state-metrics: {enabled: true}",
        "Prometheus answers kube_pod_container_status_restarts_total.",
        "platform/prometheus-stack",
        "signals/kube-state-metrics-pods",
    ),
    pages=(
        "platform/prometheus-stack",
        "signals/kube-state-metrics-pods",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(r"\b(?:no|missing|without|have|has|is|are|does|do|run|runs|any)\b[^.?!]{0,30}\bkube-?state-?metrics\b",),
)
