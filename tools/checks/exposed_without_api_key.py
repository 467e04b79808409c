"""The engine is reachable from outside the cluster and asks for no key.

## What it means
A Service of type LoadBalancer or NodePort selects the engine, and neither its arguments nor its environment set an
API key.

## Why it hurts
Anybody who finds the port uses your GPUs, and engines have routes that load adapters or stop the server.

## What would rule it out
A load balancer inside the private network, a firewall, or a proxy with authentication in the same pod.
"""

from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import NONE, paste
from tools.vocabulary.manifests import EXPOSED
from tools.vocabulary.security import API_KEY


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where a way in leads to an engine without a key."""
    way = now.worst(EXPOSED.now)
    if not way.text:
        return None
    open_ones = [one for one in now.each(API_KEY.now) if one.value == NONE]
    if not open_ones:
        return None
    return because("Service {way} leads to the engine, which asks for no key.", open_ones[0], way=way)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(EXPOSED.now, API_KEY.now),
    fires=fires,
    remedies=paste(
        "Make the Service internal and let callers come through the gateway; set a key from a Secret besides.",
        "spec: {type: ClusterIP}",
        "A call from outside is refused, and a call without a key answers 401.",
        "production-readiness/networking-and-access",
        "platform/llm-gateways",
    ),
    pages=("production-readiness/networking-and-access", "platform/llm-gateways"),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        "without (?:an? |any )?(?:api ?)?key",
        "unauthenticated",
        r"no auth(?:entication)?\b",
        r"(?:open|expos\w+|reachable) (?:to|on|from) the (?:internet|world|outside|public)",
    ),
)
