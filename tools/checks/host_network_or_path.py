"""The pod reaches into its host.

## What it means
It uses the host's network, a port of the host, or a directory of the host.

## Why it hurts
On the host's network no NetworkPolicy holds and ports clash; a directory of the host outlives the pod, differs from node to
node and is a way out of the container.

## What would rule it out
None of them; or a local cache of weights on purpose, or host networking for RDMA.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import HOST_ACCESS

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(HOST_ACCESS.now,),
    fires=names(HOST_ACCESS.now, "{found_of} uses {found}."),
    remedies=advise(
        (
            "Use a claim or an ephemeral volume for files and a Service for ports. Keep a host path only for a cache "
            "of weights, read-only where it can be."
        ),
        "The pod runs without it, on any node.",
        "playbooks/security",
        "platform/model-weight-storage",
    ),
    pages=(
        "playbooks/security",
        "platform/model-weight-storage",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=("host ?(?:path|network)",),
)
