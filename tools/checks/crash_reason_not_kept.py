"""Of a crash only the exit code is kept.

## What it means
The container's termination message policy does not fall back to its log.

## Why it hurts
The last lines of a crashed engine are gone with its pod; the exit code alone names no cause.

## What would rule it out
A log agent that surely collects the last lines, or an engine that writes a termination message.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import CRASH_UNSAID

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="info",
    needs=(CRASH_UNSAID.now,),
    fires=names(CRASH_UNSAID.now, "Of a crash of {found_of} {found} is kept."),
    remedies=paste(
        "Keep the last lines of the log in the pod's status.",
        "containers: [{name: NAME, terminationMessagePolicy: FallbackToLogsOnError}]",
        "kubectl describe pod shows the last lines after a crash.",
        "kubernetes/exit-codes-and-terminations",
        "playbooks/failure-thinking",
    ),
    pages=(
        "kubernetes/exit-codes-and-terminations",
        "playbooks/failure-thinking",
    ),
    phase=1,
    owner="mlops",
    rule=True,
    asked=(
        r"termination ?message",
        r"\bonly (?:the |an |its )?exit codes?\b",
        r"\b(?:crash\w*|dies|died|post-?mortem)\b[^.?!]{0,80}\b(?:what (?:is|do we|will we|would we)|nothing|something|anything)\b[^.?!]{0,20}\b(?:left|kept|keep|remain\w*|recorded|survives?)\b",
        r"\b(?:reason|cause|last words|message)\b[^.?!]{0,40}\b(?:kept|keep|recorded|survives?|preserved)\b",
    ),
)
