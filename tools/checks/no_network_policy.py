"""Everything in the cluster can reach the engine.

## What it means
No NetworkPolicy for incoming traffic selects the pods, so every pod of every namespace may call them, and the ports of the
engine that ask for no key.

## Why it hurts
Whoever gets into any pod can use the GPUs, read the metrics with the names of models, and speak to the unauthenticated ports by
which the engine's processes talk to each other.

## What would rule it out
A policy that selects the pods and lists who may come in, with a network plugin that enforces it.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, lacks
from tools.vocabulary.security import NETWORK_POLICY

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(NETWORK_POLICY.now,),
    fires=lacks(NETWORK_POLICY.now, "No network policy says who may reach the pods."),
    remedies=advise(
        (
            "Deny what comes in by default, and allow the gateway, the scrape by Prometheus and the engine's own pods "
            "among themselves."
        ),
        "A pod of another namespace no longer reaches the engine's port, and the scrape still does.",
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
    asked=(
        "(?:no|missing|without|lacks?|have|has|need) (?:an? |any )?network ?polic",
        "(?:any|every|other) (?:pod|namespace|team|workload)s? .{0,30}(?:reach|call|talk)",
        r"\b(?:any|some|random|other|another|foreign)\b[^.?!]{0,40}\b(?:pods?|namespaces?|teams?|workloads?|tenants?)\b[^.?!]{0,60}\b(?:reach|connect|get (?:in)?to|talk|call|bypass)\w*\b",
        r"\b(?:bypass\w*|around|past|without going through)\b[^.?!]{0,20}\b(?:the |our )?(?:gateway|proxy|ingress)\b",
        "lateral movement",
        "deny-?all",
        r"(?:pen ?test\w*|red team|attacker|stranger|intruder).{0,160}(?:reach|connect|get to|got to|talk to)",
        r"(?:could|can|may|might) (?:they|anybody|anyone|somebody|everybody|everyone|any \w+|every \w+) .{0,40}(?:reach|connect|get to|talk to|call)",
    ),
)
