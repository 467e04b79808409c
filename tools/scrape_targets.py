"""Which pods would show metrics if they were asked: exporters of GPUs and serving engines, told by image and name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from tools.engines import Key, resolve
from tools.engines.manifest import container_of
from tools.facts import Object, many, name_of, serving_container, within
from tools.inventory import runtimes, sources
from tools.series import Source
from tools.signals import Per
from tools.topology import Pod


@dataclass(frozen=True, slots=True)
class Target:
    """A pod, the source that it is, and its container; where it listens is worked out when it is asked."""

    source: Source
    pod: Pod
    container: Object
    annotated: int = 0
    services: tuple[Object, ...] = ()

    @property
    def image(self) -> str:
        """The container's image."""
        return str(self.container.get("image") or "")

    @property
    def path(self) -> str:
        """The path of its metrics."""
        return self.source.path

    @property
    def port(self) -> int:
        """The port that is annotated, named for metrics, stated in the arguments, the usual one, or the first declared."""
        ports = many(self.container, "ports")
        declared = [(str(port.get("name") or ""), _number(port.get("containerPort"))) for port in ports]
        known = [port for _, port in declared if port]
        named = next((port for name, port in declared if "metrics" in name and port), 0)
        told = self.annotated or named or _stated(self.container)
        if told or self.source.port in known:
            return told or self.source.port
        return known[0] if known else _behind(self.services) or self.source.port


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
        exporter = _exporter(item)
        source, container = exporter or _engine(item)
        if source is None or (exporter is None and not pod.active):
            continue
        annotated = _number(within(item, "metadata", "annotations").get("prometheus.io/port"))
        # A pod that declares its ports needs no Service to tell them.
        near = () if many(container, "ports") else by_namespace.get(pod.namespace, ())
        target = Target(source, pod, container, annotated, tuple(one for one in near if _selects(one, item)))
        (found if exporter else engines).append(target)
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


def _engine(item: Object) -> tuple[Source | None, Object]:
    container = serving_container(item)
    image = str(container.get("image") or "").lower()
    return next((one for one in runtimes() if any(mark in image for mark in one.images)), None), container


def _stated(container: Object) -> int:
    configuration = resolve(container_of(container))
    if configuration[Key.PORT].stated:
        return _number(int(configuration.number(Key.PORT) or 0))
    return _number(configuration.flags.get("port"))


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
