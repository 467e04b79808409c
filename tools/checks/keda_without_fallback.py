"""KEDA has no fallback for the hour in which its metric is gone.

## What it means
The ScaledObject names no number of replicas for the time in which its trigger cannot be read.

## Why it hurts
When Prometheus is away the number of replicas stays where it is, whatever the load.

## What would rule it out
A trigger that cannot fail, or a floor that carries the peak.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import NO_FALLBACK

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(NO_FALLBACK.now,),
    fires=names(NO_FALLBACK.now, "ScaledObject {found} has no fallback."),
    remedies=paste(
        "Name a number of replicas that carries a normal day.",
        "spec: {fallback: {failureThreshold: 3, replicas: 4}}",
        "kubectl describe scaledobject shows the fallback; it turns active in a drill.",
        "platform/keda-for-inference",
        "kubernetes/autoscaling-llm-serving",
    ),
    pages=(
        "platform/keda-for-inference",
        "kubernetes/autoscaling-llm-serving",
    ),
    phase=1,
    owner="sre",
    rule=True,
    asked=(
        r"\bfall-?backs?\b[^.?!]{0,60}\b(?:keda|scaledobjects?|scal\w*|metrics?|prometheus)\b",
        r"\b(?:keda|scaledobjects?|autoscal\w*|hpas?|scaling|replicas)\b[^.?!]{0,80}\b(?:fall-?backs?|(?:if|when|while) (?:prometheus|the metrics?|metrics|its metric))\b",
        r"\b(?:if|when|while) (?:prometheus|the metrics?|metrics|its metric)\b[^.?!]{0,60}\b(?:keda|scaledobjects?|autoscal\w*|hpas?|scal(?:es?|ing)|replicas)\b",
    ),
)
