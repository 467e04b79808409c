"""The GPU does not compute in the chosen number format.

## What it means
The engine is set to a format that needs a newer GPU than the node's labels name.

## Why it hurts
At best the format only saves memory and brings no speed; at worst the engine does not start, or falls back without a
word.

## What would rule it out
A format that was chosen for its memory alone.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import PRECISION_BEYOND

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(PRECISION_BEYOND.now,),
    fires=names(PRECISION_BEYOND.now, "On {found_of}: {found}."),
    remedies=paste(
        "Choose a format that this GPU computes in, or a GPU that computes in the format.",
        "nodeSelector: {nvidia.com/gpu.product: NVIDIA-H100-80GB-HBM3}",
        "The start-up log names no fallback, and tokens per second rise over 16 bit.",
        "serving/quantization",
        "hardware/choosing-a-gpu",
    ),
    pages=(
        "serving/quantization",
        "hardware/choosing-a-gpu",
    ),
    phase=0,
    owner="ml",
    rule=True,
    asked=(
        r"\b(?:bf16|bfloat16|fp8|fp4|nvfp4|mxfp4|precision|dtype|number formats?)\b[^.?!]{0,60}\b(?:support\w*|native\w*|in hardware|emulat\w*|capable|able to)\b",
        r"\b(?:supports?|can|does|able)\b[^.?!]{0,60}\b(?:bf16|bfloat16|fp8|fp4|nvfp4|mxfp4)\b",
    ),
)
