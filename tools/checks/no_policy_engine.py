"""No policy engine is seen in the cluster.

## What it means
No pod has the name of a known policy engine.

## Why it hurts
What these rules find is found after it was deployed, and comes back with the next manifest.

## What would rule it out
Validating admission policies of Kubernetes itself, the cloud's policy add-on, or checks in the pipeline that nobody
can pass by.
"""

from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import POLICY_ENGINE

CHECK = Check(
    on=(On.CLUSTER,),
    severity="info",
    needs=(POLICY_ENGINE.now,),
    fires=lacks(POLICY_ENGINE.now, "No policy engine is seen."),
    remedies=paste(
        "Let admission refuse what must not be: moving tags, missing limits, privileged pods, unsigned images.",
        "{apiVersion: kyverno.io/v1, kind: ClusterPolicy, metadata: {name: no-latest}, spec: {validationFailureAction: Enforce, rules: []}}",
        "A pod that breaks a policy in a test namespace is refused.",
        "governance/audit-and-evidence",
        "playbooks/security",
    ),
    pages=(
        "governance/audit-and-evidence",
        "playbooks/security",
    ),
    phase=2,
    owner="security",
    rule=True,
    asked=(
        r"\bpolicy (?:engine|controller|enforcement)\b|\bkyverno\b|\bgatekeeper\b|\badmission polic\w+|\benforc\w+\b[^.?!]{0,40}\bpolic(?:y|ies)\b",
    ),
)
