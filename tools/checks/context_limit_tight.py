"""The longest prompts come close to the context limit.

## What it means
The 99th percentile of prompt lengths is near the limit that the engine is set to.

## Why it hurts
The limit holds prompt and answer together: answers are cut short, and the longest requests are refused with 400.

## What would rule it out
Prompts that a gateway cuts on purpose at that length.
"""

from tools.check import Applies, Because, Check, Limit, Limits, Now, On, because
from tools.rules import paste
from tools.signals import REQUEST_TOKENS
from tools.vocabulary.configuration import MAX_MODEL_LEN

LONGEST = REQUEST_TOKENS.p99("30m")


def fires(now: Now, limits: Limits) -> Because | None:
    """Fire where prompts leave little room for answers."""
    most = now.least(MAX_MODEL_LEN.now)
    longest = now.worst(LONGEST)
    if most.number <= 0 or longest.number < limits["share"] * most.number:
        return None
    return because("1 in 100 prompts is longer than {longest}, and the limit is {most}.", longest=longest, most=most)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(MAX_MODEL_LEN.now, LONGEST),
    fires=fires,
    remedies=paste(
        "Raise the limit as far as the cache carries it (rackside size tells), or cut prompts at the gateway.",
        'args: ["--max-model-len", "32768"]',
        "The share of answers that end by length, and of 400, falls.",
        "model-quality/model-configuration",
        "production-readiness/constraints-and-precision",
    ),
    limits={"share": Limit(0.8, "ratio", "a fifth of the limit is left for the answer")},
    pages=("model-quality/model-configuration", "production-readiness/constraints-and-precision"),
    phase=2,
    owner="ml",
    rule=True,
    asked=(
        r"\bhow (?:close|near|tight|much (?:room|headroom|slack))\b[^.?!]{0,80}\b(?:context|max[-_ ]model|window|token limit)",
        r"\b(?:will|would|might|do|does|is|are|could)\b[^.?!]{0,80}\b(?:outgrow|run into|tight|close to|near|enough)\b[^.?!]{0,30}\b(?:context|max[-_ ]model|window|token limit)",
    ),
)
