"""The image is named by a tag that moves.

## What it means
latest, nightly, main or no tag at all name whatever was pushed last. Which build runs depends on when a node pulled it.

## Why it hurts
A restart may bring another version: engines rename flags and metrics between minor versions, so the pod may fail at its start,
or dashboards and autoscalers lose what they follow. A rollback to the same tag rolls nothing back.

## What would rule it out
A tag of a version, or a digest.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import IMAGE_MOVES, IMAGE_RUNNING

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(IMAGE_MOVES.now,),
    helps=(IMAGE_RUNNING.now,),
    fires=names(IMAGE_MOVES.now, "{found_of} runs {found}.", IMAGE_RUNNING.now),
    remedies=advise(
        (
            "Name the version, best with its digest (name:version@sha256:...). Move to a new one by a rollout, on "
            "purpose."
        ),
        "Every replica reports the same image ID, before and after a restart.",
        "platform/container-images",
    ),
    pages=("platform/container-images",),
    phase=0,
    owner="mlops",
    rule=True,
    asked=(
        r"[`: ]latest\b.{0,20}tag",
        ":latest",
        r"\blatest tag",
        "moving tag",
        "floating tag",
        "mutable tag",
        "(?:un|not )pinned .{0,20}(?:image|tag|version)",
        "(?:image|tag|version)s? .{0,30}(?:un|not )pinned",
        r"(?:same|exact\w*|precisely|that very) .{0,15}(?:build|image|version|bits).{0,60}(?:back|again|after|tomorrow|next)",
        "(?:build|image|version).{0,40}(?:change|differ)s? .{0,30}(?:restart|drain|by itself|under us|reschedul)",
        "names (?:what it runs|its image)",
        r"\b(?:come|comes|came|get|gets|start|starts|restart\w*|reschedul\w*)\b[^.?!]{0,60}\b(?:same|exact\w*|precisely|identical|that very)\b[^.?!]{0,30}\b(?:build|image|version|bits|binary|release)\b",
    ),
)
