"""The serving engine is no longer developed.

## What it means
The project of the engine has said that it takes no new features, or no fixes at all.

## Why it hurts
New models and GPUs do not arrive, and holes stay open: an engine parses untrusted input next to your weights.

## What would rule it out
A fork or a vendor that keeps it up.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.readiness import UNMAINTAINED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(UNMAINTAINED.now,),
    fires=names(UNMAINTAINED.now, "{found}."),
    remedies=advise(
        "Plan the move to an engine that is kept up, for text models vLLM or SGLang: same OpenAI routes, other flags, metrics and probes.",
        "The image of the workload names the new engine, and the golden prompts pass.",
        "systems/tgi",
        "systems/torchserve",
    ),
    pages=(
        "systems/tgi",
        "systems/torchserve",
    ),
    phase=2,
    owner="ml platform",
    rule=True,
    asked=(
        r"\b(?:still|no longer|actively|not|un-?)\s?(?:maintained|developed)\b",
        r"\bmaintenance mode\b|\babandon(?:ed|ware)\b|\barchived\b|\bunmaintained\b|\bdiscontinued\b|\b(?:end[- ]of[- ]life|eol|deprecated|retired|dead) (?:engine|server|project|runtime|serving)",
        r"\b(?:engine|server|runtime)s?\b[^.?!]{0,60}\b(?:future|end[- ]of[- ]life|eol|dead project|deprecated|retired)\b",
    ),
)
