"""The engine's version has published holes.

## What it means
The version that the image's tag names is among those that security advisories concern.

## Why it hurts
Some let one request stop the server, some let a neighbour in the network run code next to your weights and prompts.

## What would rule it out
A build into which the vendor has brought the fix, or a hole in a feature that is not in use; the sentence names it.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import KNOWN_HOLES

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(KNOWN_HOLES.now,),
    fires=names(KNOWN_HOLES.now, "{found_of} runs {found}."),
    remedies=paste(
        "Move to a release that they do not name, after the load test and the golden prompts; until then let only the gateway reach the port.",
        'containers: [{name: NAME, image: "vllm/vllm-openai:v0.33.0"}]',
        "GET /version answers with the new release on every replica.",
        "playbooks/security",
        "production-readiness/engine-configuration",
    ),
    pages=(
        "playbooks/security",
        "production-readiness/engine-configuration",
    ),
    phase=2,
    owner="security",
    rule=True,
    asked=(
        r"\bcves?\b",
        "vulnerab",
        "security (?:hole|advisor)",
    ),
)
