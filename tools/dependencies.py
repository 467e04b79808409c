"""What engines need besides GPUs (a store of leases, an endpoint picker, a router), where that is in trouble.

Somebody needs a workload that its command line, its environment or an error in its log names as a host, resolved over the
Services. A router made for inference stands before the engines of its namespace. Only workloads without GPUs of which a replica
is not ready are looked at, so that a healthy fleet costs nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from itertools import pairwise

from tools.facts import Object, many, name_of, within
from tools.readers import Listed
from tools.reading import Subject

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
_HOST = re.compile(
    r"(?:://|host='|@|=|^|[\s,;])((?:[a-z0-9][a-z0-9-]{0,62}\.){0,6}[a-z0-9][a-z0-9-]{0,62})(?=:\d{2,5}|/|'|,|\s|$)"
)


def supports(listed: Listed, unreachable: Mapping[str, object]) -> dict[Subject, frozenset[Subject]]:
    """The troubled workloads without GPUs, each with the workloads that need it.

    `unreachable` holds, by `namespace/pod`, the line of a log that names what could not be reached.
    """
    troubled = [subject for subject in listed.by_workload if _in_trouble(subject, listed)]
    if not troubled:
        return {}
    hosts = {subject: _hosts(subject, listed) for subject in troubled}
    found: dict[Subject, set[Subject]] = defaultdict(set)
    for user, pods in listed.by_workload.items():
        named: frozenset[tuple[str, str]] | None = None
        for subject in troubled:
            if user == subject:
                continue
            if _routes(subject, listed) and user.namespace == subject.namespace and _gpus(user, listed):
                found[subject].add(user)
            elif hosts[subject]:
                named = _named(user, pods, unreachable) if named is None else named
                if named & hosts[subject]:
                    found[subject].add(user)
    # Of two that need each other neither is the cause of the other.
    return {
        subject: frozenset(user for user in users if subject not in found.get(user, ()))
        for subject, users in found.items()
    }


def _pods(subject: Subject, listed: Listed) -> Iterator[str]:
    for item in listed.by_workload.get(subject, ()):
        yield "/".join(name_of(item))


def _gpus(subject: Subject, listed: Listed) -> bool:
    return any(listed.pods[key].gpus for key in _pods(subject, listed))


def _in_trouble(subject: Subject, listed: Listed) -> bool:
    pods = [listed.pods[key] for key in _pods(subject, listed)]
    if subject.kind in {"daemonset", "job", "cronjob"} or any(pod.gpus for pod in pods):
        return False
    return any(pod.ready is False and pod.phase != "Succeeded" for pod in pods)


def _routes(subject: Subject, listed: Listed) -> bool:
    return any(_ROUTES.search(listed.pods[key].image) for key in _pods(subject, listed))


def _hosts(subject: Subject, listed: Listed) -> frozenset[tuple[str, str]]:
    """The Services that select its pods, as namespace and name."""
    labels = [within(item, "metadata", "labels") for item in listed.by_workload[subject]]
    found = set()
    for service in listed.of("services"):
        namespace, name = name_of(service)
        selector = within(service, "spec", "selector")
        if namespace != subject.namespace or not selector:
            continue
        if any(all(of.get(key) == value for key, value in selector.items()) for of in labels):
            found.add((namespace, name))
    if subject.kind == "statefulset":
        # Its pods are named under the Service that governs it, which need not select anything.
        found.add((subject.namespace, subject.name))
    return frozenset(found)


def _named(user: Subject, pods: tuple[Object, ...], unreachable: Mapping[str, object]) -> frozenset[tuple[str, str]]:
    """What a workload names as hosts: each label of a host may be a Service of its namespace, or of the one that follows it."""
    texts = [str(unreachable.get("/".join(name_of(item))) or "") for item in pods]
    texts += [
        text for item in pods[:1] for container in many(item, "spec", "containers") for text in _settings(container)
    ]
    found: set[tuple[str, str]] = set()
    for text in texts:
        for match in _HOST.finditer(text[:LONGEST_TEXT].lower()):
            labels = match[1].split(".")
            found |= {(user.namespace, label) for label in labels[:2]}
            found |= {(space, label) for label, space in pairwise(labels[:3])}
    return frozenset(found)


def _settings(container: Object) -> Iterator[str]:
    for key in ("command", "args"):
        values = container.get(key)
        yield from (str(one) for one in values if isinstance(one, str)) if isinstance(values, list) else ()
    for variable in many(container, "env"):
        value = variable.get("value")
        if isinstance(value, str) and not _WATCHES.search(str(variable.get("name") or "")):
            yield value
