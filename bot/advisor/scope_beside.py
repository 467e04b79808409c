"""Who else a question means beside the workloads that it names: a part by its role, a neighbour, a newer or older sibling."""

from __future__ import annotations

import re
from collections.abc import Iterable

from tools.reading import Subject
from tools.topology import Topology

# What people call the stages of a pipeline, by the stem that their workloads mostly bear in a name.
_ROLES = ("embed", "rerank", "router", "gateway", "guard", "retriev", "moderat", "transcri", "classif", "tokeniz")
_NEIGHBOUR = re.compile(
    r"\b(?:(?:an)?other pods?|next to (?:it|them)|beside (?:it|them)|neighbou?r\w{0,3}|on the same (?:node|machine|host|box|card|gpu))\b",
    re.IGNORECASE,
)
_SIBLING = re.compile(
    r"\b(?:new(?:er|est)? (?:replica|version|revision|pod|release|deployment)s?|canary|which (?:one )?of (?:the|these) two|old and new)\b",
    re.IGNORECASE,
)
# A shorter part begins too many words.
SHORTEST_PART = 4


def beside(text: str, named: frozenset[Subject], topology: Topology) -> frozenset[Subject]:
    """The workloads that a question means beside those that it names, none where its words point to nobody else."""
    found: set[Subject] = {*_by_role(text, named, topology), *_in_full(text, named, topology)}
    if _NEIGHBOUR.search(text):
        nodes = {node for one in named for node in topology.nodes_of(one)}
        found |= {one for one in topology.workloads if one.namespace and nodes & set(topology.nodes_of(one))}
    if _SIBLING.search(text):
        stems = {(one.namespace, _stem(one.name)) for one in named}
        found |= {one for one in topology.workloads if (one.namespace, _stem(one.name)) in stems}
    return frozenset(found) - named


def _by_role(text: str, named: frozenset[Subject], topology: Topology) -> Iterable[Subject]:
    """Parts of a pipeline by what they do, in the namespaces of what is named, or anywhere where nothing is."""
    lowered = text.lower()
    roles = [role for role in _ROLES if re.search(rf"\b{role}", lowered)]
    spaces = {one.namespace for one in named}
    for role in roles:
        bears = [
            one for one in topology.workloads if role in one.name.lower() and (not spaces or one.namespace in spaces)
        ]
        # Whoever is named already is what the word meant.
        if not named & set(bears):
            yield from bears


def _in_full(text: str, named: frozenset[Subject], topology: Topology) -> Iterable[Subject]:
    """Names of several parts in the words that they are short for: `shop assistant` is shop-assist where that is beside what is named."""
    spaces = {one.namespace for one in named}
    lowered = text.lower()
    for one in topology.workloads:
        parts = [part for part in re.split(r"[-_.]", one.name.lower()) if part]
        if one.namespace not in spaces or len(parts) < 2 or min(map(len, parts)) < SHORTEST_PART:
            continue
        full = "[ -]".join(rf"{re.escape(part)}[a-z]{{0,6}}" for part in parts)
        if re.search(rf"\b{full}\b", lowered):
            yield one


def of_all(text: str, namespace: str) -> bool:
    """Whether a question is about a namespace as a whole: it says something of it, and not only that something lies in it."""
    name = re.escape(namespace.lower())
    in_it = "".join(rf"(?<!\b{word} )" for word in ("in", "of", "from", "on"))
    said = rf"{in_it}(?<![\w./-]){name}(?:'s)? (?:is|are|was|has|had|looks?|seems?|feels?|went|got|behaves?)\b"
    return re.search(said, text.lower()) is not None


_FLEET = re.compile(
    r"\b(?:which|who|whose|what|where|any(?:one|body|thing)?|all)\b[^.?!]{0,80}?\b(?:on|in|across|of|over) (?:our|the|this|my)"
    r" (?:(?:whole|entire|gpu|shared) )?(?:clusters?|fleet|gpu pool)\b",
    re.IGNORECASE,
)
_SUSPICION = re.compile(
    r"\b(?:i|we|they|he|she|some(?:body|one)?|people|everybody|everyone)(?:'d| would)? (?:\w+ )?(?:suspects?|bet|guess|blames?|points? at|have my eye on)\b[^.?!]*"
    r"|\bmy (?:bet|guess|suspicion|suspect|money)\b[^.?!]*"
    r"|\b(?:i|we|they) (?:have|had|'ve|'d) [^.?!,]{1,60} (?:under suspicion|in mind|as the suspect)[^.?!,]*",
    re.IGNORECASE,
)
_OR_WHO = re.compile(
    r"\bor (?:who|which one)(?: else)? (?:is|are|was|does|has|holds|sits|takes)\b|\bor (?:is it )?some(?:body|one) else\b",
    re.IGNORECASE,
)


def of_the_fleet(text: str) -> bool:
    """Whether a question is about everybody on a cluster: which of those on it, who in it."""
    return _FLEET.search(text) is not None


def asks_who(text: str) -> bool:
    """Whether who is named is only one of those that it may be."""
    return _OR_WHO.search(text) is not None


def without_suspicions(text: str) -> str:
    """The same without what somebody only suspects."""
    return _SUSPICION.sub(" ", text)


def _stem(name: str) -> str:
    return re.split(r"[-_.]", name, maxsplit=1)[0]
