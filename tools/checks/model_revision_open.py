"""The model has no fixed revision.

## What it means
The engine is given a name on a hub and no commit: it takes whatever is newest when it starts.

## Why it hurts
A push to that repository changes answers, tokenizer or template at the next restart; replicas that started at
different times differ.

## What would rule it out
A commit of 40 digits, or a path under your own control.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import REVISION_OPEN

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(REVISION_OPEN.now,),
    fires=names(REVISION_OPEN.now, "The engine serves {found}."),
    remedies=paste(
        "Pin the commit that was tested; the tokenizer comes with it.",
        'args: ["--revision", "40_HEX_DIGITS"]',
        "The arguments of every replica hold the same 40 hex digits.",
        "deployment-readiness/model-identity",
        "model-quality/release-engineering",
    ),
    pages=(
        "deployment-readiness/model-identity",
        "model-quality/release-engineering",
    ),
    phase=1,
    owner="ml",
    rule=True,
    asked=(
        "(?:model|hub) .{0,30}revision .{0,30}(?:pin|fix|open)",
        r"(?:pin|fix)\w* .{0,30}(?:model|hub) .{0,10}revision",
    ),
)
