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
)
