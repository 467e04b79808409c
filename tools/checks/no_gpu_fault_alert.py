"""Nobody is told when a GPU fails.

## What it means
No alert rule comes down to Xids, ECC errors, row remaps or NVLink errors.

## Why it hurts
A GPU that reports a fault stays in service until its pods fail one after the other.

## What would rule it out
Rules that another ruler evaluates (Thanos Ruler, Mimir, vmalert, Grafana), which this Prometheus does not list. Or a
node agent that drains faulty nodes by itself.
"""

from tools.asked import nobody_told
from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.watching import ALERT_GPU_FAULT

CHECK = Check(
    on=(On.CLUSTER,),
    severity="medium",
    needs=(ALERT_GPU_FAULT.now,),
    fires=lacks(ALERT_GPU_FAULT.now, "No alert rule watches GPUs for faults."),
    remedies=paste(
        "Alert on a change of the last Xid, and on remaps.",
        "{alert: GpuXid, expr: 'changes(DCGM_FI_DEV_XID_ERRORS[10m]) > 0 or DCGM_FI_DEV_ROW_REMAP_FAILURE > 0', for: 0m, labels: {severity: page}}",
        "The rule is listed as healthy; a test by dcgmi test --inject raises it.",
        "gpu/xid-errors",
        "signals/dcgm-health",
    ),
    pages=(
        "gpu/xid-errors",
        "signals/dcgm-health",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        *nobody_told(
            r"\bxids?\b|\becc\b|\b(?:gpu|card)s? (?:\w+ ){0,2}?(?:faults?|fails?|dies|die|breaks?|falls?|is lost|goes bad|broken)\b|\b(?:broken|faulty|dying|failing|bad|sick) (?:gpu|card)s?\b"
        ),
    ),
)
