"""The pod runs on a spot node without having asked for one.

## What it means
The node is sold at a discount and can be taken back within minutes. Nothing in the manifest says that this is accepted here.

## Why it hurts
When the node is reclaimed the replica is gone, and a large model needs minutes to load elsewhere.

## What would rule it out
A selector, affinity or toleration that names spot capacity: then it is a choice.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import SPOT_UNDECLARED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(SPOT_UNDECLARED.now,),
    fires=names(SPOT_UNDECLARED.now, "{found_of} runs on a node with {found} and does not ask for that."),
    remedies=advise(
        "Keep serving off spot nodes by affinity, or declare it and run one replica more than needed.",
        "The replicas run on nodes of the capacity that the manifest names.",
        "platform/capacity-reservations-and-spot",
    ),
    pages=("platform/capacity-reservations-and-spot",),
    phase=1,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:which|any|is|are|do|does|who|whether)\b[^.?!]{0,60}\b(?:spot|preemptible|interruptible|reclaimable) (?:nodes?|instances?|machines?|capacity|vms?|pool)\b|\bon spot\b",
    ),
)
