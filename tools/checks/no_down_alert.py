"""Nobody is told when replicas or their metrics vanish.

## What it means
No alert rule comes down to lost scrapes, unready replicas or restarts, nor to the absence of this engine's series.

## Why it hurts
Every other alert is silent too once the series are gone: an outage looks like a quiet night.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list.
"""

from tools.asked import nobody_told
from tools.check import Applies, Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_DOWN

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="medium",
    needs=(ALERT_DOWN.now,),
    fires=lacks(ALERT_DOWN.now, "No alert rule notices when {found_of} is gone."),
    remedies=paste(
        "Alert on missing replicas and on absent series.",
        "{alert: ReplicasMissing, expr: 'kube_deployment_status_replicas_available < kube_deployment_spec_replicas', for: 10m, labels: {severity: page}}",
        "The alert fires when a replica is scaled away in staging.",
        "observability/missing-metrics-and-blind-spots",
        "platform/prometheus-stack",
    ),
    pages=(
        "observability/missing-metrics-and-blind-spots",
        "platform/prometheus-stack",
    ),
    phase=2,
    owner="sre",
    rule=True,
    asked=(
        *nobody_told(
            r"\b(?:down|vanish\w*|gone|disappear\w*|dead|away|unreachable|stops? (?:answering|reporting|being scraped)|crash\w*|dies|scrap\w*)\b"
        ),
    ),
)
