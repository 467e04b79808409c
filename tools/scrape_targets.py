"""Which pods would show metrics if they were asked: exporters of GPUs and serving engines, told by image and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from tools.engines import Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, many, name_of, serving_container, within
from tools.inventory import runtimes, sources
from tools.series import Source
from tools.signals import Per
from tools.topology import Pod


class Target(NamedTuple):
    """A pod, the source that it is, the port that it listens on, the path of its metrics, and its image."""

    source: Source
    pod: Pod
    port: int
    path: str
    image: str


def exporters() -> tuple[Source, ...]:
    """The exporters of GPUs."""
    return tuple(source for source in sources() if source.per is Per.GPU and source.pods)


def targets(
    items: Iterable[Object], pods: Mapping[str, Pod], services: Iterable[Object] = ()
) -> tuple[tuple[Target, ...], tuple[Target, ...]]:
    """The running pods of GPU exporters, and those of serving engines."""
    found: list[Target] = []
    engines: list[Target] = []
    by_namespace: dict[str, list[Object]] = {}
    for service in services:
        by_namespace.setdefault(name_of(service)[0], []).append(service)
    for item in items:
        pod = pods.get("/".join(name_of(item)))
        if pod is None or pod.phase != "Running":
            continue
        behind = [one for one in by_namespace.get(pod.namespace, ()) if _selects(one, item)]
        exporter = _exporter(item)
        if exporter is not None:
            source, container = exporter
            found.append(_target(source, pod, item, container, behind))
            continue
        container = serving_container(item)
        image = str(container.get("image") or "").lower()
        engine = next((one for one in runtimes() if any(mark in image for mark in one.images)), None)
        if engine is not None and pod.active:
            engines.append(_target(engine, pod, item, container, behind))
    return tuple(found), tuple(engines)


def _exporter(item: Object) -> tuple[Source, Object] | None:
    containers = many(item, "spec", "containers")
    for source in exporters():
        for container in containers:
            if any(mark in str(container.get("image") or "").lower() for mark in source.pods):
                return source, container
        if containers and any(mark in name_of(item)[1] for mark in source.pods):
            return source, containers[0]
    return None


def _target(source: Source, pod: Pod, item: Object, container: Object, services: Sequence[Object]) -> Target:
    return Target(source, pod, _port(source, item, container, services), source.path, str(container.get("image") or ""))


def _port(source: Source, item: Object, container: Object, services: Sequence[Object]) -> int:
    """The port that is annotated, named for metrics, stated in the arguments, the usual one, or the first declared."""
    annotated = _number(within(item, "metadata", "annotations").get("prometheus.io/port"))
    declared = {str(port.get("name") or ""): _number(port.get("containerPort")) for port in many(container, "ports")}
    known = [port for port in declared.values() if port]
    named = next((port for name, port in declared.items() if "metrics" in name and port), 0)
    configuration = resolve(container_of(container))
    setting = configuration[Key.PORT]
    stated = (
        _number(int(configuration.number(Key.PORT) or 0))
        if setting.stated
        else _number(configuration.flags.get("port"))
    )
    if annotated or named or stated:
        return annotated or named or stated
    if source.port in known or not known:
        return source.port if source.port in known else _behind(services) or source.port
    return known[0]


def _behind(services: Sequence[Object]) -> int:
    """The port in the pod that a Service leads to."""
    ports = [port for service in services for port in many(service, "spec", "ports")]
    for port in sorted(ports, key=lambda one: "metrics" not in str(one.get("name") or "")):
        number = _number(port.get("targetPort")) or _number(port.get("port"))
        if number:
            return number
    return 0


def _selects(service: Object, pod: Object) -> bool:
    wanted = within(service, "spec", "selector")
    labels = within(pod, "metadata", "labels")
    return bool(wanted) and all(labels.get(key) == value for key, value in wanted.items())


def _number(told: object) -> int:
    text = str(told) if isinstance(told, int | str) and not isinstance(told, bool) else ""
    return int(text) if text.isascii() and text.isdecimal() and 0 < len(text) < 6 and int(text) < 65536 else 0
