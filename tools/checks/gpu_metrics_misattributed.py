"""GPU metrics of the node name no pod that holds a GPU.

## What it means
Pods have held GPUs of the node for a while, and not one of its GPU series names them: the series name nobody, or the exporter's own
pod, which Prometheus adds. The exporter does not map GPUs to pods (the switch is off, or the socket of the kubelet is not mounted).

## Why it hurts
What a GPU does cannot be told of its workload. Dashboards by pod show the exporter as the user of every GPU, idle GPUs have no owner,
and costs no payer.

## What would rule it out
A single series that names another pod than the exporter's, also as exported_pod, or a node whose GPUs nobody holds.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because, counted
from tools.finding import Remedy
from tools.signals import GPU_REQUEST, RUNNING_FOR
from tools.vocabulary.gpu_reporting import NAMES_HOLDER

NAMED = NAMES_HOLDER.now


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when no GPU series of the node names a holder although pods have held its GPUs for ten minutes."""
    named = now.each(NAMED)
    if any(one.number for one in named):
        return None
    holders = [
        one
        for one in now.each(GPU_REQUEST.now)
        if one.number >= 1 and (age := now.of(one.subject, RUNNING_FOR.now)) and age.number >= limits["settled"]
    ]
    if not holders:
        now.each(RUNNING_FOR.now)  # raises when no age can be seen
        return None
    return because(
        "{count} report from the node and none of their series names the pod that holds it, while {holder_of} has held {holder} there.",
        now.of(holders[0].subject, RUNNING_FOR.now),
        named[0],
        count=counted(named, "GPUs without a holder in their series", "GPUs", now.subject),
        holder=holders[0],
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Let the exporter map GPUs to pods."""
    return (
        Remedy(
            "Let dcgm-exporter map GPUs to pods: DCGM_EXPORTER_KUBERNETES=true, with /var/lib/kubelet/pod-resources mounted from the host; then"
            " honorLabels: true in its ServiceMonitor, so that the pod's name stays `pod`.",
            verify='count(DCGM_FI_DEV_FB_USED{pod!=""}), or with exported_pod, equals the GPUs that are allocated.',
            cites=("observability/exported-labels", "observability/metrics-dcgm"),
        ),
    )


CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(NAMED, GPU_REQUEST.now, RUNNING_FOR.now),
    limits={"settled": Limit(600, "seconds", "ten minutes: the exporter has asked the kubelet many times since")},
    fires=fires,
    remedies=remedies,
    pages=("observability/exported-labels", "observability/metrics-dcgm"),
    owner="sre",
)
