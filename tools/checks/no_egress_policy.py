"""The engine may call anywhere.

## What it means
No NetworkPolicy limits what the pods may call.

## Why it hurts
A model that fetches what a prompt names, or code that came with the weights, reaches the metadata service, other
teams and the internet.

## What would rule it out
A policy of the network plugin or the mesh that Rackside does not read.
"""

from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import EGRESS_POLICY

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(EGRESS_POLICY.now,),
    fires=lacks(EGRESS_POLICY.now, "No egress policy selects the pods of {found_of}."),
    remedies=paste(
        "Allow DNS, the weight store and telemetry, and nothing else.",
        "spec: {podSelector: {matchLabels: {app: NAME}}, policyTypes: [Egress], egress: [{ports: [{port: 53, protocol: UDP}]}]}",
        "A call from the pod to 169.254.169.254 and to the internet fails.",
        "playbooks/security",
        "production-readiness/networking-and-access",
    ),
    pages=(
        "playbooks/security",
        "production-readiness/networking-and-access",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"\begress\b.{0,40}(?:polic|open|allow|restrict)",
        "call (?:home|anywhere)",
        "phone home",
    ),
)
