"""Where a question looks: names of workloads, models, nodes and namespaces found in its words, with tolerance for typos."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

from rapidfuzz import fuzz, process

from bot.advisor.question import Allowed, Question, Scope
from bot.advisor.scope_beside import asks_who, beside, of_all, of_the_fleet, without_suspicions
from tools.reading import Subject
from tools.topology import Topology

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/:-]*[A-Za-z0-9]|[A-Za-z0-9]")
_NAMESPACE = re.compile(r"(?<!a )(?<!each )(?<!per )\b(?:namespace|ns)[ :=]+[`'\"]?([a-z0-9][a-z0-9-]*)", re.IGNORECASE)
_OF_A_NAMESPACE = re.compile(r"\b([a-z0-9][a-z0-9-]*)[`'\"]? namespace\b", re.IGNORECASE)
_IN_A_NAMESPACE = re.compile(
    r"\b(?:in|of|on|for|inside|within|from) (?:the |our |my )?[`'\"]?([a-z0-9][a-z0-9-]*)[`'\"]? namespace\b",
    re.IGNORECASE,
)
# What follows or precedes the word `namespace` without being the name of one.
_NO_NAMESPACE = re.compile(
    r"a|an|the|our|my|your|their|this|that|these|those|which|what|each|every|any|some|no|one|same|other|another|"
    r"own|single|separate|different|dedicated|new|whole|wrong|right|given|kubernetes|k8s|is|are|was|were|be|has|"
    r"have|had|do|does|did|can|could|should|would|will|may|must|need|needs|and|or|but|if|so|not|in|on|of|for|to|"
    r"from|with|without|by|at|as|per|since|about|today|now|currently|again|tonight|yesterday|lately|please|slow|"
    r"down|broken|stuck|quota|quotas|resourcequota|limit|limits|limitrange|isolation|level|scope|scoped|label|"
    r"labels|selector|selectors|name|names|budget|budgets|allowance|cap|caps|ceiling|share|boundary|boundaries|wide|ok|okay|fine|well|healthy|fail|fails|failing|"
    r"whose|whom|while|because|after|before|until|during|between|under|over|here|both|only|already|still"
)
# "In that namespace": one that was spoken of before, whatever word comes next.
_SPOKEN_OF = re.compile(
    r"\b(?:this|that|the same|the whole|the entire|which|what|another|any|every|[a-z]+'s|[a-z]+s')\s+$", re.IGNORECASE
)
# What KServe, Knative, KubeRay and charts of engines append to the name that somebody gave.
_APPENDED = re.compile(
    r"(?:-(?:predictor|transformer|explainer)(?:-default)?)?(?:-\d{5}-deployment)?$"
    r"|-raycluster-[a-z0-9]{5}$|-(?:prefill|decode|epp|deployment-vllm)$"
)
CLOSE = 86.0
NEAR = 60.0
SHORTEST_FUZZY = 5
SHORTEST_GIVEN = 3
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


def permitted(question: Question, text: str) -> tuple[Question, str]:
    """The question within what its place may see, and a sentence instead where it asks for more; before anything is read.

    A question that names no cluster is put to the first that may be seen.
    """
    allowed = question.allowed
    if allowed is None or allowed.everything:
        return question, ""
    clusters, namespaces = allowed.clusters, allowed.namespaces
    if clusters is not None and (not clusters or question.cluster not in {None, *clusters}):
        return question, _not_seen(allowed)
    if clusters and question.cluster is None:
        question = replace(question, cluster=clusters[0])
    if namespaces is None:
        return question, ""
    if not namespaces or question.namespace not in {None, *namespaces}:
        return question, _not_seen(allowed)
    for said in _namespaces_said(text):
        wanted = said[1].lower()
        if wanted not in namespaces and not _NO_NAMESPACE.fullmatch(wanted) and _closest(wanted, namespaces) is None:
            return question, _not_seen(allowed)
    words = {word.lower() for word in _words(text)} - _PLAIN
    if set(allowed.others) & (words | {word.partition("/")[0] for word in words}):
        return question, _not_seen(allowed)
    return question, ""


def _not_seen(allowed: Allowed) -> str:
    return f"I cannot tell you that here: {allowed.said} may see {allowed.told} only."


def _only(question: Question) -> str | None:
    """The namespace, where a single one may be seen."""
    namespaces = (question.allowed.namespaces if question.allowed else None) or ()
    return namespaces[0] if len(namespaces) == 1 else None


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
    unknown = ""
    known = without_suspicions(text)
    named_beside = known != text and bool(_in_those_named(known, topology) or _nodes_named(known, topology))
    sure = known if named_beside else text
    for said in _namespaces_said(sure) if namespaces else ():
        wanted = said[1].lower()
        close = wanted if wanted in namespaces else _closest(wanted, namespaces)
        if close is not None:
            rest = sure[: said.start()] + sure[said.end() :]
            inside = _workloads(rest, topology, close)
            # A namespace from which somebody reaches what lies in another: that one is asked about.
            spoken_of = {word.lower() for word in _words(rest)}
            others = (
                {one for one in _workloads(rest, topology, None) if one.namespace in spoken_of} if not inside else set()
            )
            return _found(question, frozenset(others), None) if others else _found(question, inside, close)
        if _names_one(said, sure) and said.re is not _OF_A_NAMESPACE:
            unknown = unknown or wanted
    if unknown and not _meant_otherwise(unknown, text, topology):
        return Found(Scope(question.cluster, unknown, None), True, _no("namespace", unknown, namespaces))
    words = {word.lower() for word in _words(text)}
    hits = _workloads(text, topology, None)
    suspected = bool(hits) and not _workloads(known, topology, None)
    if (suspected and of_the_fleet(text)) or (hits and asks_who(text)):
        # Who asks about all of them and suspects one is not to be answered about that one alone.
        return Found(Scope(question.cluster, _only(question)), True)
    hits |= beside(text, hits, topology) | (_in_those_named(known, topology) if suspected else frozenset())
    nodes = _nodes_named(text, topology)
    if hits and nodes:
        # Somebody who names a machine beside a workload asks about both.
        return Found(Scope(question.cluster), True, several=hits | nodes)
    spaces = {one.namespace for one in hits}
    parts = {part for one in hits for part in re.split(r"[-_.]", one.name.lower())}
    if len(spaces) == 1 and not spaces & parts and all(of_all(text, space) for space in spaces):
        return Found(Scope(question.cluster, spaces.pop(), None), True)
    if hits:
        return _found(question, hits, None)
    named = [namespace for namespace in namespaces if namespace in words and namespace not in _PLAIN]
    if nodes and named:
        # A machine, and a namespace or what is called like it: both.
        those = {one for one in topology.workloads if one.namespace in named}
        return Found(Scope(question.cluster), True, several=frozenset(nodes | those))
    if len(named) == 1:
        return Found(Scope(question.cluster, named[0], None), True)
    if any(node.lower() in words for node in topology.nodes):
        return Found(Scope(question.cluster), True)
    return Found(Scope(question.cluster, _only(question)), False)


def _namespaces_said(text: str) -> Iterable[re.Match[str]]:
    for pattern in (_NAMESPACE, _IN_A_NAMESPACE, _OF_A_NAMESPACE):
        yield from pattern.finditer(text)


def _names_one(said: re.Match[str], text: str) -> bool:
    """Whether the word beside `namespace` is meant as a name, of which nothing needs to be known."""
    word = said[1].lower()
    plain = (
        not re.search(r"[-\d]", word)
        and said.re is _NAMESPACE
        and _SPOKEN_OF.search(text, max(0, said.start() - 24), said.start()) is not None
    )
    return not (plain or _NO_NAMESPACE.fullmatch(word))


def _meant_otherwise(word: str, text: str, topology: Topology) -> bool:
    """Whether the word beside `namespace` names a workload, or says what the namespace does where another is named."""
    if _spoken(topology, None).get(word):
        return True
    does = rf"\b(?:do|does|did|will|would|can|could|should|might|must) (?:the|our|my|your|their) namespace {re.escape(word)}\b"
    if not word.isalpha() or re.search(does, text, re.IGNORECASE) is None:
        return False
    return bool(_in_those_named(text, topology) or _workloads(text, topology, None))


def _found(question: Question, hits: frozenset[Subject], namespace: str | None) -> Found:
    if len(hits) == 1:
        only = next(iter(hits))
        return Found(Scope(question.cluster, only.namespace, only.name), True)
    spaces = {subject.namespace for subject in hits}
    shared = namespace or (next(iter(spaces)) if len(spaces) == 1 else None)
    return Found(Scope(question.cluster, shared, None), True, several=hits)


def _spoken(topology: Topology, namespace: str | None) -> dict[str, frozenset[Subject]]:
    """Every way to name workloads: by themselves, with their namespace, by a pod, by the model that they serve, by what they were made from.

    One name may mean several: the same name in two namespaces.
    """
    known = {s for s in topology.workloads if namespace in {None, s.namespace}}
    spoken: dict[str, set[Subject]] = defaultdict(set)
    for subject in known:
        spoken[subject.name.lower()].add(subject)
        spoken[f"{subject.namespace}/{subject.name}".lower()].add(subject)
    others: dict[str, set[Subject]] = defaultdict(set)
    for model, subject in topology.models.items():
        for name in {model, model.rsplit("/", 1)[-1]} if subject in known else ():
            others[name.lower()].add(subject)
    for subject in known:
        given = _APPENDED.sub("", subject.name.lower(), count=1)
        if len(given) >= SHORTEST_GIVEN:
            others[given].add(subject)
    for pod in topology.pods.values():
        if pod.workload in known:
            others[pod.name.lower()].add(pod.workload)
    return {name: frozenset(subjects) for name, subjects in {**others, **spoken}.items()}


def _workloads(text: str, topology: Topology, namespace: str | None) -> frozenset[Subject]:
    spoken = _spoken(topology, namespace)
    words = [word.lower() for word in _words(text)]
    grams = [(start, end) for end in range(1, len(words) + 1) for start in range(max(0, end - 3), end)]
    said = {span: "-".join(words[slice(*span)]) for span in grams}
    candidates = sorted((span for span in grams if said[span] not in _PLAIN), key=lambda span: -len(said[span]))
    exact: set[Subject] = set()
    taken: set[int] = set()
    for span in candidates:
        # The longest name wins: `chat` inside `llama 70b chat` names nothing of its own.
        if said[span] in spoken and not taken & set(range(*span)):
            exact |= spoken[said[span]]
            taken |= set(range(*span))
    if exact:
        return frozenset(exact)
    for span in candidates:
        if len(said[span]) >= SHORTEST_FUZZY:
            close = _closest(said[span], spoken)
            if close is not None:
                return spoken[close]
    return frozenset()


def _nodes_named(text: str, topology: Topology) -> frozenset[Subject]:
    words = {word.lower() for word in _words(text)}
    return frozenset(Subject("node", "", node) for node in topology.nodes if node.lower() in words)


def _in_those_named(text: str, topology: Topology) -> frozenset[Subject]:
    """The workloads of the namespaces that a text names."""
    spaces = {word.lower() for word in _words(text)} - _PLAIN
    return frozenset(one for one in topology.workloads if one.namespace in spaces)


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
