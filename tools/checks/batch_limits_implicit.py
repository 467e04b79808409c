"""The batch limits are left to the engine.

## What it means
Neither the number of concurrent sequences nor the tokens of a step are set.

## Why it hurts
The defaults differ by version and GPU, so an upgrade moves the trade between throughput and the gap between tokens.

## What would rule it out
Limits in a configuration file that Rackside does not read, or defaults that a load test has confirmed for this
version.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import BATCH_IMPLICIT

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(BATCH_IMPLICIT.now,),
    fires=names(BATCH_IMPLICIT.now, "{found} not set."),
    remedies=paste(
        "Write the values that the load test found beside the knee of the curve.",
        'args: ["--max-num-seqs", "128", "--max-num-batched-tokens", "8192"]',
        "The load test reaches the objective with these values on the version in production.",
        "production-readiness/engine-configuration",
        "serving/engine-arguments-vllm",
    ),
    pages=(
        "production-readiness/engine-configuration",
        "serving/engine-arguments-vllm",
    ),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        r"\bbatch(?:ing)?\b[^.?!]{0,60}\b(?:implicit|explicit\w*|left to|by default|defaults|never set|not set|unset|decided|chosen|written down)\b",
        r"\b(?:who|did any(?:body|one)|has any(?:body|one)|have we)\b[^.?!]{0,40}\b(?:set|chose|chosen|decided|picked)\b[^.?!]{0,40}\b(?:batch|concurren)",
    ),
)
