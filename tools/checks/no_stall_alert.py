"""Nobody is told when the engine hangs.

## What it means
No alert rule looks for requests that run while no token comes out.

## Why it hurts
The health route of a hung engine often still answers: neither probe nor restart helps, and every request waits for
its timeout.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list. Or a
liveness probe that generates a token.
"""

from tools.asked import nobody_told
from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_STALL

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(ALERT_STALL.now,),
    fires=lacks(ALERT_STALL.now, "No alert rule notices a stalled engine behind {found_of}."),
    remedies=paste(
        "Alert on running requests without tokens; for vLLM:",
        "{alert: EngineStalled, expr: 'rate(vllm:generation_tokens_total[2m]) == 0 and on (pod) vllm:num_requests_running > 0', for: 2m, labels: {severity: page}}",
        "The alert fires in staging when the engine process is stopped with SIGSTOP.",
        "platform/health-endpoints",
        "model-quality/serving-configuration",
    ),
    pages=(
        "platform/health-endpoints",
        "model-quality/serving-configuration",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*nobody_told(r"\bhangs?\b|\bstall\w*\b|\bstuck\b|\bfree?z\w*\b|\bno tokens\b|\bstands? still\b"),),
)
