"""Many subjects may do everything in the cluster.

## What it means
The role cluster-admin is bound to more subjects than the limit, the cluster's own group of administrators not
counted.

## Why it hurts
Each of them can read every secret and every prompt, and change what is served without a trace in Git.

## What would rule it out
Bindings that are needed by installers and are watched.
"""

from tools.check import Because, Check, Limit, Limits, Now, On, because
from tools.rules import advise
from tools.vocabulary.readiness import ADMINS


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire above the limit."""
    admins = now[ADMINS.now]
    return because("{admins} are bound to cluster-admin.", admins=admins) if admins.number > limits["most"] else None


CHECK = Check(
    on=(On.CLUSTER,),
    severity="low",
    needs=(ADMINS.now,),
    fires=fires,
    remedies=advise(
        "List the bindings (kubectl get clusterrolebindings -o wide), and give each subject the role that it needs; keep one for emergencies.",
        "kubectl get clusterrolebindings -o wide shows few lines with cluster-admin.",
        "governance/security-and-access",
        "playbooks/security",
    ),
    limits={"most": Limit(5.0, "subjects", "few enough to know each by name")},
    pages=("governance/security-and-access", "playbooks/security"),
    phase=2,
    owner="security",
    rule=True,
    asked=("cluster-?admin",),
)
