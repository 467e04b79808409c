"""What holds a pod back before the scheduler looks at it: its scheduling gates, and what the queue behind one of them says."""

from __future__ import annotations

from tools.signals import Per, fact

GATES = fact("pod.scheduling_gates", "", Per.REPLICA, "Scheduling gates")
UNTOLERATED = fact(
    "pod.untolerated", "", Per.REPLICA, "Taints of nodes that the pod does not tolerate", told_by="nodes"
)
QUEUE_SAID = fact("pod.queue_said", "", Per.REPLICA, "What the queue said", evidence="event", told_by="events")
