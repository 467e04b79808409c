"""Nobody is told when answers get slow.

## What it means
No alert rule of Prometheus comes down to a latency of this engine or of a gateway before it.

## Why it hurts
Users notice first. Time to first token can rise for hours while every pod is ready.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list.
"""

from tools.asked import nobody_told
from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_LATENCY

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(ALERT_LATENCY.now,),
    fires=lacks(ALERT_LATENCY.now, "No alert rule watches the latency of {found_of}."),
    remedies=paste(
        "Alert on the objective of the first token; for vLLM:",
        "{alert: SlowFirstToken, expr: 'histogram_quantile(0.95, sum by (le) (rate(vllm:time_to_first_token_seconds_bucket[5m]))) > 2', for: 10m, labels: {severity: page}}",
        "The rule is listed as healthy, and fires in a drill.",
        "observability/slo-and-burn-rates",
        "deployment-readiness/objectives",
    ),
    pages=(
        "observability/slo-and-burn-rates",
        "deployment-readiness/objectives",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*nobody_told(r"\bslow\w*\b|\blatenc\w+\b|\bttft\b|\bfirst token\b|\bp9\d\b|\bresponse times?\b"),),
)
