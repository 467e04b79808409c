"""The readiness probe asks for something that does not tell whether the model is loaded.

## What it means
It looks at an open port, or at a path that is no health path of a serving engine.

## Why it hurts
A replica takes requests before it can answer them: they fail or hang at each start.

## What would rule it out
A probe on /health, /v1/models, /v2/health/ready or the like.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import READINESS_ODD

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(READINESS_ODD.now,),
    fires=names(READINESS_ODD.now, "{found_of} counts as ready by {found}."),
    remedies=advise(
        "Ask the path by which this engine says that its model is loaded.",
        "While a replica loads it is not ready, and the path answers 503 or not at all.",
        "platform/health-endpoints",
        "kubernetes/probes-for-slow-loading",
    ),
    pages=(
        "platform/health-endpoints",
        "kubernetes/probes-for-slow-loading",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\breadiness\b[^.?!]{0,60}\b(?:path|endpoint|url|asks?|prove\w*|tells?|means?|really|worth|before)\b",
        r"\b(?:counts? as|called|marked|says?|turns?|reports?|declared) ready\b[^.?!]{0,60}\b(?:before|without|although|while|too (?:early|soon))\b",
    ),
)
