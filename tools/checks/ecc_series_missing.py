"""GPUs are measured without their memory errors.

## What it means
The exporter reports GPUs of the node and no count of uncorrectable ECC errors; its stock configuration leaves them
out.

## Why it hurts
Memory that goes bad shows first as counts, later as crashes of whoever got that GPU.

## What would rule it out
GPUs without ECC.
"""

from tools.asked import not_measured
from tools.check import Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import ECC_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.NODE,),
    severity="info",
    needs=(ECC_MISSING.now,),
    helps=asks_of(ECC_MISSING),
    fires=names(ECC_MISSING.now, "{found_of} is measured without {found}."),
    remedies=paste(
        "Add the line to the counters of dcgm-exporter; its own list replaces the stock one.",
        'customMetrics: "DCGM_FI_DEV_ECC_DBE_VOL_TOTAL, counter, Double-bit volatile ECC errors."',
        "Prometheus answers DCGM_FI_DEV_ECC_DBE_VOL_TOTAL for every GPU.",
        "signals/dcgm-health",
        "observability/metrics-dcgm",
    ),
    pages=(
        "signals/dcgm-health",
        "observability/metrics-dcgm",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(*not_measured(r"\becc\b|memory errors?|bit ?flips?"),),
)
