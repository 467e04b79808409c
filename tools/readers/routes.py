"""How requests reach a workload from outside: Ingresses and HTTPRoutes, their TLS and timeouts; and where it may call out."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from math import inf

from tools.facts import Object, at, many, name_of, within
from tools.readers import Listed, Told, Value
from tools.readers.services import Whose, around, selects
from tools.rules import NONE
from tools.signals import Signal
from tools.vocabulary import readiness as told

HTTP = "httproutes.gateway.networking.k8s.io"
KINDS = ("pods", "deployments", "statefulsets", "services", "ingresses", HTTP, "networkpolicies")
FACTS = (told.GRADUAL, told.ROUTES, told.ROUTE_PLAIN, told.ROUTE_TIMEOUT, told.EGRESS_POLICY)
# What the controllers wait for the next byte when nothing is set.
STOCK_TIMEOUT_S = 60.0
_CERTIFICATES = (
    "alb.ingress.kubernetes.io/certificate-arn",
    "networking.gke.io/managed-certificates",
    "ingress.gcp.kubernetes.io/pre-shared-cert",
)
_NGINX = "nginx.ingress.kubernetes.io/proxy-read-timeout"
_CANARY = "nginx.ingress.kubernetes.io/canary"
_ALB = "alb.ingress.kubernetes.io/load-balancer-attributes"
_IDLE = re.compile(r"idle_timeout\.timeout_seconds=(\d{1,6})")
_STEP = re.compile(r"(\d{1,9})(ms|h|m|s)")
_SECONDS = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 0.001}


def read(listed: Listed) -> Iterator[Told]:
    """Facts of workloads."""
    here: dict[str, dict[str, list[Object]]] = {kind: defaultdict(list) for kind in KINDS[3:]}
    for kind, found in here.items():
        for item in listed.of(kind):
            found[name_of(item)[0]].append(item)
    seen = "ingresses" in listed.items and "services" in listed.items
    for whose in around(listed):
        space = whose.subject.namespace
        if seen:
            services = _services(whose, here["services"].get(space, ()))
            facts = _routes(services, here["ingresses"].get(space, ()), here[HTTP].get(space, ()))
            yield Told(str(whose.subject), facts, "ingresses")
        if "networkpolicies" in listed.items:
            policy = _egress(whose, here["networkpolicies"].get(space, ()))
            yield Told(str(whose.subject), {told.EGRESS_POLICY: policy}, "networkpolicies")


def _services(whose: Whose, services: Sequence[Object]) -> set[str]:
    return {
        name_of(service)[1]
        for service in services
        if within(service, "spec", "selector")
        and all(whose.labels.get(key) == value for key, value in within(service, "spec", "selector").items())
    }


def _routes(services: set[str], ingresses: Sequence[Object], routes: Sequence[Object]) -> dict[Signal, Value]:
    mine = [item for item in ingresses if services & set(_backends(item))]
    http = [
        item
        for item in routes
        if services
        & {str(ref.get("name")) for rule in many(item, "spec", "rules") for ref in many(rule, "backendRefs")}
    ]
    plain = [name_of(item)[1] for item in mine if not _secured(item)]
    waits = [_wait(item) for item in mine]
    waits += [
        seconds for item in http for rule in many(item, "spec", "rules") for seconds in _asked(within(rule, "timeouts"))
    ]
    names = [f"ingress {name_of(item)[1]}" for item in mine] + [f"route {name_of(item)[1]}" for item in http]
    return {
        told.ROUTES: ", ".join(names)[:200] or NONE,
        told.GRADUAL: ", ".join(_sharing(mine, http))[:200] or NONE,
        told.ROUTE_PLAIN: ", ".join(plain)[:200],
        told.ROUTE_TIMEOUT: min(waits, default=inf),
    }


def _sharing(ingresses: Sequence[Object], routes: Sequence[Object]) -> Iterator[str]:
    """Routes with several weighted backends, and Ingresses of nginx that are a canary."""
    for item in ingresses:
        if str(within(item, "metadata", "annotations").get(_CANARY) or "").lower() == "true":
            yield f"ingress {name_of(item)[1]}"
    for item in routes:
        if any(len(many(rule, "backendRefs")) > 1 for rule in many(item, "spec", "rules")):
            yield f"route {name_of(item)[1]}"


def _backends(item: Object) -> Iterator[str]:
    yield str(at(item, "spec", "defaultBackend", "service", "name") or "")
    for rule in many(item, "spec", "rules"):
        for path in many(rule, "http", "paths"):
            yield str(at(path, "backend", "service", "name") or "")


def _secured(item: Object) -> bool:
    marks = within(item, "metadata", "annotations")
    return bool(many(item, "spec", "tls")) or any(marks.get(key) for key in _CERTIFICATES)


def _wait(item: Object) -> float:
    """How long the controller waits for the engine, where its kind is known; no limit where it is not."""
    marks = within(item, "metadata", "annotations")
    kind = f"{at(item, 'spec', 'ingressClassName') or ''} {marks.get('kubernetes.io/ingress.class') or ''}".lower()
    if "nginx" in kind or any(str(key).startswith("nginx.ingress.kubernetes.io/") for key in marks):
        said = re.fullmatch(r"(\d{1,6})s?", str(marks.get(_NGINX) or "").strip())
        return float(said[1]) if said else STOCK_TIMEOUT_S
    if "alb" in kind.split() or any(str(key).startswith("alb.ingress.kubernetes.io/") for key in marks):
        said = _IDLE.search(str(marks.get(_ALB) or ""))
        return float(said[1]) if said else STOCK_TIMEOUT_S
    return inf


def _asked(timeouts: Mapping[str, object]) -> Iterator[float]:
    """The timeouts of a rule in seconds; zero switches one off."""
    for name in ("request", "backendRequest"):
        text = timeouts.get(name)
        if isinstance(text, str) and re.fullmatch(rf"(?:{_STEP.pattern})+", text):
            seconds = sum(int(number) * _SECONDS[unit] for number, unit in _STEP.findall(text))
            yield seconds or inf


def _egress(whose: Whose, policies: Sequence[Object]) -> str:
    mine = []
    for policy in policies:
        kinds = at(policy, "spec", "policyTypes")
        outwards = "Egress" in kinds if isinstance(kinds, list) else bool(at(policy, "spec", "egress"))
        if outwards and selects(at(policy, "spec", "podSelector"), whose.labels):
            mine.append(name_of(policy)[1])
    return ", ".join(mine)[:200] or NONE
