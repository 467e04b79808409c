"""Since when a pod has not been ready: one that served for days and stopped a minute ago is another thing than one that never did."""

from __future__ import annotations

from tools.signals import Per, fact

UNREADY_FOR = fact("pod.unready_for", "seconds", Per.REPLICA, "Time that the pod has not been ready", "min")
ENDING_FOR = fact("pod.ending_for", "seconds", Per.REPLICA, "Time since the pod was told to end", "min")
SERVES_NOTHING = fact(
    "pod.serves_nothing", "bool", Per.REPLICA, "Worker without a GPU that KubeRay marks as serving nothing"
)
