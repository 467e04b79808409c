"""What engines need besides GPUs (a store of leases, an endpoint picker, a router), and who needs engines, where that is in trouble.

Somebody needs a workload that its command line, its environment or an error in its log names as a host, resolved over the
Services. A router made for inference stands before the engines of its namespace, and may end itself over one that it cannot reach. Only
workloads of which a replica is not ready, or not there, are looked at, so that a healthy fleet costs nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise

from tools.facts import Object, at, many, name_of, within
from tools.readers import Listed
from tools.reading import Subject
from tools.topology import Pod

LONGEST_TEXT = 20_000
# Without these an engine serves on: what only watches it is nothing that it needs.
_WATCHES = re.compile(
    r"OTEL|TRAC(?:E|ING)|TELEMETRY|METRIC|PROMETHEUS|SENTRY|LANGFUSE|LOG_|LOGGING|STATSD", re.IGNORECASE
)
_ROUTES = re.compile(
    r"(?:^|/)(?:epp|llm-d-inference-scheduler|llm-d-router[\w-]*|lmstack-router|vllm-router|sglang-router|sgl-router|smg"
    r"|litellm[\w-]*)(?::|@|$)",
    re.IGNORECASE,
)
# Whoever names a host needs the cluster's own name server.
_RESOLVES = re.compile(r"(?:^|/)(?:[\w-]{0,40}coredns|k8s-dns-kube-dns)(?::|@|$)", re.IGNORECASE)
_HOST = re.compile(
    r"(?:://|host='|@|=|^|[\s,;])((?:[a-z0-9][a-z0-9-]{0,62}\.){0,6}[a-z0-9][a-z0-9-]{0,62})(?=:\d{2,5}|/|'|,|\s|$)"
)


@dataclass(frozen=True)
class _Troubled:
    """A workload of which a replica is not ready, or is not even there: its pods' labels and images, and whether it holds GPUs."""

    subject: Subject
    labels: tuple[Object, ...]
    images: tuple[str, ...]
    gpus: bool = False


def supports(
    listed: Listed, unreachable: Mapping[str, object], unresolved: Mapping[str, object] | None = None
) -> dict[Subject, frozenset[Subject]]:
    """The troubled workloads, each with the workloads that need it. Who holds GPUs is needed only by who holds none.

    `unreachable` holds, by `namespace/pod`, the line of a log that names what could not be reached, `unresolved` the one on a name that
    was not resolved, which the cluster's DNS answers for.
    """
    troubled = [*_unready(listed), *_without_pods(listed)]
    if not troubled:
        return {}
    hosts = {one.subject: _hosts(one, listed) for one in troubled}
    engines = {one.subject for one in troubled if one.gpus}
    resolving = {one.subject for one in troubled if any(_RESOLVES.search(image) for image in one.images)}
    routing = {one.subject for one in troubled if any(_ROUTES.search(image) for image in one.images)}
    found: dict[Subject, set[Subject]] = defaultdict(set)
    for user, pods in listed.by_workload.items():
        named: frozenset[tuple[str, str]] | None = None
        for subject, names in hosts.items():
            if user == subject or (subject in engines and _gpus(user, listed)):
                continue
            routed = subject in routing and user.namespace == subject.namespace and _gpus(user, listed)
            if routed or (subject in resolving and _said(pods, unresolved or {})):
                found[subject].add(user)
            elif names:
                named = _named(user, pods, unreachable) if named is None else named
                if named & names:
                    found[subject].add(user)
    # Of two that need each other neither is the cause of the other; but no engine is in trouble for a router, as routers are for engines.
    return {
        subject: frozenset(user for user in users if subject in engines or subject not in found.get(user, ()))
        for subject, users in found.items()
    }


def _said(pods: tuple[Object, ...], lines: Mapping[str, object]) -> bool:
    return any(lines.get("/".join(name_of(item))) for item in pods)


def _pods(subject: Subject, listed: Listed) -> list[Pod]:
    return [listed.pods["/".join(name_of(item))] for item in listed.by_workload.get(subject, ())]


def _gpus(subject: Subject, listed: Listed) -> bool:
    return any(pod.gpus for pod in _pods(subject, listed))


def _unready(listed: Listed) -> Iterator[_Troubled]:
    for subject, items in listed.by_workload.items():
        pods = _pods(subject, listed)
        if subject.kind in {"daemonset", "job", "cronjob"}:
            continue
        if any(pod.phase != "Succeeded" and (pod.ready is False or pod.phase == "Pending") for pod in pods):
            labels = tuple(within(item, "metadata", "labels") for item in items)
            yield _Troubled(subject, labels, tuple(pod.image for pod in pods), any(pod.gpus for pod in pods))


def _without_pods(listed: Listed) -> Iterator[_Troubled]:
    """What is wanted and has no pod at all: a quota or the API refuses it."""
    for kind in ("deployments", "statefulsets"):
        for item in listed.of(kind):
            subject = Subject(kind.removesuffix("s"), *name_of(item))
            wanted = at(item, "spec", "replicas")
            if subject in listed.by_workload or not isinstance(wanted, int) or wanted < 1:
                continue
            containers = many(item, "spec", "template", "spec", "containers")
            gpus = any("gpu" in str(key) for one in containers for key in within(one, "resources", "limits"))
            labels = within(item, "spec", "template", "metadata", "labels")
            yield _Troubled(subject, (labels,), tuple(str(one.get("image") or "") for one in containers), gpus)


def _hosts(troubled: _Troubled, listed: Listed) -> frozenset[tuple[str, str]]:
    """The Services that select its pods, as namespace and name."""
    subject = troubled.subject
    found = set()
    for service in listed.of("services"):
        namespace, name = name_of(service)
        selector = within(service, "spec", "selector")
        if namespace != subject.namespace or not selector:
            continue
        if any(all(of.get(key) == value for key, value in selector.items()) for of in troubled.labels):
            found.add((namespace, name))
    if subject.kind == "statefulset":
        # Its pods are named under the Service that governs it, which need not select anything.
        found.add((subject.namespace, subject.name))
    return frozenset(found)


def _named(user: Subject, pods: tuple[Object, ...], unreachable: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    """What a workload names as hosts: each label of a host may be a Service of its namespace, or of the one that follows it."""
    texts = [str(unreachable.get("/".join(name_of(item))) or "") for item in pods]
    texts += [
        text for item in pods[:1] for container in many(item, "spec", "containers") for text in settings(container)
    ]
    found: set[tuple[str, str]] = set()
    for text in texts:
        for match in _HOST.finditer(text[:LONGEST_TEXT].lower()):
            labels = match[1].split(".")
            found |= {(user.namespace, label) for label in labels[:2]}
            found |= {(space, label) for label, space in pairwise(labels[:3])}
    return frozenset(found)


def settings(container: Object) -> Iterator[str]:
    """What a container is told: its command line, and its environment but for what only watches it."""
    for key in ("command", "args"):
        values = container.get(key)
        yield from (str(one) for one in values if isinstance(one, str)) if isinstance(values, list) else ()
    for variable in many(container, "env"):
        value = variable.get("value")
        if isinstance(value, str) and not _WATCHES.search(str(variable.get("name") or "")):
            yield value
