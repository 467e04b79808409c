"""What watches a node, and says that something is wrong: its kubelet (of the disk), node-problem-detector, the platforms' own agents."""

from __future__ import annotations

from tools.signals import Per, fact

NODE_PROBLEM = fact("node.problem", "", Per.NODE, "Problem that the node's own watch reports")
NODE_PROBLEM_FOR = fact("node.problem_for", "seconds", Per.NODE, "Time that it has been reported")
DISK_NOT_CLEARED = fact(
    "node.disk_not_cleared",
    "",
    Per.NODE,
    "What the kubelet says of images that it could not delete",
    evidence="event",
    told_by="events",
)
NODE_DISK_PRESSURE = fact("node.disk_pressure", "", Per.NODE, "What the kubelet says of a full disk")
