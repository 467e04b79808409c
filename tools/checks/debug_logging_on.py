"""The log level is one for debugging.

## What it means
A variable sets a debug level for the engine or its libraries.

## Why it hurts
Debug logs cost time in the serving loop, fill disks, and may hold what users wrote.

## What would rule it out
Info or warning in production.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.manifests import LOG_LEVEL

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(LOG_LEVEL.now,),
    fires=names(LOG_LEVEL.now, "{found_of} runs with {found}."),
    remedies=advise(
        "Set the level back to info, unless somebody looks for a fault right now.",
        "The log grows by a few lines a second at most.",
        "platform/log-hygiene",
    ),
    pages=("platform/log-hygiene",),
    phase=2,
    owner="mlops",
    rule=True,
    asked=(
        r"\bdebug[- ](?:log\w*|level|mode|output|lines?)\b",
        r"\b(?:log|logging) ?levels?\b",
        r"\bverbose\b|\blogs? (?:far |way )?too much\b|\blog volume\b|\bchatty\b",
    ),
)
