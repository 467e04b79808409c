"""What a pod's serving container is, whole, so that two of them can be compared and one can be listed.

Values of variables are not read, nor those of flags whose name speaks of a key, token, password or secret.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from tools.engines import Configuration, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, name_of, serving_container, within
from tools.quantity import quantity
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary import deployed as told

KINDS = ("pods", "nodes")
FACTS = (
    told.RESOLVED,
    told.FLAGS,
    told.IMAGE,
    told.DIGEST,
    told.RESOURCES,
    told.PROBES,
    told.ENVIRONMENT,
    told.SERVED_NAME,
)
_SECRET = re.compile(r"(?i)(^|[-_.])(key|token|password|passwd|secret|credential|auth)s?($|[-_.])")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_LONGEST = 8000
_VALUE = 300
_SERVED = ("served-model-name", "served-model-names")


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods."""
    gpus = {name_of(node)[1]: _gpu(node) for node in listed.of("nodes")}
    known: dict[int, tuple[Configuration, dict[Signal, Value]]] = {}
    for pod in listed.of("pods"):
        if not all(name_of(pod)):
            continue
        one = serving_container(pod)
        node = str(at(pod, "spec", "nodeName") or "")
        configuration = resolve(container_of(one, gpu=gpus.get(node, ("", 0.0))))
        if id(configuration) not in known:
            known[id(configuration)] = configuration, _configured(configuration)
        yield Told("/".join(name_of(pod)), {**known[id(configuration)][1], **_container(pod, one)}, "pods")


def _configured(configuration: Configuration) -> dict[Signal, Value]:
    settings = {
        str(key): [_plain(setting.value), setting.said[:_VALUE]] for key, setting in configuration.settings.items()
    }
    flags = {
        name[:80]: "(not read)" if _SECRET.search(name) else value[:_VALUE]
        for name, value in sorted(configuration.flags.items())
    }
    return {
        told.RESOLVED: _json(settings),
        told.FLAGS: _json(flags),
        told.SERVED_NAME: next((flags[name] for name in _SERVED if flags.get(name)), ""),
    }


def _container(pod: Object, one: Object) -> dict[Signal, Value]:
    status = next((s for s in many(pod, "status", "containerStatuses") if s.get("name") == one.get("name")), {})
    running = _DIGEST.search(str(status.get("imageID") or "")) or _DIGEST.search(str(one.get("image") or ""))
    names = sorted({str(each.get("name"))[:80] for each in many(one, "env") if each.get("name")})
    facts: dict[Signal, Value] = {
        told.IMAGE: str(one.get("image") or "")[:_VALUE],
        told.RESOURCES: _resources(one),
        told.PROBES: "; ".join(_probe(name, within(one, f"{name}Probe")) for name in ("startup", "readiness", "liveness")),
        told.ENVIRONMENT: ", ".join(names)[:_LONGEST],
    }  # fmt: skip
    if running:
        facts[told.DIGEST] = running[0]
    return facts


def _resources(one: Object) -> str:
    parts = []
    for what in ("requests", "limits"):
        amounts = within(one, "resources", what)
        for name in sorted(map(str, amounts)):
            # 1000m and 1 are the same.
            amount = quantity(str(amounts[name]))
            parts.append(f"{what} {name[:80]}={amount:g}" if amount is not None else f"{what} {name[:80]}=?")
    return ", ".join(parts)[:_LONGEST]


def _probe(name: str, probe: Object) -> str:
    if not probe:
        return f"{name} none"
    path = at(probe, "httpGet", "path")
    how = f"GET {str(path)[:80]}" if path else "tcp" if within(probe, "tcpSocket") else "grpc" if within(probe, "grpc") else "exec"  # fmt: skip
    numbers = {
        field: probe.get(field, usual)
        for field, usual in (
            ("initialDelaySeconds", 0),
            ("periodSeconds", 10),
            ("timeoutSeconds", 1),
            ("failureThreshold", 3),
        )
    }
    told_ = " ".join(f"{field}={value}" for field, value in numbers.items() if isinstance(value, int))
    return f"{name} {how} {told_}"


def _plain(value: object) -> object:
    return value[:_VALUE] if isinstance(value, str) else value


def _json(told_: object) -> str:
    text = json.dumps(told_, ensure_ascii=False)
    return text if len(text) <= _LONGEST else "{}"


def _gpu(node: Object) -> tuple[str, float]:
    labels = within(node, "metadata", "labels")
    memory = quantity(str(labels.get("nvidia.com/gpu.memory") or "")[:20]) or 0.0
    return str(labels.get("nvidia.com/gpu.product") or "")[:80], max(0.0, memory) * 2**20
