"""How many GPUs are free, on one node, where a pod may run: its selector, its required affinity and the taints it tolerates leave some out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from tools.facts import Object, at, cordoned_by_node, free_gpus, gpus_requested, many, name_of, within
from tools.readers import Listed, Told, Value
from tools.readers.services import holds
from tools.readers.untolerated import hard, tolerates
from tools.signals import Signal
from tools.vocabulary.admission import ROOM, ROOM_CORDONED

KINDS = ("pods", "nodes")
# What Kubernetes itself says of a node: that it is cordoned, or lacks disk, memory or processes. Such a taint goes when that does.
_CORDON = "node.kubernetes.io/unschedulable"
_STATE = "node.kubernetes.io/"
_REQUIRED = ("spec", "affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution")


def read(listed: Listed) -> Iterator[Told]:
    """Two facts of each pod that asks for GPUs: room on nodes that take pods, and on those that are cordoned or lack something. Pods that place
    themselves alike are looked at once."""
    if not {"pods", "nodes"} <= listed.items.keys():
        return
    nodes = {name_of(item)[1]: item for item in listed.of("nodes") if name_of(item)[1]}
    free = {name: unused for name, (unused, _) in free_gpus(listed.of("nodes"), listed.of("pods")).items()}
    sick = {name for name, item in nodes.items() if any(key.startswith(_STATE) for key, _, _ in hard(item))}
    kept = {name: gpus for name, gpus in free.items() if name in sick}
    kept.update(cordoned_by_node(listed.of("nodes"), listed.of("pods")))
    known: dict[str, dict[Signal, Value]] = {}
    for pod in listed.of("pods"):
        if not all(name_of(pod)) or not gpus_requested(pod):
            continue
        alike = str([at(pod, "spec", "nodeSelector"), at(pod, *_REQUIRED), at(pod, "spec", "tolerations")])
        if alike not in known:
            known[alike] = {
                signal: max(
                    (gpus for name, gpus in rooms.items() if gpus and _may_run(pod, nodes.get(name, {}), aside)),
                    default=0.0,
                )
                for signal, rooms, aside in ((ROOM, free, _CORDON), (ROOM_CORDONED, kept, _STATE))
            }
        yield Told("/".join(name_of(pod)), known[alike], "nodes")


def _may_run(pod: Object, node: Object, aside: str) -> bool:
    """Whether a node takes the pod, but for taints whose keys begin so."""
    labels = within(node, "metadata", "labels")
    if any(labels.get(str(key)) != value for key, value in within(pod, "spec", "nodeSelector").items()):
        return False
    terms = many(pod, *_REQUIRED, "nodeSelectorTerms")
    if terms and not any(_meets(term, node, labels) for term in terms):
        return False
    allowed = many(pod, "spec", "tolerations")
    return all(any(tolerates(one, taint) for one in allowed) for taint in hard(node) if not taint[0].startswith(aside))


def _meets(term: Object, node: Object, labels: Mapping[str, object]) -> bool:
    """Whether a node meets one of the terms, of which any is enough; a term of nothing holds for none."""
    rules, fields = many(term, "matchExpressions"), many(term, "matchFields")
    named = {"metadata.name": name_of(node)[1]}
    met = all(holds(one, labels) for one in rules) and all(holds(one, named) for one in fields)
    return bool(rules or fields) and met
