"""A new version would get every request at once.

## What it means
No HTTPRoute with several backends and no canary Ingress leads to the workload.

## Why it hurts
What a test did not show is shown by all users together, and the way back is a whole cold start long.

## What would rule it out
A rollout by Argo Rollouts, Flagger, KServe or a mesh, a gateway that shares requests out by itself, or a release that
is under nobody's eyes.
"""

from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import GRADUAL

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(GRADUAL.now,),
    fires=lacks(GRADUAL.now, "Nothing shares requests out between versions of {found_of}."),
    remedies=paste(
        "Send a few percent to the new version first.",
        "spec: {rules: [{backendRefs: [{name: llm, port: 8000, weight: 95}, {name: llm-next, port: 8000, weight: 5}]}]}",
        "During the next release the new version gets its share and no more.",
        "platform/canary-blue-green-shadow",
        "deployment-readiness/routing-and-release",
    ),
    pages=(
        "platform/canary-blue-green-shadow",
        "deployment-readiness/routing-and-release",
    ),
    phase=1,
    owner="mlops",
    rule=True,
    asked=(
        r"\b(?:do|does|is|are|can|could|which|any|without|no|have|has)\b[^.?!]{0,60}(?<![\w-])(?:canar(?:y|ies)|blue[-/ ]?green|progressive (?:deliver|roll)\w*|traffic split\w*|gradual\w*)(?![\w-])",
        r"\b(?:new|next) (?:version|release|model|build)\b[^.?!]{0,60}\b(?:all|every|whole|full|share|part|percent|at once|first)\b",
    ),
)
