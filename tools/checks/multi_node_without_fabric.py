"""A replica over several pods talks by the pod network.

## What it means
The engine spans several pods, and none of its containers asks for an RDMA device or uses the network of the host.

## Why it hurts
NCCL falls back to sockets: tokens come several times slower, and the links of the machines idle.

## What would rule it out
Pipeline stages that exchange little, or a network plugin that gives the device without a resource.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import FABRIC_MISSING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(FABRIC_MISSING.now,),
    fires=names(FABRIC_MISSING.now, "{found_of} is part of a replica over several pods and talks by {found}."),
    remedies=paste(
        "Give each pod the RDMA device of its node.",
        "resources: {limits: {nvidia.com/gpu: 8, rdma/ib: 1}}",
        "NCCL's log names IB or OFI, not Socket.",
        "infrastructure-audit/interconnect-and-networking",
        "hardware/interconnect",
    ),
    pages=(
        "infrastructure-audit/interconnect-and-networking",
        "hardware/interconnect",
    ),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:multi-?node|across (?:the )?(?:nodes|machines|pods|hosts)|between (?:the )?(?:nodes|pods|machines|hosts))\b[^.?!]{0,80}\b(?:rdma|infiniband|roce|fabric|ethernet|tcp|pod network|efa|nics?)\b",
        r"\b(?:rdma|infiniband|roce|efa|fabric)\b[^.?!]{0,80}\b(?:used|in use|really|picked up|multi-?node|across|between)\b",
    ),
)
