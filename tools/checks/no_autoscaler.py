"""Nothing adapts the number of replicas.

## What it means
No autoscaler follows the workload: its size is set by hand.

## Why it hurts
It is too large at night and too small at noon: GPUs idle, or requests wait, until somebody acts.

## What would rule it out
An autoscaler on the workload, or a load that is known to be flat.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.signals import REPLICAS_WANTED
from tools.vocabulary.manifests import AUTOSCALER

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(AUTOSCALER.now,),
    helps=(REPLICAS_WANTED.now,),
    fires=lacks(AUTOSCALER.now, "No autoscaler scales the workload.", REPLICAS_WANTED.now),
    remedies=advise(
        (
            "Add an autoscaler on waiting requests per replica, with a minimum that carries the quiet hours and a "
            "maximum that the GPUs allow."
        ),
        "The replica count follows the load of a day.",
        "kubernetes/autoscaling-llm-serving",
        "platform/keda-for-inference",
    ),
    pages=(
        "kubernetes/autoscaling-llm-serving",
        "platform/keda-for-inference",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        r"\b(?:no|without|lacks?|missing) (?:an? )?(?:autoscal\w*|hpas?|keda|scaledobjects?)\b",
        r"\b(?:does|(?<!we )(?<!they )(?<!you )do|which|is there|are there)\b[^.?!]{0,60}\b(?:have|has|an?|any) (?:autoscal\w*|hpas?|scaledobjects?)\b",
        r"\b(?:fixed|static|constant) (?:number|count|set) of replicas\b",
        r"\bscales? (?:\w+ )?(?:by itself|on its own|automatically|by themselves|on their own)\b",
    ),
)
