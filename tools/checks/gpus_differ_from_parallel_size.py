"""The engine uses another number of GPUs than the pod holds.

## What it means
The product of the parallel sizes in the arguments is not the GPU limit of the container.

## Why it hurts
With fewer, GPUs are paid for and idle; with more, the engine does not start.

## What would rule it out
An engine that spans several pods, or a second server in the same container.
"""

from tools.check import Applies, Check, On
from tools.rules import names, paste
from tools.vocabulary.readiness import PARALLEL_APART

CHECK = Check(
    on=(On.WORKLOAD,),
    applies=Applies.ENGINE,
    severity="high",
    needs=(PARALLEL_APART.now,),
    fires=names(PARALLEL_APART.now, "{found}."),
    remedies=paste(
        "Make the product of the sizes and the GPU limit equal.",
        '{args: ["--tensor-parallel-size", "4"], resources: {limits: {nvidia.com/gpu: 4}}}',
        "Every GPU of the pod shows memory in use.",
        "serving/tensor-parallelism",
        "deployment-readiness/compute-and-gpu-planning",
    ),
    pages=(
        "serving/tensor-parallelism",
        "deployment-readiness/compute-and-gpu-planning",
    ),
    phase=1,
    owner="ml platform",
    rule=True,
)
