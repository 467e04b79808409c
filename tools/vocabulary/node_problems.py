"""What watches a node beside its kubelet, and says that something is wrong: node-problem-detector, the platforms' own agents."""

from __future__ import annotations

from tools.signals import Per, fact

NODE_PROBLEM = fact("node.problem", "", Per.NODE, "Problem that the node's own watch reports")
NODE_PROBLEM_FOR = fact("node.problem_for", "seconds", Per.NODE, "Time that it has been reported")
