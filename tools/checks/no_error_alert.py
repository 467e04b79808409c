"""Nobody is told when requests fail.

## What it means
No alert rule comes down to failed or aborted requests of this engine, or to error codes of a gateway before it.

## Why it hurts
A server that answers every tenth request with 500 looks healthy to Kubernetes.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list.
"""

from tools.asked import nobody_told
from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_ERRORS

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(ALERT_ERRORS.now,),
    fires=lacks(ALERT_ERRORS.now, "No alert rule watches the errors of {found_of}."),
    remedies=paste(
        "Alert on the share of failed requests; for vLLM:",
        "{alert: RequestsFail, expr: 'sum(rate(http_requests_total{status=\"5xx\"}[5m])) / sum(rate(http_requests_total[5m])) > 0.02', for: 10m, labels: {severity: page}}",
        "The rule is listed as healthy, and fires in a drill.",
        "observability/slo-and-burn-rates",
        "production-readiness/metrics-and-logs",
    ),
    pages=(
        "observability/slo-and-burn-rates",
        "production-readiness/metrics-and-logs",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*nobody_told(r"\berrors?\b|\bfail(?:s|ed|ing|ure|ures)?\b|\b5xx\b|\b50\d\b"),),
)
