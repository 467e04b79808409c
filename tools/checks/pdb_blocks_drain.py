"""The disruption budget allows no disruption at all.

## What it means
All pods are healthy, and still the budget lets none of them be evicted: it wants as many as there are.

## Why it hurts
No node with such a pod can be drained. Upgrades of drivers and nodes hang until somebody deletes the pod by hand, at a bad
moment.

## What would rule it out
A budget that allows at least one, or pods that are unhealthy now: then it does what it is for.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.signals import REPLICAS_READY
from tools.vocabulary.manifests import BUDGET_BLOCKS

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(BUDGET_BLOCKS.now,),
    helps=(REPLICAS_READY.now,),
    fires=names(BUDGET_BLOCKS.now, "No pod may be evicted by {found}.", REPLICAS_READY.now),
    remedies=advise(
        "Allow one to be down (maxUnavailable: 1), and run at least two replicas.",
        "disruptionsAllowed of the budget is at least 1.",
        "kubernetes/rollouts-without-spare-gpus",
        "playbooks/deployment-architecture",
    ),
    pages=(
        "kubernetes/rollouts-without-spare-gpus",
        "playbooks/deployment-architecture",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\bpdbs?\b",
        "disruption ?budget",
        "drain .{0,30}(?:block|stuck|hang)",
    ),
)
