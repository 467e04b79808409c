"""GPUs are measured without their faults.

## What it means
The exporter reports GPUs of the node and no Xid of them.

## Why it hurts
The first sign of a dying GPU is an Xid: without it only its victims are seen.

## What would rule it out
Xids that another agent reads from the kernel log.
"""

from tools.asked import not_measured
from tools.check import Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import FAULTS_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.NODE,),
    severity="medium",
    needs=(FAULTS_MISSING.now,),
    helps=asks_of(FAULTS_MISSING),
    fires=names(FAULTS_MISSING.now, "{found_of} is measured without {found}."),
    remedies=paste(
        "Add the line to the counters of dcgm-exporter; its own list replaces the stock one.",
        'customMetrics: "DCGM_FI_DEV_XID_ERRORS, gauge, Value of the last XID error encountered."',
        "Prometheus answers DCGM_FI_DEV_XID_ERRORS for every GPU.",
        "gpu/xid-errors",
        "observability/metrics-dcgm",
    ),
    pages=(
        "gpu/xid-errors",
        "observability/metrics-dcgm",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(*not_measured(r"\bxids?\b|gpu faults?|gpu errors?|faults of (?:the |our )?(?:gpus?|cards?)"),),
)
