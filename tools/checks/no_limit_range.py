"""The namespace gives containers no defaults.

## What it means
No LimitRange sets default requests and limits.

## Why it hurts
A sidecar or a job without requests is placed as if it needed nothing, next to serving, and takes its CPU and memory.

## What would rule it out
A LimitRange with defaults, or a policy that refuses containers without requests.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import LIMIT_RANGE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="info",
    needs=(LIMIT_RANGE.now,),
    fires=lacks(LIMIT_RANGE.now, "No limit range gives the namespace's containers defaults."),
    remedies=advise(
        "Add a LimitRange with defaults for CPU and memory.",
        "A pod that asks for nothing shows the defaults.",
        "platform/multi-tenancy",
    ),
    pages=("platform/multi-tenancy",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\blimit ?ranges?\b",
        r"\bdefaults?\b[^.?!]{0,30}\b(?:for )?(?:containers?|pods?|requests|limits|resources)\b[^.?!]{0,30}\bnamespace\b|\bnamespace\b[^.?!]{0,60}\bdefaults?\b[^.?!]{0,30}\b(?:requests|limits|resources|containers?)\b",
    ),
)
