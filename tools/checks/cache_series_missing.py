"""The engine reports without its cache series.

## What it means
Other series of the replica arrive, and KV cache usage or prefix cache hits do not.

## Why it hurts
The cache is what an engine runs out of first; without it the queue has no explanation.

## What would rule it out
Prefix caching that is off, in a version that then exports nothing.
"""

from tools.asked import not_measured
from tools.check import Applies, Check, On
from tools.rules import advise, names
from tools.vocabulary.watching import CACHE_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(CACHE_MISSING.now,),
    helps=asks_of(CACHE_MISSING),
    fires=names(CACHE_MISSING.now, "{found_of} reports without {found}."),
    remedies=advise(
        "Compare the /metrics page of the pod with what Prometheus keeps, and take away the rule that drops it.",
        "Prometheus answers vllm:kv_cache_usage_perc for every replica.",
        "serving/kv-cache",
        "observability/metrics-vllm",
    ),
    pages=(
        "serving/kv-cache",
        "observability/metrics-vllm",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*not_measured(r"\bkv[- ]cache\b|\bcache (?:usage|use|fill\w*|hits?)\b"),),
)
