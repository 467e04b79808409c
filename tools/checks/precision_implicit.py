"""The precision is inherited from the model.

## What it means
No data type and no quantisation are set: the configuration of the model decides.

## Why it hurts
Weights in FP32 are cast in one way by one version and in another by the next, and a new revision may double the
memory.

## What would rule it out
A data type in a configuration file that Rackside does not read, or a quantised model that states its own format.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import PRECISION_IMPLICIT

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(PRECISION_IMPLICIT.now,),
    fires=names(PRECISION_IMPLICIT.now, "The precision is left open: {found}."),
    remedies=paste(
        "State the precision that was measured.",
        'args: ["--dtype", "bfloat16"]',
        "The start-up log prints the data type as decided.",
        "production-readiness/constraints-and-precision",
        "serving/quantization",
    ),
    pages=(
        "production-readiness/constraints-and-precision",
        "serving/quantization",
    ),
    phase=0,
    owner="ml",
    rule=True,
    asked=(
        r"\b(?:dtype|precision|number format)\b[^.?!]{0,60}\b(?:explicit\w*|by default|auto|implicit\w*|chosen|decided|inherit\w*|written down|pinned|never set|not set)\b",
    ),
)
