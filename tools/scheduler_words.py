"""What the scheduler says of a pod that fits nowhere, taken apart: `0/6 nodes are available: 4 Insufficient nvidia.com/gpu, ...`.

The wording is that of the plugins of kube-scheduler (nodeaffinity, noderesources, tainttoleration, volumebinding, nodevolumelimits,
dynamicresources, interpodaffinity, podtopologyspread, nodeports). Each node is counted under the reasons of the first plugin that refused it, taints before selectors before resources.
From 1.35 on it does not tell which taints: those that the nodes bear are laid in their place. Volcano says "unavailable", and NVIDIA's KAI
scheduler "no nodes with enough resources were found", with a reason a sentence and GPUs by no resource's name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Why(StrEnum):
    """Why nodes were refused."""

    GPU = "GPUs"
    MIG = "MIG instances"
    CLAIM = "device claims"
    TAINT = "taints"
    HEALTH = "node health"
    CONTROL = "control plane"
    SELECTOR = "selector or affinity"
    VOLUME = "volumes"
    RESOURCE = "other resources"
    OTHER = "other reasons"


@dataclass(frozen=True, slots=True)
class Refusal:
    """How many nodes one reason refused, and its words. Zero nodes: the pod as a whole."""

    nodes: int
    words: str


_HEAD = re.compile(
    r"^\s*(?:(?:\d+/\d+|all) nodes are (?:un)?available"
    r"|(?:Node-Pool '[^']{0,63}': )?no nodes with enough resources were found):\s*"
)
# A comma parts two reasons, or a full stop where the next one counts nodes as well.
_NEXT = {",": re.compile(r"\s*\d+ "), ".": re.compile(r"\s+\d+ (?:node|Insufficient)")}
_COUNTED = re.compile(r"^(?P<n>\d+)\s+(?P<what>\S.*)$", re.DOTALL)
# What preemption would have done is another sentence about the same nodes.
_TAIL = re.compile(r"\.?\s*preemption:.*$", re.DOTALL)
_SORTS: tuple[tuple[Why, re.Pattern[str]], ...] = (
    (Why.MIG, re.compile(r"Insufficient nvidia\.com/mig-|enough of mig profile|enough resources: nvidia\.com/mig-")),
    (Why.GPU, re.compile(r"Insufficient nvidia\.com/|enough resources: (?:GPU|nvidia\.com/)|resource fit failed")),
    # Dynamic resource allocation: devices are claimed, and the pod requests none by a resource's name.
    (
        Why.CLAIM,
        re.compile(r"cannot allocate all claims|(?i:resource ?claims?\b)|device class \S{1,253} does not exist"),
    ),
    (
        Why.RESOURCE,
        re.compile(
            r"Insufficient |didn't have enough resources: |Too many pods|free ports for the requested|cannot align (?:pod|container)"
        ),
    ),
    (
        Why.VOLUME,
        re.compile(
            r"volume node affinity conflict|PersistentVolume's node affinity|PersistentVolumeClaim|persistentvolumeclaim"
            r"|persistent volumes? to bind|max volume count|node\(s\) had no available (?:volume zone|disk)"
            r"|pvc\(s\) bound to|enough free storage|plugin \"VolumeBinding\"|(?i:CSI ?node \"|CSI driver)"
        ),
    ),
    # The node controller's own taints tell of a sick or cordoned node, not of a policy.
    (
        Why.HEALTH,
        re.compile(
            r"taints?(?:\(s\))? \{(?:node\.kubernetes\.io/|node\.cloudprovider\.kubernetes\.io/"
            # Nodes that an autoscaler takes away, or that have not finished to join.
            r"|ToBeDeletedByClusterAutoscaler|DeletionCandidateOfClusterAutoscaler|karpenter\.sh/(?:disrupt|unregistered)"
            r"|cloud\.google\.com/impending-node-termination|[\w.-]{1,60}/(?:agent|startup)-not-ready)"
            r"|were unschedulable|node\(s\) (?:were )?not ready|^no nodes available"
        ),
    ),
    # Nearly every cluster has such nodes, and no model is meant to run there.
    (
        Why.CONTROL,
        re.compile(
            r"taints?(?:\(s\))? \{(?:node-role\.kubernetes\.io/(?:control-plane|master|etcd)|CriticalAddonsOnly\b)"
        ),
    ),
    (Why.TAINT, re.compile(r"taint")),
    (
        Why.SELECTOR,
        re.compile(
            r"didn't match Pod's node affinity|didn't match node selector|didn't satisfy"
            r"|didn't match pod (?:anti-)?affinity|didn't match pod topology spread|scheduler-enforced node affinity"
        ),
    ),
)


def refusals(message: str, taints: str = "") -> Mapping[Why, Refusal]:
    """The reasons of a scheduler's message, empty for an empty one. Several of one sort are added up.

    `taints` says in the words of older schedulers which taints keep the pod off, for a message that does not.
    """
    told = _TAIL.sub("", _HEAD.sub("", message.strip())).strip(" .")
    found: dict[Why, Refusal] = {}
    parts = [one for part in _parts(told) for one in (_parts(taints) if taints and unnamed(part) else [part])]
    for part in parts:
        counted = _COUNTED.match(part)
        nodes, what = (int(counted["n"]), counted["what"]) if counted else (0, part)
        why = next((sort for sort, pattern in _SORTS if pattern.search(what)), Why.OTHER)
        before = found.get(why)
        words = what.strip(" .") if before is None else before.words
        found[why] = Refusal(nodes + (before.nodes if before else 0), words)
    return found


def unnamed(said: str) -> bool:
    """Does the scheduler speak of taints without naming them?"""
    return "untolerated taint(s)" in said and "taint(s) {" not in said


def _parts(told: str) -> list[str]:
    """The reasons, one by one; a comma inside braces belongs to a taint."""
    parts: list[str] = []
    depth = start = 0
    for at, char in enumerate(told):
        depth += (char == "{") - (char == "}" and depth > 0)
        if char in _NEXT and not depth and _NEXT[char].match(told, at + 1):
            parts.append(told[start:at].strip())
            start = at + 1
    parts.append(told[start:].strip())
    return [part for part in parts if part]
