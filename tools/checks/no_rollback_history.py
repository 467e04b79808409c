"""The Deployment keeps no earlier revision.

## What it means
revisionHistoryLimit is 0: Kubernetes deletes the ReplicaSet of the last version as soon as the new one is up.

## Why it hurts
`kubectl rollout undo` has nowhere to go back to, so a bad release is rolled back by building the old manifest again.

## What would rule it out
A limit of one or more, or releases that always go back by Git.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import NO_ROLLBACK

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(NO_ROLLBACK.now,),
    fires=names(NO_ROLLBACK.now, "revisionHistoryLimit is {found}."),
    remedies=paste(
        "Keep some revisions.",
        "spec: {revisionHistoryLimit: 5}",
        "kubectl rollout history lists the last versions.",
        "playbooks/delivery",
        "model-quality/release-engineering",
    ),
    pages=(
        "playbooks/delivery",
        "model-quality/release-engineering",
    ),
    phase=1,
    owner="sre",
    rule=True,
    asked=(
        r"\brevision ?history\b",
        r"\b(?:can|could|able to|possible to|how|would|anything to)\b[^.?!]{0,40}\b(?:roll(?:ed)? ?-?back|go back to|undo|return to)\b",
    ),
)
