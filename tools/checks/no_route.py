"""No Ingress or HTTPRoute leads to the engine.

## What it means
Nothing that routes requests from outside names a Service of this workload.

## Why it hurts
Whoever reaches it does so past the gateway, where callers are authenticated, limited and counted.

## What would rule it out
A gateway inside the cluster that calls the Service, a mesh, or an engine that only other services may call.
"""

from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import ROUTES

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(ROUTES.now,),
    fires=lacks(ROUTES.now, "No Ingress and no HTTPRoute leads to {found_of}."),
    remedies=paste(
        "Route it through the gateway, or write down that it is internal.",
        "spec: {parentRefs: [{name: GATEWAY}], rules: [{backendRefs: [{name: SERVICE, port: 8000}]}]}",
        "The route is accepted, and a call through it answers.",
        "production-readiness/networking-and-access",
        "platform/llm-gateways",
    ),
    pages=(
        "production-readiness/networking-and-access",
        "platform/llm-gateways",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:no|without|missing|lacks?|any|have|has) (?:an? )?(?:ingress|httproutes?|routes?)\b",
        r"\b(?:has|have|does|do)(?: [\w-]+){1,4}? (?:an? |any )(?:ingress|httproute|route)\b",
    ),
)
