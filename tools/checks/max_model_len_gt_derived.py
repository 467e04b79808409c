"""The requested context is longer than the model supports.

## What it means
--max-model-len is above the limit in the checkpoint's config.json, so the engine refuses it.

## Why it hurts
Nothing starts until the number changes; positions beyond the limit would give nonsense.

## What would rule it out
A length within the limit that does not fit into the KV cache: that is a matter of memory.
"""

from tools.check import Applies, Check, Limits, Now, On
from tools.failed_starts import HELPS, LIMITS, failed_start, needs, numbers, told
from tools.families import FAILING, QUEUEING
from tools.finding import Change, Remedy
from tools.vocabulary.startup import LOG_LEN_MODEL


def remedies(now: Now, _limits: Limits) -> tuple[Remedy, ...]:
    line = told(now, LOG_LEN_MODEL)
    asked = numbers(r"max_model_len \((\d+)\)", line)
    limit = numbers(r"derived max_model_len \(\w+=(\d+)", line)
    change = Change("--max-model-len", f"{asked[0]:.0f}", f"{limit[0]:.0f}") if asked and limit else None
    return (
        Remedy(
            "Ask for no more than the model's own limit.",
            change,
            "The engine goes on to load weights, and the pod turns ready.",
            ("serving/engine-arguments-vllm",),
        ),
        Remedy(
            "If the model is documented for a longer context with rope scaling, give that with --hf-overrides; the variable"
            " VLLM_ALLOW_LONG_MAX_MODEL_LEN only silences the check.",
            None,
            "Answers to long prompts stay sensible.",
            ("serving/engine-arguments-vllm",),
        ),
    )


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="critical",
    needs=needs(LOG_LEN_MODEL),
    helps=(*HELPS,),
    limits=LIMITS,
    fires=failed_start(LOG_LEN_MODEL),
    explains=(*QUEUEING, *FAILING),
    remedies=remedies,
    pages=("serving/engine-arguments-vllm",),
    owner="ml platform",
)
