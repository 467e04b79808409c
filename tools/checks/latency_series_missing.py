"""The engine reports without its latency series.

## What it means
Other series of the replica arrive, and one or more of the latency histograms that this engine exports do not.

## Why it hurts
Slow answers cannot be told from long ones, nor waiting from computing.

## What would rule it out
A version of the engine that does not export it yet.
"""

from tools.asked import not_measured
from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import LATENCY_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(LATENCY_MISSING.now,),
    helps=asks_of(LATENCY_MISSING),
    fires=names(LATENCY_MISSING.now, "{found_of} reports without {found}."),
    remedies=paste(
        "Do not drop histograms at the scrape: look for a rule like this and take it away.",
        "metricRelabelings: [{sourceLabels: [__name__], regex: 'vllm:.*_bucket', action: drop}]",
        "Prometheus answers vllm:time_to_first_token_seconds_bucket for every replica.",
        "observability/metrics-vllm",
        "observability/missing-metrics-and-blind-spots",
    ),
    pages=(
        "observability/metrics-vllm",
        "observability/missing-metrics-and-blind-spots",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*not_measured(r"\blatenc\w+|\bttft\b|\bfirst tokens?\b|\bresponse times?\b"),),
)
