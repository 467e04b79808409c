"""Nobody has decided the longest context.

## What it means
The engine takes its context limit from the configuration of the model.

## Why it hurts
A model of 128k or more then lets one request take the whole cache, or does not start for want of it; and a new
revision changes the limit.

## What would rule it out
A limit in a configuration file that Rackside does not read, or at the gateway.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import CONTEXT_IMPLICIT

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(CONTEXT_IMPLICIT.now,),
    fires=names(CONTEXT_IMPLICIT.now, "{found} is not set on {found_of}."),
    remedies=paste(
        "Set the limit from the lengths that come (p99 of prompt plus answer) and the cache that is there.",
        'args: ["--max-model-len", "16384"]',
        "/v1/models shows max_model_len as decided; the share of 400 answers stays flat.",
        "production-readiness/constraints-and-precision",
        "model-quality/model-configuration",
    ),
    pages=(
        "production-readiness/constraints-and-precision",
        "model-quality/model-configuration",
    ),
    phase=1,
    owner="ml platform",
    rule=True,
    asked=(
        r"\b(?:context|max[-_ ]model[-_ ]len\w*|window)\b[^.?!]{0,60}\b(?:implicit|explicit\w*|by default|defaults?|never set|not set|unset|decided|chosen|written down|whatever the model)\b",
        r"\b(?:who|did any(?:body|one)|has any(?:body|one)|have we)\b[^.?!]{0,40}\b(?:set|chose|chosen|decided|picked|limit\w*)\b[^.?!]{0,40}\b(?:context|max[-_ ]model|window|longest)",
    ),
)
