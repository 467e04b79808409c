"""A GPU pod has no controller.

## What it means
The pod was made by hand: no Deployment, StatefulSet or Job owns it.

## Why it hurts
When its node fails or is drained, or the pod is evicted, nobody makes it again; and it holds its GPU until somebody
remembers it.

## What would rule it out
A pod that is meant to be short-lived, such as a debugging session.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import BARE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(BARE.now,),
    fires=names(BARE.now, "{found_of} holds GPUs and has {found}."),
    remedies=paste(
        "Run it as a Deployment, or as a Job when it ends.",
        "{apiVersion: apps/v1, kind: Deployment, metadata: {name: NAME}, spec: {replicas: 2, template: {}}}",
        "kubectl get pod -o jsonpath={.metadata.ownerReferences} names a controller.",
        "production-readiness/manifests",
        "playbooks/deployment-architecture",
    ),
    pages=(
        "production-readiness/manifests",
        "playbooks/deployment-architecture",
    ),
    phase=1,
    owner="mlops",
    rule=True,
    asked=(
        r"\b(?:bare|naked|orphan\w*|standalone|unmanaged|hand-?made|lone) pods?\b",
        r"\bpods?\b[^.?!]{0,60}\b(?:without (?:an? )?(?:controller|owner|deployment)|no (?:controller|owner|deployment)|by hand|(?:nobody|nothing) (?:would )?(?:restarts?|recreates?|replaces?))\b",
        r"\b(?:would|will)\b[^.?!]{0,60}\b(?:comes? back|be recreated|be replaced|return)\b[^.?!]{0,40}\b(?:node|machine|drain\w*|dies|deleted|lost)\b",
    ),
)
