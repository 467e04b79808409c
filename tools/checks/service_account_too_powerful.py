"""The service account of a model server has wide rights.

## What it means
A role that is bound to the account lets it read secrets, run or enter pods, take other rights, or do everything.

## Why it hurts
Whoever breaks into the server, by its input or its weights, has the same rights in the cluster.

## What would rule it out
A controller that needs them and serves a model beside it.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import RIGHTS_WIDE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(RIGHTS_WIDE.now,),
    fires=names(RIGHTS_WIDE.now, "{found}."),
    remedies=paste(
        "Give the server an account of its own without bindings, and no token.",
        "spec: {serviceAccountName: NAME, automountServiceAccountToken: false}",
        "kubectl auth can-i --list --as=system:serviceaccount:NAMESPACE:NAME shows no more than the defaults.",
        "governance/security-and-access",
        "playbooks/security",
    ),
    pages=(
        "governance/security-and-access",
        "playbooks/security",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        "service ?account.{0,40}(?:right|powerful|permission|rbac|wide|too much)",
        "rbac .{0,40}(?:too|wide|broad)",
    ),
)
