"""Autoscaling is paused.

## What it means
An annotation keeps KEDA from acting on the workload.

## Why it hurts
It was set for an hour of maintenance and is still there: the peak meets a fixed number of replicas.

## What would rule it out
Maintenance that is going on. Where requests queue meanwhile and nothing else explains it, this is the cause; else it is a rule that is broken.
"""

from tools.check import Applies, Check, On
from tools.families import QUEUEING
from tools.rules import advise, names
from tools.vocabulary.readiness import PAUSED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(PAUSED.now,),
    fires=names(PAUSED.now, "ScaledObject {found} is paused."),
    remedies=advise(
        "Take the annotation away, or write beside it until when it holds.",
        "kubectl get scaledobject shows PAUSED False.",
        "platform/keda-for-inference",
        "kubernetes/autoscaling-llm-serving",
    ),
    pages=(
        "platform/keda-for-inference",
        "kubernetes/autoscaling-llm-serving",
    ),
    explains=QUEUEING,
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:autoscal\w*|scaledobjects?|hpas?|keda)\b[^.?!]{0,60}\b(?:paused?|frozen|on hold|suspended|switched off|turned off|disabled)\b",
        r"\b(?:paused?|froze|frozen|suspended|switched off|turned off|disabled)\b[^.?!]{0,40}\b(?:autoscal\w*|scaledobjects?|hpas?|keda)\b",
    ),
)
