"""Where a question looks: names of workloads, models, nodes and namespaces found in its words, with tolerance for typos."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from itertools import pairwise

from rapidfuzz import fuzz, process

from bot.advisor.question import Question, Scope
from tools.reading import Subject
from tools.topology import Topology

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]*[A-Za-z0-9]|[A-Za-z0-9]")
_NAMESPACE = re.compile(
    r"\b(?:namespace|ns)[ :=]+[`'\"]?([a-z0-9][a-z0-9-]*)|\b([a-z0-9][a-z0-9-]*)[`'\"]? namespace\b", re.IGNORECASE
)
CLOSE = 86.0
NEAR = 60.0
SHORTEST_FUZZY = 5
# Words of the trade and of the language that are no names, even where something bears them.
_PLAIN = frozenset(
    [
        "why",
        "what",
        "which",
        "when",
        "where",
        "is",
        "are",
        "the",
        "our",
        "my",
        "all",
        "any",
        "pod",
        "pods",
        "node",
        "nodes",
        "gpu",
        "gpus",
        "namespace",
        "workload",
        "workloads",
        "model",
        "models",
        "service",
        "services",
        "cluster",
        "default",
        "this",
        "that",
        "with",
        "from",
        "slow",
        "down",
        "queue",
        "cache",
        "replica",
        "replicas",
        "deployment",
        "memory",
    ]
)


@dataclass(frozen=True, slots=True)
class Found:
    """The scope of a question.

    `missing` says, in a sentence, what was named and does not exist; `several` are the workloads where more than one was named.
    """

    scope: Scope
    named: bool
    missing: str = ""
    several: frozenset[Subject] = frozenset()


def find(question: Question, text: str, topology: Topology) -> Found:
    """Settle the scope from what was given and what the words name; given scopes win over words."""
    namespaces = sorted({subject.namespace for subject in topology.workloads if subject.namespace})
    workloads = sorted(topology.workloads)
    namespace, workload = question.namespace, question.workload
    if namespace is not None and namespaces and namespace not in namespaces:
        return Found(Scope(question.cluster, namespace, workload), True, _no("namespace", namespace, namespaces))
    inside = [subject for subject in workloads if namespace in {None, subject.namespace}]
    if workload is not None and inside and workload not in {subject.name for subject in inside}:
        names = [subject.name for subject in inside]
        return Found(Scope(question.cluster, namespace, workload), True, _no("workload", workload, names))
    if namespace is not None or workload is not None:
        return Found(Scope(question.cluster, namespace, workload), True)
    return _from_words(question, text, topology, namespaces)


def _from_words(question: Question, text: str, topology: Topology, namespaces: Collection[str]) -> Found:
    said = _NAMESPACE.search(text)
    if said and namespaces:
        wanted = (said[1] or said[2]).lower()
        close = wanted if wanted in namespaces else _closest(wanted, namespaces)
        if close is None and said[1]:
            return Found(Scope(question.cluster, wanted, None), True, _no("namespace", wanted, namespaces))
        if close is not None:
            rest = text[: said.start()] + text[said.end() :]
            return _found(question, _workloads(rest, topology, close), close)
    hits = _workloads(text, topology, None)
    if hits:
        return _found(question, hits, None)
    words = {word.lower() for word in _words(text)}
    named = [namespace for namespace in namespaces if namespace in words and namespace not in _PLAIN]
    if len(named) == 1:
        return Found(Scope(question.cluster, named[0], None), True)
    if any(node.lower() in words for node in topology.nodes):
        return Found(Scope(question.cluster), True)
    return Found(Scope(question.cluster), False)


def _found(question: Question, hits: frozenset[Subject], namespace: str | None) -> Found:
    if len(hits) == 1:
        only = next(iter(hits))
        return Found(Scope(question.cluster, only.namespace, only.name), True)
    spaces = {subject.namespace for subject in hits}
    shared = namespace or (next(iter(spaces)) if len(spaces) == 1 else None)
    return Found(Scope(question.cluster, shared, None), True, several=hits)


def _spoken(topology: Topology, namespace: str | None) -> dict[str, Subject]:
    """Every way to name a workload: by itself, with its namespace, by a pod of it, by the model that it serves."""
    known = [s for s in topology.workloads if namespace in {None, s.namespace}]
    spoken: dict[str, Subject] = {}
    for model, subject in topology.models.items():
        if subject in known:
            for name in (model, model.rsplit("/", 1)[-1]):
                spoken.setdefault(name.lower(), subject)
    for subject in known:
        spoken[subject.name.lower()] = subject
        spoken[f"{subject.namespace}/{subject.name}".lower()] = subject
    for pod in topology.pods.values():
        if pod.workload in known:
            spoken.setdefault(pod.name.lower(), pod.workload)
    return spoken


def _workloads(text: str, topology: Topology, namespace: str | None) -> frozenset[Subject]:
    spoken = _spoken(topology, namespace)
    words = _words(text)
    grams = [*words, *(f"{a}-{b}" for a, b in pairwise(words)), *_triples(words)]
    candidates = [gram.lower() for gram in sorted(grams, key=len, reverse=True) if gram.lower() not in _PLAIN]
    exact: dict[str, Subject] = {}
    for gram in candidates:
        # The longest name wins: `chat` inside `llama-70b-chat` names nothing of its own.
        if gram in spoken and not any(gram in longer for longer in exact):
            exact[gram] = spoken[gram]
    if exact:
        return frozenset(exact.values())
    for gram in candidates:
        if len(gram) >= SHORTEST_FUZZY:
            close = _closest(gram, spoken)
            if close is not None:
                return frozenset({spoken[close]})
    return frozenset()


def _triples(words: list[str]) -> Iterable[str]:
    return (f"{a}-{b}-{c}" for a, b, c in zip(words, words[1:], words[2:], strict=False))


def _words(text: str) -> list[str]:
    return _WORD.findall(text)[:400]


def _closest(word: str, names: Iterable[str]) -> str | None:
    pool = [name for name in names if len(name) >= SHORTEST_FUZZY and abs(len(name) - len(word)) <= 3]
    best = process.extractOne(word, pool, scorer=fuzz.ratio, score_cutoff=CLOSE)
    return str(best[0]) if best else None


def _no(kind: str, name: str, known: Iterable[str]) -> str:
    near = [
        str(one[0]) for one in process.extract(name, sorted(set(known)), scorer=fuzz.WRatio, limit=3, score_cutoff=NEAR)
    ]
    some = near or sorted(set(known))[:5]
    said = "near names" if near else "there are"
    return f"There is no {kind} {name} here; {said}: {', '.join(some)}." if some else f"There is no {kind} {name} here."
