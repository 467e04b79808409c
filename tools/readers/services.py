"""What stands around a workload: services and their ports, disruption budgets, autoscalers, quotas, policies, its namespace."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tools.engines import Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, autoscaler_target, many, name_of, serving_container, within
from tools.readers import Listed, Told, Value
from tools.reading import Subject
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary import manifests as told
from tools.vocabulary.security import NETWORK_POLICY, POD_SECURITY

KINDS = (
    "pods",
    "deployments",
    "statefulsets",
    "services",
    "poddisruptionbudgets",
    "horizontalpodautoscalers",
    "resourcequotas",
    "limitranges",
    "networkpolicies",
    "namespaces",
)
_WHOLE = re.compile(r"-?\d{1,18}")
_LEVEL = "pod-security.kubernetes.io/enforce"
_PROTOCOLS = ("http", "https", "http2", "grpc", "grpc-web", "tcp", "tls", "h2c")


@dataclass(frozen=True, slots=True)
class Whose:
    """A workload: its own object (empty where a kind is not listed), and the pod that it makes or has."""

    subject: Subject
    item: Object
    form: Object

    @property
    def labels(self) -> Mapping[str, object]:
        """The labels of its pods."""
        return within(self.form, "metadata", "labels")


def around(listed: Listed) -> Iterator[Whose]:
    """Every workload, also one without pods. A pod tells more than the template, since admission has completed it."""
    seen = set()
    for kind in ("deployments", "statefulsets"):
        for item in listed.of(kind):
            subject = Subject(kind.removesuffix("s"), *name_of(item))
            if all(name_of(item)):
                seen.add(subject)
                pods = listed.by_workload.get(subject, ())
                yield Whose(subject, item, pods[0] if pods else within(item, "spec", "template"))
    for subject, pods in listed.by_workload.items():
        # Of a Deployment that cannot be listed the pods do not tell all that it says.
        if subject not in seen and f"{subject.kind}s" not in KINDS:
            yield Whose(subject, {}, pods[0])


def selects(selector: object, labels: Mapping[str, object]) -> bool:
    """Whether a label selector (`matchLabels`, `matchExpressions`) holds; an empty one holds for all, none for none."""
    if not isinstance(selector, Mapping):
        return False
    if any(labels.get(str(key)) != value for key, value in within(selector, "matchLabels").items()):
        return False
    return all(holds(one, labels) for one in many(selector, "matchExpressions"))


def holds(rule: Object, labels: Mapping[str, object]) -> bool:
    """Whether one expression of a selector holds of labels; one that nobody knows does not."""
    key, how, values = str(rule.get("key")), str(rule.get("operator")), rule.get("values")
    listed = values if isinstance(values, list) else []
    if how in {"Gt", "Lt"}:
        here, there = str(labels.get(key)), str(listed[0] if listed else "")
        if not (_WHOLE.fullmatch(here) and _WHOLE.fullmatch(there)):
            return False
        return int(here) > int(there) if how == "Gt" else int(here) < int(there)
    among = labels.get(key) in listed
    return {"In": among, "NotIn": not among, "Exists": key in labels, "DoesNotExist": key not in labels}.get(how, False)


def read(listed: Listed) -> Iterator[Told]:
    """Facts of workloads."""
    by_kind = {kind: _by_namespace(listed.of(kind)) for kind in KINDS}
    scaled = {autoscaler_target(item): name_of(item)[1] for item in listed.of("horizontalpodautoscalers")}
    levels = {name_of(item)[1]: at(item, "metadata", "labels", _LEVEL) for item in listed.of("namespaces")}
    for whose in around(listed):
        here = {kind: found.get(whose.subject.namespace, ()) for kind, found in by_kind.items()}
        facts: dict[str, dict[Signal, Value]] = {
            "services": _services(whose, here["services"]),
            "poddisruptionbudgets": _budget(whose, here["poddisruptionbudgets"]),
            "horizontalpodautoscalers": {told.AUTOSCALER: scaled.get(whose.subject, NONE)},
            "resourcequotas": {told.GPU_QUOTA: _quota(here["resourcequotas"])},
            "limitranges": {told.LIMIT_RANGE: ", ".join(name_of(one)[1] for one in here["limitranges"])[:150] or NONE},
            "networkpolicies": {NETWORK_POLICY: _policy(whose, here["networkpolicies"])},
            "namespaces": {POD_SECURITY: str(levels.get(whose.subject.namespace) or NONE)},
        }
        for kind, known in facts.items():
            if kind in listed.items:
                yield Told(str(whose.subject), known, kind)


def _by_namespace(items: Sequence[Object]) -> dict[str, list[Object]]:
    found: dict[str, list[Object]] = defaultdict(list)
    for item in items:
        found[name_of(item)[0]].append(item)
    return found


def _services(whose: Whose, services: Sequence[Object]) -> dict[Signal, Value]:
    mine = []
    for service in services:
        selector = within(service, "spec", "selector")
        if selector and all(whose.labels.get(key) == value for key, value in selector.items()):
            mine.append(service)
    unnamed = [
        f"{name_of(service)[1]}:{port.get('port')}"
        for service in mine
        for port in many(service, "spec", "ports")
        if not _said(port)
    ]
    open_ones = [
        f"{name_of(service)[1]} ({at(service, 'spec', 'type')})"
        for service in mine
        if str(at(service, "spec", "type")) in {"LoadBalancer", "NodePort"}
    ]
    apart = "; ".join(_apart(whose.form, mine))
    return {
        told.SERVICES: ", ".join(name_of(service)[1] for service in mine)[:200] or NONE,
        told.PORTS_APART: apart[:300],
        told.NO_WAY_IN: _no_way_in(whose.form, mine)[:200] if apart else "",
        told.PORTS_UNNAMED: ", ".join(unnamed)[:200],
        told.EXPOSED: ", ".join(open_ones)[:200],
    }


def _said(port: Object) -> bool:
    """Whether a port says what it speaks: by `appProtocol`, or by the first part of its name."""
    return bool(port.get("appProtocol")) or str(port.get("name") or "").split("-")[0].lower() in _PROTOCOLS


@dataclass(frozen=True)
class _Ports:
    """The ports of a pod: the engine's own (empty where unknown), the numbers that its containers declare, and those by name."""

    engine: str
    numbers: frozenset[str]
    names: Mapping[str, str]

    @classmethod
    def of(cls, pod: Object) -> _Ports:
        """Read them off a pod."""
        declared = [port for container in many(pod, "spec", "containers") for port in many(container, "ports")]
        configuration = resolve(container_of(serving_container(pod)))
        number = configuration.number(Key.PORT)
        listens = configuration.flags.get("port", "") if number is None else f"{number:.0f}"
        return cls(
            listens if listens.isdigit() and 0 < int(listens[:9]) < 65536 else "",
            frozenset(str(port.get("containerPort")) for port in declared),
            {str(port["name"]): str(port.get("containerPort")) for port in declared if port.get("name")},
        )

    def astray(self, port: Object) -> str:
        """Why a port of a Service leads nowhere, empty where it leads to one of these or nobody can tell."""
        target = port.get("targetPort") or port.get("port")
        if isinstance(target, str) and not target.isdigit():
            return "" if target in self.names else f"port {target[:40]}, which no container names"
        known = {*self.numbers, self.engine} if self.numbers or self.engine else {str(target)}
        return "" if str(target) in known else f"port {target}, which no container declares"


def _apart(pod: Object, services: Sequence[Object]) -> Iterator[str]:
    serving, ports = serving_container(pod), _Ports.of(pod)
    own = {str(port.get("containerPort")) for port in many(serving, "ports")}
    if ports.engine and own and ports.engine not in own:
        yield f"the engine listens on {ports.engine}, its container declares {', '.join(sorted(own))}"
    for kind in ("readiness", "liveness", "startup"):
        probe = within(serving, f"{kind}Probe")
        asked = at(probe, "httpGet", "port") or at(probe, "tcpSocket", "port")
        if isinstance(asked, str) and not asked.isdigit() and asked not in ports.names:
            yield f"the {kind} probe asks port {asked[:40]}, which no container names"
        elif ports.engine and asked is not None and ports.names.get(str(asked), str(asked)) != ports.engine:
            yield f"the {kind} probe asks port {str(asked)[:40]}, the engine listens on {ports.engine}"
    for service in services:
        for port in many(service, "spec", "ports"):
            if astray := ports.astray(port):
                yield f"service {name_of(service)[1]} sends to {astray}"


def _no_way_in(pod: Object, services: Sequence[Object]) -> str:
    """The Services, where there are any and not one port of theirs leads to a port of the pod."""
    ports = _Ports.of(pod)
    ways = [port for service in services for port in many(service, "spec", "ports")]
    # To a Service without an address of its own nobody connects: its name stands for the pods, and any port of theirs can be asked.
    headless = any(at(service, "spec", "clusterIP") == "None" for service in services)
    if headless or not ways or not all(ports.astray(port) for port in ways):
        return ""
    return ", ".join(name_of(service)[1] for service in services)


def _budget(whose: Whose, budgets: Sequence[Object]) -> dict[Signal, Value]:
    mine = [one for one in budgets if selects(at(one, "spec", "selector"), whose.labels)]
    blocked = [
        f"{name_of(one)[1]} (healthy {at(one, 'status', 'currentHealthy')}, wanted {at(one, 'status', 'desiredHealthy')})"
        for one in mine
        if at(one, "status", "disruptionsAllowed") == 0
        and _whole(at(one, "status", "expectedPods")) > 0
        # As long as pods are unhealthy it is meant to block; where all are well it blocks for good.
        and _whole(at(one, "status", "currentHealthy")) >= _whole(at(one, "status", "expectedPods"))
    ]
    names = ", ".join(name_of(one)[1] for one in mine)[:200]
    return {told.BUDGET: names or NONE, told.BUDGET_BLOCKS: ", ".join(blocked)[:200]}


def _whole(value: object) -> int:
    return value if isinstance(value, int) else 0


def _quota(quotas: Sequence[Object]) -> str:
    for quota in quotas:
        for key, value in within(quota, "spec", "hard").items():
            if "nvidia.com/" in str(key):
                return f"{name_of(quota)[1]}: {key}={value}"[:150]
    return NONE


def _policy(whose: Whose, policies: Sequence[Object]) -> str:
    mine = []
    for policy in policies:
        kinds = at(policy, "spec", "policyTypes")
        inwards = not isinstance(kinds, list) or "Ingress" in kinds
        if inwards and selects(at(policy, "spec", "podSelector"), whose.labels):
            mine.append(name_of(policy)[1])
    return ", ".join(mine)[:200] or NONE
