"""Nobody is told when the autoscaler stops working.

## What it means
The workload has an autoscaler, and no alert rule comes down to the state of autoscalers or to the errors of KEDA.

## Why it hurts
An autoscaler that cannot read its metric, or stands at its ceiling, freezes the number of replicas in silence.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list.
"""

from tools.asked import nobody_told
from tools.check import Applies, Because, Check, Limits, Now, On, because
from tools.rules import NONE, paste
from tools.signals import HPA_MAX
from tools.vocabulary.watching import ALERT_SCALER


def fires(now: Now, _limits: Limits) -> Because | None:
    """Fire where there is an autoscaler and nobody watches it."""
    most = now[HPA_MAX.now]
    watched = now[ALERT_SCALER.now]
    if watched.value != NONE:
        return None
    return because("An autoscaler scales up to {most}, and no alert rule watches it.", watched, most=most)


CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="low",
    needs=(HPA_MAX.now, ALERT_SCALER.now),
    fires=fires,
    remedies=paste(
        "Alert on the condition ScalingActive.",
        '{alert: AutoscalerBlind, expr: \'kube_horizontalpodautoscaler_status_condition{condition="ScalingActive",status="false"} == 1\', for: 15m}',
        "The rule is listed as healthy, and fires when the metric's adapter is stopped in staging.",
        "deployment-readiness/autoscaling",
        "signals/autoscaling-metrics",
    ),
    pages=("deployment-readiness/autoscaling", "signals/autoscaling-metrics"),
    phase=2,
    owner="sre",
    rule=True,
    asked=(*nobody_told(r"autoscal|\bhpas?\b|\bkeda\b|scal(?:er|ing)\b"),),
)
