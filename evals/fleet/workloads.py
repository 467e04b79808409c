"""Workloads at run time.

The recipe as it stands now, its revision, its pods, and the pod template that follows.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from evals.fleet.identity import suffix
from evals.fleet.pods import Owner, Pod, Template
from evals.fleet.recipe import Workload
from evals.fleet.traffic import Arrivals

# A change of one of these is a new pod template, and so a new revision.
_OF_PODS = (
    "image",
    "args",
    "env",
    "cpu",
    "cpu_limit",
    "memory",
    "memory_limit",
    "gpus",
    "shm",
    "probes",
    "startup_probe",
    "pull",
    "model",
    "node_selector",
    "tolerations",
    "command",
    "runtime",
    "labels",
    "annotations",
)


@dataclass(slots=True)
class Scaling:
    """What the autoscaler knows: the last metric value, what it wants, and when it last acted."""

    value: float | None = None
    desired: int = 0
    last_scale: float = 0.0
    limited: str = ""
    wanted: list[tuple[float, int]] = field(default_factory=list)


@dataclass(slots=True)
class Deployed:
    """A workload of the fleet with its pods. ``lost`` counts requests that found no ready replica."""

    spec: Workload
    created: float
    desired: int
    arrivals: Arrivals
    changed: float
    pods: list[Pod] = field(default_factory=list)
    revision: str = ""
    generation: int = 1
    version: int = 1
    made: int = 0
    lost: int = 0
    scaling: Scaling = field(default_factory=Scaling)
    progressed: float = 0.0

    @property
    def ready(self) -> list[Pod]:
        """Pods whose container is ready."""
        return [pod for pod in self.pods if pod.container.ready]

    def set_revision(self) -> None:
        """Name the revision after the pod template, as the pod-template-hash does."""
        parts = [str(getattr(self.spec, name)) for name in _OF_PODS]
        self.revision = suffix(10, self.spec.key, *parts)

    def patched(self, patch: dict[str, object]) -> bool:
        """Change fields of the recipe; says whether its pods must be made anew.

        Raises ValueError for a bad patch.
        """
        merged = self.spec.model_dump(exclude_unset=True)
        for name, value in patch.items():
            old = merged.get(name)
            merged[name] = {**old, **value} if isinstance(old, dict) and isinstance(value, dict) else value
        fresh = Workload.model_validate(merged)
        anew = any(getattr(fresh, name) != getattr(self.spec, name) for name in _OF_PODS)
        if fresh.replicas != self.spec.replicas:
            self.desired = fresh.replicas
        self.spec = fresh
        self.generation += 1
        self.version += 1
        if anew:
            self.set_revision()
        return anew

    def owner(self) -> Owner:
        """Who owns its pods."""
        spec = self.spec
        if spec.kind == "StatefulSet":
            return Owner("StatefulSet", spec.name, "StatefulSet", spec.name)
        return Owner("ReplicaSet", f"{spec.name}-{self.revision}", "Deployment", spec.name)

    def next_name(self) -> str:
        """The name of its next pod."""
        if self.spec.kind == "StatefulSet":
            taken = {pod.name for pod in self.pods}
            return next(n for i in range(len(taken) + 1) if (n := f"{self.spec.name}-{i}") not in taken)
        self.made += 1
        return f"{self.spec.name}-{self.revision}-{suffix(5, self.spec.key, self.revision, self.made)}"


def arguments(spec: Workload) -> tuple[str, ...]:
    """The command line as the manifest has it."""
    if spec.runtime == "none":
        return tuple(f"--{name}={_text(value)}" for name, value in spec.args.items())
    first = [f"--model={spec.model}"] if spec.runtime == "vllm" else [f"--model-id={spec.model}"]
    if spec.served_name and spec.runtime == "vllm":
        first.append(f"--served-model-name={spec.served_name}")
    rest = [
        f"--{name}" if value is True else f"--{name}={_text(value)}"
        for name, value in spec.args.items()
        if value is not False
    ]
    return (*first, *rest)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def template(spec: Workload) -> Template:
    """The pod template that a recipe's workload stands for."""
    port = {"vllm": ("http", 8000), "other": ("http", 80), "none": None}[spec.runtime]
    return Template(
        container=spec.container,
        image=spec.image,
        command=spec.command,
        args=arguments(spec),
        env=tuple(spec.env.items()),
        cpu=spec.cpu,
        cpu_limit=spec.cpu_limit,
        memory=spec.memory,
        memory_limit=spec.memory_limit,
        gpus=spec.gpus,
        shm=spec.shm if spec.runtime != "none" else None,
        port=port,
        probes=spec.probes and port is not None,
        startup_probe=spec.startup_probe,
        node_selector=tuple(spec.node_selector.items()),
        tolerations=tuple(tuple(item.items()) for item in spec.tolerations),
        labels=(("app.kubernetes.io/name", spec.name), *spec.labels.items()),
        annotations=tuple(spec.annotations.items()),
    )
