"""Where an address leads: from names of Services, addresses of pods, routes of gateways and names of a proxy's clusters to workloads.

All of it is worked out only when somebody asks: a diagnosis that finds its cause where it was asked to look needs none of it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from tools.dependencies import LONGEST_TEXT, settings
from tools.facts import Object, at, many, name_of, within
from tools.readers import Listed
from tools.readers.routes import HTTP
from tools.reading import Subject
from tools.topology import Topology

Workloads = frozenset[Subject]
NOBODY: Workloads = frozenset()
_NAME = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = rf"{_NAME}(?:\.{_NAME}){{0,6}}"
# A host behind a scheme, before a port, or that ends as Services do. A bare word may be the name of a model.
_ADDRESS = re.compile(
    rf"://(?:[^\s/@'\"]{{1,200}}@)?({_HOST})(?![\w.-])"
    rf"|(?<![\w./:@-])({_HOST}):\d{{2,5}}(?![\d\w])"
    rf"|(?<![\w./:@-])({_NAME}(?:\.{_NAME}){{1,2}}\.svc(?:\.{_NAME}){{0,4}})(?![\w-])"
)
# The pods that a controller makes for a Gateway say for which: by the label of the API, and by Envoy Gateway's own.
_OF_GATEWAY = (
    ("gateway.networking.k8s.io/gateway-name", ""),
    ("gateway.envoyproxy.io/owning-gateway-name", "gateway.envoyproxy.io/owning-gateway-namespace"),
)
_INGRESS = re.compile(
    r"(?:^|/)(?:[\w-]{0,30}ingress[\w/-]{0,40}|traefik|contour|kong[\w-]{0,20})(?::|@|$)", re.IGNORECASE
)
_CLASS = re.compile(r"--(?:ingress|controller)-class(?:=|\s)(?:k8s\.io/)?([\w.-]{1,60})")
# Clusters that a proxy has for itself.
_OWN_CLUSTERS = frozenset(
    {"inbound", "agent", "sds-grpc", "xds-grpc", "zipkin", "prometheus_stats", "blackholecluster"}
)


@dataclass(frozen=True)
class Addressing:
    """The addresses of a cluster: of its objects where the API listed them, else of the names that its workloads bear."""

    listed: Listed
    topology: Topology | None = None

    @classmethod
    def by_names(cls, topology: Topology) -> Addressing:
        """Where no object could be listed: a Service mostly bears the name of its workload."""
        return cls(Listed(0.0, {}), topology)

    @cached_property
    def services(self) -> Mapping[tuple[str, str], Workloads]:
        """Each Service, by namespace and name, with the workloads that it selects."""
        if self.topology is not None:
            named: dict[tuple[str, str], set[Subject]] = defaultdict(set)
            for one in self.topology.workloads:
                named[one.namespace, one.name].add(one)
            return {key: frozenset(found) for key, found in named.items()}
        here: dict[str, list[tuple[Subject, Mapping[str, object]]]] = defaultdict(list)
        for subject, labels in self._labels():
            here[subject.namespace].append((subject, labels))
        found: dict[tuple[str, str], Workloads] = {}
        for service in self.listed.of("services"):
            namespace, name = name_of(service)
            selector = within(service, "spec", "selector")
            chosen = (
                one
                for one, labels in here[namespace]
                if all(labels.get(key) == value for key, value in selector.items())
            )
            found[namespace, name] = frozenset(chosen) if selector else NOBODY
        return found

    def _labels(self) -> Iterator[tuple[Subject, Mapping[str, object]]]:
        """Every workload with the labels of its pods, or of those that it would make."""
        for subject, items in self.listed.by_workload.items():
            yield subject, within(items[0], "metadata", "labels")
        for kind in ("deployments", "statefulsets"):
            for item in self.listed.of(kind):
                subject = Subject(kind.removesuffix("s"), *name_of(item))
                if subject not in self.listed.by_workload:
                    yield subject, within(item, "spec", "template", "metadata", "labels")

    @cached_property
    def _spaces(self) -> Mapping[str, tuple[str, ...]]:
        """The namespaces in which there is a Service of a name."""
        found: dict[str, list[str]] = defaultdict(list)
        for namespace, name in self.services:
            found[name].append(namespace)
        return {name: tuple(spaces) for name, spaces in found.items()}

    @cached_property
    def _numbers(self) -> Mapping[str, Workloads]:
        """Each address of a pod or a Service."""
        found: dict[str, Workloads] = {}
        for service in self.listed.of("services"):
            number = at(service, "spec", "clusterIP")
            if isinstance(number, str) and number[:1].isdigit():
                found[number] = self.services.get(name_of(service), NOBODY)
        for subject, items in self.listed.by_workload.items():
            for item in items:
                # Pods on the node's own network share its address.
                number = None if at(item, "spec", "hostNetwork") else at(item, "status", "podIP")
                if isinstance(number, str):
                    found[number] = frozenset({subject})
        return found

    def host(self, name: str, namespace: str) -> Workloads:
        """Who is behind a host that is named in a namespace."""
        if name in self._numbers:
            return self._numbers[name]
        labels = name.split(".")
        if labels[3:4] == ["svc"]:
            labels = labels[1:]  # a pod by its name, under the Service that governs it
        return self.services.get((labels[1] if len(labels) > 1 else namespace, labels[0]), NOBODY)

    def hosts(self, text: str, namespace: str) -> Workloads:
        """Who is behind the addresses in a text."""
        found = (match[match.lastindex or 1] for match in _ADDRESS.finditer(text[:LONGEST_TEXT].lower()))
        return frozenset(one for name in set(found) for one in self.host(name, namespace))

    def cluster(self, name: str, namespace: str) -> Workloads:
        """Who is behind a cluster that a proxy in a namespace names: meshes and gateways put the Service into its name, people its name alone."""
        name = name.lower()
        words = [word for word in re.split(r"[^a-z0-9-]+", name) if word]
        if not words or words[0] in _OWN_CLUSTERS or name in _OWN_CLUSTERS:
            return NOBODY
        if words[0] == "httproute" and len(words) > 2:
            return frozenset(
                one for route in self._routes if name_of(route) == (words[1], words[2]) for one in self._backends(route)
            )
        there = Counter(words)
        both = [
            (space, word) for word in there for space in self._spaces.get(word, ()) if there[space] > (space == word)
        ]
        both += [key for word in words for key in self._joined(word)]
        if both:
            return frozenset(one for key in both for one in self.services[key])
        if (namespace, name) in self.services:
            return self.services[namespace, name]
        # A name of its own making: the one Service that is called so, where there are not several. A host of the world is none.
        alike = {(space, word) for word in words for space in self._spaces.get(word, ())} if "." not in name else set()
        return self.services[alike.pop()] if len(alike) == 1 else NOBODY

    def _joined(self, word: str) -> Iterator[tuple[str, str]]:
        """A Service, its namespace and perhaps a port joined by hyphens in one word, either of them first."""
        parts = re.sub(r"-\d{2,5}$", "", word).split("-")
        for cut in range(1, len(parts)):
            one, other = "-".join(parts[:cut]), "-".join(parts[cut:])
            yield from (key for key in ((one, other), (other, one)) if key in self.services)

    def named_by(self, subject: Subject) -> Workloads:
        """Whom a workload's own objects name: its command line and environment, and the routes of the Gateway or Ingress class that it serves."""
        found: set[Subject] = set()
        for item in self.listed.by_workload.get(subject, ())[:1]:
            for container in many(item, "spec", "containers"):
                for text in settings(container):
                    found |= self.hosts(text, subject.namespace)
            found.update(self._routed(item, subject))
        return frozenset(found) - {subject}

    @cached_property
    def _routes(self) -> tuple[Object, ...]:
        return tuple(self.listed.of(HTTP))

    def _routed(self, pod: Object, subject: Subject) -> Iterator[Subject]:
        labels = within(pod, "metadata", "labels")
        gateways = {
            (str(labels.get(space) or subject.namespace), str(labels[name]))
            for name, space in _OF_GATEWAY
            if labels.get(name)
        }
        for route in self._routes if gateways else ():
            space = name_of(route)[0]
            parents = {
                (str(one.get("namespace") or space), str(one.get("name"))) for one in many(route, "spec", "parentRefs")
            }
            if parents & gateways:
                yield from self._backends(route)
        classes = set(_classes(pod))
        for ingress in self.listed.of("ingresses") if classes else ():
            marks = within(ingress, "metadata", "annotations")
            wanted = at(ingress, "spec", "ingressClassName") or marks.get("kubernetes.io/ingress.class")
            if wanted in classes:
                names = {str(name) for name in _behind(ingress)}
                yield from (one for name in names for one in self.services.get((name_of(ingress)[0], name), NOBODY))

    def _backends(self, route: Object) -> Iterator[Subject]:
        for rule in many(route, "spec", "rules"):
            for ref in many(rule, "backendRefs"):
                if ref.get("kind") in {None, "Service"}:
                    key = (str(ref.get("namespace") or name_of(route)[0]), str(ref.get("name")))
                    yield from self.services.get(key, NOBODY)


def _classes(pod: Object) -> Iterator[str]:
    """The Ingress classes that a controller answers for: the one that it is told, else what its image is called."""
    for container in many(pod, "spec", "containers"):
        image = str(container.get("image") or "")
        if not _INGRESS.search(image):
            continue
        told = [match[1] for text in settings(container) for match in _CLASS.finditer(text)]
        known = ("nginx", "traefik", "haproxy", "kong", "contour")
        yield from told or [one for one in known if one in image.lower()]


def _behind(ingress: Object) -> Iterator[object]:
    yield at(ingress, "spec", "defaultBackend", "service", "name")
    for rule in many(ingress, "spec", "rules"):
        for path in many(rule, "http", "paths"):
            yield at(path, "backend", "service", "name")
