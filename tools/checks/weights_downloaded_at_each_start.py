"""Each start downloads the weights again.

## What it means
The model is named by its id on a hub, and nothing that is mounted outlives the pod: no claim, host path or image volume.

## Why it hurts
Every restart and every new replica waits for the download, and fails when the hub is slow, limits the rate or is down: when
capacity is needed most.

## What would rule it out
A volume that keeps the hub's cache, an image with the weights, or an object store in the same region.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.autoscaling import STARTUP_TOOK
from tools.vocabulary.manifests import WEIGHTS_FETCHED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(WEIGHTS_FETCHED.now,),
    helps=(STARTUP_TOOK.now,),
    fires=names(WEIGHTS_FETCHED.now, "{found_of} fetches {found} at each start.", STARTUP_TOOK.now),
    remedies=advise(
        "Keep the weights on a claim or a local disk, or bring them in an image volume; point HF_HOME there.",
        "A second start on the same node loads no weights over the network.",
        "platform/model-weight-storage",
        "serving/cold-start",
    ),
    pages=(
        "platform/model-weight-storage",
        "serving/cold-start",
    ),
    phase=0,
    owner="mlops",
    rule=True,
    asked=(
        r"\b(?:download\w*|fetch\w*|pull\w*)\b[^.?!]{0,60}\b(?:weights?|models?|checkpoints?)\b[^.?!]{0,60}\b(?:each|every|again|anew|all over|always)\b",
        r"\b(?:each|every) (?:re)?start\b[^.?!]{0,60}\b(?:download\w*|fetch\w*|pull\w*)\b",
    ),
)
