"""Which container of a pod its start, its end and its restarts are about.

Mostly that is the serving one. A pod whose init container fails or does not come to an end never gets to it, and one whose sidecar
crashes is not ready although the engine runs: then what the pod tells of a failure is told of that container, which is named.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tools.facts import Object, at, many, serving_container, within
from tools.quantity import seconds

LATELY_S = 3600.0
# Kubernetes keeps 4 KiB of a container's own message; what a runtime says may be longer.
LONGEST_MESSAGE = 16_000
# A container that waits for its turn, or for its image, has nothing wrong with it yet.
_TURN = frozenset({"", "PodInitializing", "ContainerCreating"})
_NONE: Object = {}


@dataclass(frozen=True, slots=True)
class Container:
    """A container: its name, what it is beside the serving one (empty for that), its form and its status."""

    name: str
    role: str
    form: Object
    status: Object

    @property
    def waiting(self) -> str:
        """The reason for which it waits, empty for one that only waits for its turn."""
        reason = str(at(self.status, "state", "waiting", "reason") or "")
        return "" if reason in _TURN else reason

    @property
    def ended(self) -> Object:
        """How it ended, now or the last time."""
        return within(self.status, "state", "terminated") or within(self.status, "lastState", "terminated")

    @property
    def messages(self) -> str:
        """What its status says of its ends and of why it waits: the runtime's words, or the last lines of its log where its form asks for them."""
        states = (("lastState", "terminated"), ("state", "terminated"), ("state", "waiting"))
        return "\n".join(str(said)[-LONGEST_MESSAGE:] for path in states if (said := at(self.status, *path, "message")))

    @property
    def finished(self) -> float:
        """When it ended, in seconds since the epoch; 0 where that is not told."""
        return seconds(self.ended.get("finishedAt")) or 0.0


def told_of(pod: Object, now: float) -> Container:
    """The container that failures of a pod are told of: the serving one, unless another keeps the pod from serving."""
    serving = _serving(pod)
    if serving.waiting:
        return serving
    others = [one for one in _others(pod) if _fails(one, now)]
    waits = next((one for one in others if one.waiting), None)
    if waits is not None or not others:
        return waits or serving
    latest = max(others, key=lambda one: one.finished)
    return latest if latest.finished > serving.finished else serving


def under_way(pod: Object) -> Container | None:
    """The init container that runs while the serving one waits for its turn."""
    if at(_serving(pod).status, "state", "running") is not None:
        return None
    return next((one for one in _init(pod) if at(one.status, "state", "running") is not None), None)


def _serving(pod: Object) -> Container:
    form = serving_container(pod)
    name = str(form.get("name") or "")
    statuses = many(pod, "status", "containerStatuses")
    status = next((one for one in statuses if one.get("name") == name), statuses[0] if statuses else _NONE)
    return Container(name, "", form, status)


def _others(pod: Object) -> Iterator[Container]:
    yield from _init(pod)
    yield from _sidecars(pod)


def _init(pod: Object) -> Iterator[Container]:
    """Init containers in their order, without those that go on beside the others."""
    for form, status in _pairs(pod, "initContainers", "initContainerStatuses"):
        if form.get("restartPolicy") != "Always":
            name = str(status.get("name") or "")
            yield Container(name, f"init container {name}", form, status)


def _sidecars(pod: Object) -> Iterator[Container]:
    serving = serving_container(pod).get("name")
    lasting = [
        (form, status)
        for form, status in _pairs(pod, "initContainers", "initContainerStatuses")
        if form.get("restartPolicy") == "Always"
    ]
    for form, status in (*lasting, *_pairs(pod, "containers", "containerStatuses")):
        name = str(status.get("name") or "")
        if name and name != serving:
            yield Container(name, f"container {name}", form, status)


def _pairs(pod: Object, forms: str, statuses: str) -> list[tuple[Object, Object]]:
    told = many(pod, "status", statuses)
    if not told:
        return []
    by_name = {str(form.get("name") or ""): form for form in many(pod, "spec", forms)}
    return [(by_name.get(str(status.get("name") or ""), _NONE), status) for status in told]


def _fails(one: Container, now: float) -> bool:
    """Whether it waits after a failure, or ended badly: an init container without having succeeded since, a sidecar lately."""
    if one.waiting:
        return True
    if not one.ended or one.ended.get("exitCode") == 0:
        return False
    return one.role.startswith("init ") or now - one.finished <= LATELY_S
