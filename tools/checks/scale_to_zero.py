"""The engine may be scaled to zero.

## What it means
The ScaledObject has a minimum or idle count of zero; zero is also the minimum where none is written.

## Why it hurts
The first request after a pause waits for node, image and weights: minutes, or a timeout. And engine metrics vanish
with the last pod, so a trigger on them never wakes it.

## What would rule it out
Traffic that may wait, with a trigger at the gateway that sees requests while no pod runs.
"""

from tools.asked import asking
from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import FROM_ZERO

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(FROM_ZERO.now,),
    fires=names(FROM_ZERO.now, "ScaledObject {found} may scale to zero."),
    remedies=paste(
        "Keep one replica for what people wait for.",
        "spec: {minReplicaCount: 1}",
        "kubectl get scaledobject shows MIN 1.",
        "platform/keda-for-inference",
        "deployment-readiness/autoscaling",
        change=("minReplicaCount", "0", "1"),
    ),
    pages=(
        "platform/keda-for-inference",
        "deployment-readiness/autoscaling",
    ),
    phase=1,
    owner="sre",
    rule=True,
    asked=(*asking(r"\bscal\w* (?:down )?to (?:zero|0|nothing)\b|\bmin ?replicas?\b[^.?!]{0,12}\b(?:0|zero)\b", 60),),
)
