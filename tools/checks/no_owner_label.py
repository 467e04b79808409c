"""Nobody is named as the owner.

## What it means
Neither the workload nor its namespace has a label or annotation that names an owner or team.

## Why it hurts
In an incident nobody knows whom to call, and idle GPUs stay since nobody dares to stop them.

## What would rule it out
A label such as app.example.com/owner or team on the workload, its pods or its namespace.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import OWNER

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(OWNER.now,),
    fires=lacks(OWNER.now, "Neither the workload nor its namespace names an owner."),
    remedies=advise(
        "Label the workload with the team that is on call for it.",
        "kubectl get with -L owner shows a team.",
        "platform/cost-tags-and-chargeback",
    ),
    pages=("platform/cost-tags-and-chargeback",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        "who owns",
        r"\b(?:has|have|any|an|no) owner\b",
        "owner label",
    ),
)
