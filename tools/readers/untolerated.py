"""Which taints keep a pod that waits for a node off the nodes there are, in the words in which schedulers told it until 1.34.

From then on the scheduler only says that there are taints, and a sick node, a cordoned one and one of another team look the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from tools.facts import Object, at, many, name_of
from tools.readers import Listed, Told
from tools.vocabulary.admission import UNTOLERATED

KINDS = ("pods", "nodes")
MOST = 12
_HARD = frozenset({"NoSchedule", "NoExecute"})
_Taint = tuple[str, str, str]


def read(listed: Listed) -> Iterator[Told]:
    """One fact of each pod that has no node yet; empty where it tolerates what the nodes bear."""
    if not {"pods", "nodes"} <= listed.items.keys():
        return
    # A cordoned node is refused before its taints are looked at, and of the others many bear the same.
    kinds = Counter(
        taints
        for item in listed.of("nodes")
        if name_of(item)[1] and at(item, "spec", "unschedulable") is not True and (taints := hard(item))
    )
    for pod in listed.of("pods"):
        if all(name_of(pod)) and at(pod, "status", "phase") == "Pending" and not at(pod, "spec", "nodeName"):
            yield Told("/".join(name_of(pod)), {UNTOLERATED: _said(kinds, many(pod, "spec", "tolerations"))}, "nodes")


def hard(node: Object) -> tuple[_Taint, ...]:
    """The taints of a node that keep pods off it: key, value, effect."""
    return tuple(
        (str(one.get("key") or ""), str(one.get("value") or ""), str(one.get("effect")))
        for one in many(node, "spec", "taints")
        if one.get("effect") in _HARD
    )


def _said(kinds: Mapping[tuple[_Taint, ...], int], tolerations: Sequence[Object]) -> str:
    """The first taint of each node that the pod does not tolerate, counted over the nodes."""
    found: Counter[tuple[str, str]] = Counter()
    for taints, nodes in kinds.items():
        first = next((taint for taint in taints if not any(tolerates(one, taint) for one in tolerations)), None)
        if first is not None:
            found[first[:2]] += nodes
    return ", ".join(
        f"{nodes} node(s) had untolerated taint {{{key[:100]}: {value[:60]}}}"
        for (key, value), nodes in found.most_common(MOST)
    )


def tolerates(toleration: Object, taint: _Taint) -> bool:
    """Whether a toleration of a pod covers a taint."""
    key, value, effect = taint
    if toleration.get("effect") not in {None, "", effect}:
        return False
    if toleration.get("operator") == "Exists":
        return toleration.get("key") in {None, "", key}
    return toleration.get("key") == key and str(toleration.get("value") or "") == value
