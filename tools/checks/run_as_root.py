"""The container may run as root.

## What it means
Nothing forbids user 0: neither runAsNonRoot nor a user is set, or the user is 0.

## Why it hurts
A flaw in the engine, or code that comes with a model, then has root in the container, one step from the node and its other
GPUs.

## What would rule it out
runAsNonRoot: true, or a user other than 0.
"""

from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.security import ROOT

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="low",
    needs=(ROOT.now,),
    fires=names(ROOT.now, "{found_of}: {found}."),
    remedies=advise(
        "Set runAsNonRoot and a user; make the caches of the engine (HF_HOME, VLLM_CACHE_ROOT) writable for it.",
        "id in the container shows another user than 0, and the engine starts.",
        "playbooks/security",
        "platform/container-images",
    ),
    pages=(
        "playbooks/security",
        "platform/container-images",
    ),
    phase=1,
    owner="security",
    rule=True,
    asked=(
        r"\bas root\b",
        "run ?as ?(?:non)?root",
        "root user",
        "uid 0",
    ),
)
