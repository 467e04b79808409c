"""The ports of the engine, its container, its probes and its Service do not match.

## What it means
One of them names a port that the others do not: the engine's --port, the container's ports, a probe, or a Service's target
port.

## Why it hurts
Probes fail, so the pod never turns ready or is restarted; or the Service sends requests to a port on which nobody listens.

## What would rule it out
The same port in all four places, by number or by name.
"""

from tools.check import Applies, Check, On
from tools.families import named
from tools.rules import advise, names
from tools.vocabulary.manifests import PORTS_APART

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(PORTS_APART.now,),
    fires=names(PORTS_APART.now, "The ports do not match: {found}."),
    explains=named(
        "readiness_never_true", "liveness_kills_slow_load", "gpu_idle_no_traffic", "gpu_held_by_not_ready_pod"
    ),
    remedies=advise(
        "Name the container's port once, and use the name in probes and Service; give the engine the same number.",
        "Every replica turns ready, and a request through the Service is answered.",
        "platform/kubernetes-deployment-for-vllm",
        "platform/health-endpoints",
    ),
    pages=(
        "platform/kubernetes-deployment-for-vllm",
        "platform/health-endpoints",
    ),
    phase=1,
    owner="platform",
    rule=True,
)
