"""Nobody is told when GPUs idle.

## What it means
No alert rule looks for GPUs without work, or engines without tokens.

## Why it hurts
A forgotten deployment costs as much as a busy one, and is found on the bill.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list. Or a
weekly report on idle GPUs.
"""

from tools.asked import nobody_told
from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_GPU_IDLE

CHECK = Check(
    on=(On.CLUSTER,),
    severity="low",
    needs=(ALERT_GPU_IDLE.now,),
    fires=lacks(ALERT_GPU_IDLE.now, "No alert rule notices idle GPUs."),
    remedies=paste(
        "Raise a ticket, not a page, for GPUs that do nothing for hours.",
        "{alert: GpuIdle, expr: 'max_over_time(DCGM_FI_DEV_GPU_UTIL[6h]) == 0', for: 1h, labels: {severity: ticket}}",
        "A test deployment without traffic raises the ticket.",
        "gpu/idle-gpus",
        "model-quality/cost-controls",
    ),
    pages=(
        "gpu/idle-gpus",
        "model-quality/cost-controls",
    ),
    phase=2,
    owner="finops",
    rule=True,
    asked=(*nobody_told(r"\bidl(?:e|es|ing)\b|\bunused\b|\bwasted?\b|\bdo(?:es)? nothing\b|\bnothing to do\b"),),
)
