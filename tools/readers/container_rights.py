"""What a serving container may write and as whom, which ports it shares with its neighbours in the pod, what it sees of the driver."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tools.engines import resolve
from tools.engines.manifest import container_of
from tools.facts import Object, at, many, name_of, serving_container, within
from tools.readers import Listed, Told, Value
from tools.signals import Signal
from tools.vocabulary import container_rights as told

KINDS = ("pods",)
# The kubelet mounts these read-only whatever the mount says.
_ALWAYS_READ_ONLY = ("configMap", "secret", "projected", "downwardAPI", "image")
_DRIVER_VARIABLES = ("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "CUDA_VISIBLE_DEVICES", "LD_LIBRARY_PATH")
_LONGEST = 600


def read(listed: Listed) -> Iterator[Told]:
    """Facts of pods; a user or a runtime that nobody states is said as not set, since the image decides it."""
    for pod in listed.of("pods"):
        serving = serving_container(pod)
        if not all(name_of(pod)) or not serving:
            continue
        root = at(serving, "securityContext", "readOnlyRootFilesystem") is True
        facts: dict[Signal, Value] = {
            told.ROOT_READ_ONLY: _called(serving) if root else "",
            told.RUNS_AS: _runs_as(pod, serving),
            told.MOUNTS: ", ".join(_mounts(pod, serving))[:_LONGEST],
            told.PORTS_SHARED: ", ".join(_shared(pod))[:200],
            told.DRIVER_SETTINGS: ", ".join(_driver(pod, serving))[:_LONGEST],
        }
        yield Told("/".join(name_of(pod)), facts, "pods")


def _called(container: Object) -> str:
    return str(container.get("name") or "")[:80]


def _runs_as(pod: Object, container: Object) -> str:
    context = {**within(pod, "spec", "securityContext"), **within(container, "securityContext")}
    parts = (("user", "runAsUser"), ("group", "runAsGroup"), ("fsGroup", "fsGroup"))
    return ", ".join(f"{name} {_id(context.get(key))}" for name, key in parts)


def _id(value: object) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else "not set"


def _mounts(pod: Object, container: Object) -> Iterator[str]:
    volumes = {str(one.get("name")): one for one in many(pod, "spec", "volumes")}
    for mount in many(container, "volumeMounts"):
        path, volume = mount.get("mountPath"), volumes.get(str(mount.get("name")), {})
        if not isinstance(path, str) or not path.startswith("/"):
            continue
        fixed = any(kind in volume for kind in _ALWAYS_READ_ONLY)
        closed = mount.get("readOnly") is True or at(volume, "persistentVolumeClaim", "readOnly") is True
        yield f"{path[:200]}{told.READ_ONLY if fixed or closed else ''}"


def _shared(pod: Object) -> Iterator[str]:
    """Ports that more than one container of the pod names, by declaration or by its --port: they share one network."""
    users: dict[int, list[str]] = defaultdict(list)
    for container in many(pod, "spec", "containers"):
        ports = [port.get("containerPort") for port in many(container, "ports") if port.get("protocol") != "UDP"]
        listens = resolve(container_of(container)).flags.get("port", "")
        if listens.isdecimal() and len(listens) <= 5:
            ports.append(int(listens))
        for number in sorted({port for port in ports if isinstance(port, int)}):
            users[number].append(_called(container))
    for number, names in sorted(users.items()):
        if len(names) > 1:
            yield f"{number} ({' and '.join(names)})"


def _driver(pod: Object, container: Object) -> Iterator[str]:
    runtime = at(pod, "spec", "runtimeClassName")
    yield f"runtimeClassName {str(runtime)[:80]}" if runtime else "runtimeClassName not set"
    for env in many(container, "env"):
        name, value = str(env.get("name")), env.get("value")
        if name in _DRIVER_VARIABLES and isinstance(value, str):
            yield f"{name}={value[:160]}" if value else f"{name} empty"
