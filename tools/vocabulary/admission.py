"""What holds a pod back before the scheduler looks at it, and where one like it would find room."""

from __future__ import annotations

from tools.signals import Per, fact

GATES = fact("pod.scheduling_gates", "", Per.REPLICA, "Scheduling gates")
UNTOLERATED = fact(
    "pod.untolerated", "", Per.REPLICA, "Taints of nodes that the pod does not tolerate", told_by="nodes"
)
ROOM = fact("pod.room", "GPUs", Per.REPLICA, "Most free GPUs on one node that it may run on", "min", told_by="nodes")
ROOM_CORDONED = fact(
    "pod.room_cordoned",
    "GPUs",
    Per.REPLICA,
    "Most free GPUs on one node that is cordoned or lacks something, and that it may run on else",
    told_by="nodes",
)
QUEUE_SAID = fact("pod.queue_said", "", Per.REPLICA, "What the queue said", evidence="event", told_by="events")
