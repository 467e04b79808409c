"""The model cannot be fetched at start.

## What it means
The replica asks a hub or a volume for weights and configuration and is refused, cannot reach it, finds nothing, or
has no room to store them.

## Why it hurts
No replica can start or scale, and what runs is lost with its next restart.

## What would rule it out
A log that shows the weights loading: then the start fails for another reason.
"""

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, told
from tools.families import FAILING, QUEUEING
from tools.finding import Remedy
from tools.vocabulary.startup import LOG_DOWNLOAD


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_DOWNLOAD)
    verify = "The log shows the weights loading, and the pod turns ready."
    cites = ("platform/model-weight-storage", "platform/secrets-and-hub-tokens")
    if "No space left" in line:
        first = "Give the cache room: HF_HOME on a volume of at least 1.2 times the weights, with an ephemeral-storage request."
    elif "429" in line:
        first = "Too many replicas fetch at once: fetch the weights once to a shared volume, or authenticate for a higher limit."
    elif any(mark in line for mark in ("401", "403", "Gated", "restricted")):
        first = "Accept the model's licence with the account of the token, and pass HF_TOKEN from a Secret to the pod."
    elif any(mark in line for mark in ("Max retries", "LocalEntryNotFound", "Offline")):
        first = (
            "The hub cannot be reached: allow egress to it on port 443 and check DNS and proxy, or serve from a volume."
        )
    else:
        first = "Check the name, the revision and the path of the model: what was found there holds no such repository or weights."
    return (
        Remedy(first, None, verify, cites),
        Remedy(
            "Keep the weights in the cluster (a volume or an image) and set HF_HUB_OFFLINE=1, so that no start needs the hub.",
            None,
            verify,
            ("platform/model-weight-storage", "serving/cold-start"),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_DOWNLOAD),
    helps=(*HELPS,),
    limits=LIMITS,
    fires=failed_start(LOG_DOWNLOAD),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("platform/model-weight-storage", "platform/secrets-and-hub-tokens"),
    owner="ml platform",
)
