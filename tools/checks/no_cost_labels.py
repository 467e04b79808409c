"""The GPUs are charged to nobody.

## What it means
Neither the workload nor its namespace has a label for a cost centre, project or tenant.

## Why it hurts
The cost of GPUs cannot be split, so nobody has a reason to give them back.

## What would rule it out
A label for cost centre, billing, project, budget or tenant.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.manifests import COST_LABEL

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="info",
    needs=(COST_LABEL.now,),
    fires=lacks(COST_LABEL.now, "Neither the workload nor its namespace says whom its GPUs are charged to."),
    remedies=advise(
        "Label the workload, or its namespace, with the cost centre or project that pays.",
        "The report by that label accounts for all GPU hours.",
        "platform/cost-tags-and-chargeback",
    ),
    pages=("platform/cost-tags-and-chargeback",),
    phase=2,
    owner="finops",
    rule=True,
    asked=("cost (?:label|cent)", "which team pays for"),
)
