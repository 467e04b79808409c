"""GPU series do not say which pod holds the GPU.

## What it means
The GPUs of the nodes are measured, and fewer of their series carry the pod than the workload has GPUs.

## Why it hurts
What a GPU does cannot be told of a workload: idle GPUs have no owner, and costs no payer.

## What would rule it out
Pods that started within the last scrape, or GPUs by dynamic resource allocation with an old exporter.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.watching import GPUS_UNNAMED

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.GPU,
    severity="medium",
    needs=(GPUS_UNNAMED.now,),
    fires=names(GPUS_UNNAMED.now, "{found}."),
    remedies=paste(
        "Let dcgm-exporter map GPUs to pods by the socket of the kubelet.",
        'env: [{name: DCGM_EXPORTER_KUBERNETES, value: "true"}]',
        'count(DCGM_FI_DEV_FB_USED{pod!=""}), or exported_pod, equals the GPUs allocated.',
        "observability/exported-labels",
        "observability/metrics-dcgm",
    ),
    pages=(
        "observability/exported-labels",
        "observability/metrics-dcgm",
    ),
    phase=2,
    owner="platform",
    rule=True,
    asked=(
        r"\b(?:which|whose)\b[^.?!]{0,40}\b(?:pods?|workloads?|teams?)\b[^.?!]{0,60}\b(?:gpu|card)s? (?:metrics?|series|belongs?|graphs?)\b",
        r"\b(?:do|does|can|could|is|are|which|why|whether)\b[^.?!]{0,40}\b(?:gpu|card|dcgm) (?:metrics?|series|graphs?|dashboards?)\b[^.?!]{0,80}\b(?:pods?|workloads?|namespaces?|teams?|owners?)\b",
    ),
)
