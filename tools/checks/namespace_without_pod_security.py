"""The namespace enforces no pod security level.

## What it means
Its label pod-security.kubernetes.io/enforce is not set, so pods of any privilege are admitted.

## Why it hurts
Whoever may create pods in it may create a privileged one, and with that owns the node and its GPUs.

## What would rule it out
The label with baseline or restricted, or an admission policy that does the same.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.security import POD_SECURITY

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(POD_SECURITY.now,),
    fires=lacks(POD_SECURITY.now, "The namespace enforces no pod security level."),
    remedies=advise(
        "Label the namespace with pod-security.kubernetes.io/enforce: baseline, after a dry run with warn.",
        "A privileged pod is refused in the namespace.",
        "playbooks/security",
        "platform/multi-tenancy",
    ),
    pages=(
        "playbooks/security",
        "platform/multi-tenancy",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=("pod ?security (?:standard|level|admission)",),
)
