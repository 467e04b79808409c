"""No Service leads to the workload.

## What it means
No Service of the namespace selects its pods.

## Why it hurts
Clients that know pods by address lose them at each restart, and requests are not spread over the replicas.

## What would rule it out
A Service whose selector matches the pods, or a router that finds the pods by itself.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import SERVICES

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(SERVICES.now,),
    fires=lacks(SERVICES.now, "No Service selects the pods."),
    remedies=advise(
        "Make a Service that selects them, with the engine's port.",
        "The Service's EndpointSlice lists each ready replica.",
        "platform/kubernetes-deployment-for-vllm",
        "serving/routing-and-load-balancing",
    ),
    pages=(
        "platform/kubernetes-deployment-for-vllm",
        "serving/routing-and-load-balancing",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:no|without|missing|lacks?|any|have|has) (?:an? )?(?:kubernetes|k8s) services?\b|\bservice objects?\b",
    ),
)
