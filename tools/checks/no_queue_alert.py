"""Nobody is told when the queue or the cache fills.

## What it means
No alert rule comes down to waiting requests, the KV cache or preemptions of this engine.

## Why it hurts
Saturation shows there minutes before it shows in latency: the time in which adding a replica still helps.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list. Or an
autoscaler on the same signal that always has room.
"""

from tools.asked import nobody_told
from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_QUEUE

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(ALERT_QUEUE.now,),
    fires=lacks(ALERT_QUEUE.now, "No alert rule watches the queue of {found_of}."),
    remedies=paste(
        "Alert on requests that keep waiting; for vLLM:",
        "{alert: RequestsWait, expr: 'min_over_time(vllm:num_requests_waiting[10m]) > 0', for: 10m, labels: {severity: page}}",
        "The alert fires in the load test beyond the knee.",
        "serving/queueing-and-admission",
        "observability/metrics-vllm",
    ),
    pages=(
        "serving/queueing-and-admission",
        "observability/metrics-vllm",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        *nobody_told(r"\bqueue\w*\b|\bwaiting\b|\bbacklog\b|\bcache (?:\w+ )?(?:fills?|full)\b|\bkv\b|\bsaturat\w*\b"),
    ),
)
