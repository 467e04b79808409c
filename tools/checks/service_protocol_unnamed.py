"""A Service port does not say what it speaks.

## What it means
The port has no appProtocol, and its name does not begin with a protocol.

## Why it hurts
Gateways and meshes then guess, and treat HTTP or gRPC as plain TCP: no routing by path, no retries, no metrics, and gRPC
streams stuck to one replica.

## What would rule it out
An appProtocol, or a name such as http, http-api or grpc.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import PORTS_UNNAMED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(PORTS_UNNAMED.now,),
    fires=names(PORTS_UNNAMED.now, "The Service does not say what {found} speaks."),
    remedies=advise(
        "Set appProtocol, or name the port after its protocol.",
        "The gateway shows HTTP metrics for the route.",
        "platform/network-for-streaming",
        "platform/llm-gateways",
    ),
    pages=(
        "platform/network-for-streaming",
        "platform/llm-gateways",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(r"\bapp ?protocol\b|\bports?\b[^.?!]{0,40}\b(?:named|unnamed|protocol|speaks?)\b",),
)
