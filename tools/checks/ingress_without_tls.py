"""An Ingress brings prompts in without TLS.

## What it means
The Ingress that leads to the engine names no certificate.

## Why it hurts
Prompts, answers and API keys cross the network in the clear.

## What would rule it out
TLS that ends before the Ingress, or a default certificate of the controller with a forced redirect.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import ROUTE_PLAIN

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(ROUTE_PLAIN.now,),
    fires=names(ROUTE_PLAIN.now, "Ingress {found} has no TLS."),
    remedies=paste(
        "Give the Ingress a certificate and redirect what comes in the clear.",
        "spec: {tls: [{hosts: [llm.example.com], secretName: llm-tls}]}",
        "curl -I http:// redirects, and https:// shows your certificate.",
        "production-readiness/networking-and-access",
        "playbooks/security",
    ),
    pages=(
        "production-readiness/networking-and-access",
        "playbooks/security",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"\btls\b.{0,40}(?:ingress|missing|without|off)",
        "(?:without|no) tls",
        "plain http",
    ),
)
