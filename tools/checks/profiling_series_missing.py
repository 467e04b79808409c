"""GPUs are measured without what they really do.

## What it means
The exporter reports GPUs of the node and neither tensor core nor memory bandwidth activity.

## Why it hurts
Utilisation only says that a kernel was there. Whether decode is bound by memory or the GPU merely waits cannot be
told.

## What would rule it out
GPUs or virtual machines that do not allow profiling.
"""

from tools.asked import not_measured
from tools.check import Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import PROFILING_MISSING
from tools.wanted_series import asks_of

CHECK = Check(
    on=(On.NODE,),
    severity="info",
    needs=(PROFILING_MISSING.now,),
    helps=asks_of(PROFILING_MISSING),
    fires=names(PROFILING_MISSING.now, "{found_of} is measured without {found}."),
    remedies=paste(
        "Add the line to the counters of dcgm-exporter; its own list replaces the stock one.",
        'customMetrics: "DCGM_FI_PROF_PIPE_TENSOR_ACTIVE, gauge, Ratio of cycles the tensor pipe is active."',
        "Prometheus answers DCGM_FI_PROF_PIPE_TENSOR_ACTIVE and DCGM_FI_PROF_DRAM_ACTIVE for every GPU.",
        "gpu/utilization-and-what-it-hides",
        "signals/dcgm-profiling",
    ),
    pages=(
        "gpu/utilization-and-what-it-hides",
        "signals/dcgm-profiling",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        *not_measured(
            r"tensor (?:core|pipe|activ)|sm activity|profiling|dcgm_fi_prof|memory bandwidth|really (?:do|work|busy)"
        ),
    ),
)
