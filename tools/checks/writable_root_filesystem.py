"""The container can write to its own root file system.

## What it means
readOnlyRootFilesystem is not set.

## Why it hurts
What gets in can replace the engine's files until the next start, and caches that land there fill the node's disk.

## What would rule it out
readOnlyRootFilesystem: true with volumes for /tmp and the caches.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import ROOT_WRITABLE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(ROOT_WRITABLE.now,),
    fires=names(ROOT_WRITABLE.now, "The root file system is writable in {found} of {found_of}."),
    remedies=advise(
        "Set readOnlyRootFilesystem, and mount emptyDir volumes for /tmp and the engine's caches.",
        "The engine starts and serves, and a file cannot be made in /.",
        "playbooks/security",
    ),
    pages=("playbooks/security",),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"\broot (?:file ?system|fs)\b|\bread-?only ?root\w*\b|\bwrite (?:to|into) (?:its|their) (?:own )?(?:image|container|file ?system|root)\b",
    ),
)
