"""The autoscaler cannot read its metric, so the number of replicas is frozen.

## What it means
The adapter or metrics server does not answer, the metric was renamed by an engine upgrade, its query finds nothing, or a CPU target is
set on containers that request no CPU. Kubernetes then keeps the replicas as they are.

## Why it hurts
Load rises and nothing scales; load falls and GPUs stay. It stays unnoticed until the next peak.

## What would rule it out
A condition ScalingActive that is true, or an autoscaler that rests at zero replicas.
"""

from tools.check import Because, Check, Limits, Now, On, because
from tools.families import QUEUEING, named
from tools.finding import Remedy
from tools.signals import HPA_DESIRED, HPA_METRICS, REQUESTS_WAITING
from tools.vocabulary.autoscaling import HPA_BROKEN, KEDA_SAID


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire when the autoscaler says that it cannot compute."""
    broken = now[HPA_BROKEN.now]
    if not broken.text:
        return None
    return because(
        "The autoscaler cannot compute a number of replicas: {broken}",
        now.get(KEDA_SAID.now),
        now.get(HPA_METRICS.now),
        now.get(HPA_DESIRED.now),
        now.get(REQUESTS_WAITING.avg("10m")),
        broken=broken,
    )


def remedies(now: Now, limits: Limits) -> tuple[Remedy, ...]:
    """Make the metric answer; scale by hand meanwhile."""
    return (
        Remedy(
            "See whether the metrics API answers: `kubectl get apiservice | grep metrics.k8s.io` must say True; then ask for the metric itself with"
            " `kubectl get --raw` under /apis/external.metrics.k8s.io or /apis/custom.metrics.k8s.io.",
            verify="The autoscaler's condition ScalingActive is true.",
            cites=("kubernetes/autoscaling-llm-serving",),
        ),
        Remedy(
            "If the API answers without values, the name or label in the query is gone: engines rename metrics between releases. Until it is mended,"
            " set the number of replicas by hand through the autoscaler's minimum.",
            verify="`kubectl describe hpa` shows a current value instead of <unknown>.",
            cites=("observability/metrics-vllm", "kubernetes/autoscaling-llm-serving"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    severity="high",
    needs=(HPA_BROKEN.now,),
    helps=(KEDA_SAID.now, HPA_METRICS.now, HPA_DESIRED.now, REQUESTS_WAITING.avg("10m")),
    fires=fires,
    explains=(*QUEUEING, *named("concurrency_cap_below_kv")),
    remedies=remedies,
    pages=("kubernetes/autoscaling-llm-serving", "observability/metrics-vllm"),
    owner="platform",
)
