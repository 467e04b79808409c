"""No device plugin pod is seen on a GPU node.

## What it means
No DaemonSet pod with the name of a device plugin runs on the node.

## Why it hurts
The plugin is what watches the health of GPUs and tells Kubernetes how many there are. Without it a faulty GPU stays
allocatable.

## What would rule it out
A platform that runs the plugin outside of pods (EKS Auto Mode), or GPUs given out by dynamic resource allocation.
"""

from tools.check import Check, On
from tools.rules import lacks, paste
from tools.vocabulary.readiness import DEVICE_PLUGIN

CHECK = Check(
    on=(On.NODE,),
    severity="low",
    needs=(DEVICE_PLUGIN.now,),
    fires=lacks(DEVICE_PLUGIN.now, "No device plugin pod runs on {found_of}."),
    remedies=paste(
        "Run the device plugin, alone or by the GPU operator, with tolerations for all GPU nodes.",
        "tolerations: [{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]",
        "kubectl get ds -A lists a plugin with as many ready pods as GPU nodes.",
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    pages=(
        "platform/gpu-operator-and-drivers",
        "production-readiness/gpu-nodes",
    ),
    phase=1,
    owner="platform",
    rule=True,
)
