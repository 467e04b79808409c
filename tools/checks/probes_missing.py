"""The serving container lacks a probe.

## What it means
The readiness probe keeps requests away until the model is loaded, the liveness probe restarts a server that hangs.

## Why it hurts
Without readiness users get errors at each start and rollout; without liveness a hung engine holds its GPUs until somebody
notices.

## What would rule it out
Both probes on the serving container.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import LIVENESS_PATIENCE, PROBES_MISSING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(PROBES_MISSING.now,),
    helps=(LIVENESS_PATIENCE.now,),
    fires=names(PROBES_MISSING.now, "{found_of} has no {found} probe.", LIVENESS_PATIENCE.now),
    remedies=advise(
        (
            "Add the missing probe on the engine's health path, and a startup probe whose budget is above the longest "
            "load."
        ),
        "A new replica takes no request before its model is loaded.",
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
    ),
    pages=(
        "kubernetes/probes-for-slow-loading",
        "platform/health-endpoints",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(r"(?:no|missing|without|lacks?) .{0,20}probes?\b",),
)
