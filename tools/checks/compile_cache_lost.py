"""A restart compiles the model's graphs again.

## What it means
Nothing that outlives the pod is mounted where vLLM keeps what it compiled.

## Why it hurts
Every start pays for compilation again, often a minute or more, exactly when a replica is missed.

## What would rule it out
A kept cache elsewhere, eager mode, or starts that are quick enough.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import CACHE_LOST

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="info",
    needs=(CACHE_LOST.now,),
    fires=names(CACHE_LOST.now, "The compile cache at {found} is lost with the pod."),
    remedies=paste(
        "Keep the cache on a volume of the node or the claim.",
        "{env: [{name: VLLM_CACHE_ROOT, value: /cache/vllm}], volumeMounts: [{name: cache, mountPath: /cache}]}",
        "The second start logs that compiled graphs were loaded from the cache.",
        "serving/cold-start",
        "production-readiness/storage-of-weights",
    ),
    pages=(
        "serving/cold-start",
        "production-readiness/storage-of-weights",
    ),
    phase=2,
    owner="ml platform",
    rule=True,
    asked=(
        r"\b(?:compil\w*|inductor|cuda graphs?|graph captures?|triton kernels?)\b[^.?!]{0,80}\b(?:each|every|again|anew|cache[sd]?|persist\w*|kept|lost|re-?used?)\b",
        r"\b(?:each|every|again)\b[^.?!]{0,40}\bcompil(?:es?|ing|ation)\b",
    ),
)
