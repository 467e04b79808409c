"""Every replica runs on the same node.

## What it means
The workload has several running replicas, and one node carries them all.

## Why it hurts
The loss or the drain of that node takes the whole service away: the second replica costs a GPU and buys nothing.

## What would rule it out
Replicas on two nodes, or a cluster that has only one GPU node.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import ON_ONE_NODE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(ON_ONE_NODE.now,),
    fires=names(ON_ONE_NODE.now, "Node {found} carries every replica."),
    remedies=paste(
        "Spread the replicas over nodes.",
        "topologySpreadConstraints: [{maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: NAME}}}]",
        "kubectl get pods -o wide shows two nodes after the next rollout.",
        "playbooks/deployment-architecture",
        "production-readiness/manifests",
    ),
    pages=(
        "playbooks/deployment-architecture",
        "production-readiness/manifests",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        "(?:all|both) (?:replicas|pods) .{0,30}(?:same|one) (?:node|zone|rack|machine|host)",
        "(?:survive|lose|losing) .{0,20}node",
    ),
)
