"""Pods and their one container as the kubelet sees them."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

from evals.fleet.engine import Engine
from evals.fleet.identity import hexes, uid
from evals.fleet.startup import Config, CrashKind, Startup

LOG_LINES = 4000


@dataclass(frozen=True, slots=True)
class Owner:
    """The controller over a pod: kind and name of the direct owner, and of the workload on top."""

    kind: str
    name: str
    top_kind: str
    top_name: str


@dataclass(frozen=True)
class Template:
    """What a pod is made from; the part of a manifest that controllers copy."""

    container: str
    image: str
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str], ...] = ()
    cpu: str = "50m"
    cpu_limit: str | None = None
    memory: str = "64Mi"
    memory_limit: str | None = None
    gpus: int = 0
    shm: str | None = None
    port: tuple[str, int] | None = None
    probes: bool = False
    startup_probe: bool = True
    node_selector: tuple[tuple[str, str], ...] = ()
    tolerations: tuple[tuple[tuple[str, str], ...], ...] = ()
    labels: tuple[tuple[str, str], ...] = ()
    annotations: tuple[tuple[str, str], ...] = ()
    service_account: str = "default"
    priority_class: str = ""


@dataclass(frozen=True, slots=True)
class Termination:
    """How a container's run ended."""

    reason: str
    exit_code: int
    started: float
    finished: float
    container_id: str
    message: str = ""


@dataclass(slots=True)
class Container:
    """The state of a pod's container. ``state`` is waiting, running or terminated.

    ``until`` ends a wait or a run.
    """

    state: str = "waiting"
    reason: str = "ContainerCreating"
    message: str = ""
    started: float = 0.0
    until: float = 0.0
    ready: bool = False
    restarts: int = 0
    backoff: float = 0.0
    runs: int = 0
    last: Termination | None = None
    ended: Termination | None = None


@dataclass
class Pod:
    """One pod. ``engine`` exists while an engine serves in it."""

    namespace: str
    name: str
    owner: Owner
    template: Template
    revision: str
    created: float
    scheduled: float = 0.0
    node: str = ""
    ip: str = ""
    devices: tuple[int, ...] = ()
    container: Container = field(default_factory=Container)
    ready_changed: float = 0.0
    scheduling: str = ""
    version: int = 1
    config: Config | None = None
    startup: Startup | None = None
    engine: Engine | None = None
    log: deque[tuple[float, str]] = field(default_factory=lambda: deque(maxlen=LOG_LINES))
    previous: deque[tuple[float, str]] | None = None
    dying: CrashKind | None = None
    memory: float = 0.0
    cache: float = 0.0
    cpu_seconds: float = 0.0
    loading_seconds: float = 0.0
    cores: float = 0.0
    oom_events: int = 0
    received: float = 0.0
    sent: float = 0.0

    @property
    def uid(self) -> str:
        """The pod's uid."""
        return uid(self.namespace, self.name, int(self.created))

    @property
    def key(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    @property
    def container_id(self) -> str:
        """The id of the container's present run."""
        return hexes(64, self.uid, self.container.runs)

    @property
    def phase(self) -> str:
        """Pending until its container first ran, then Running (restarts do not change it)."""
        return "Running" if self.node and self.container.runs else "Pending"

    @property
    def serving(self) -> bool:
        """Whether requests can be routed to it."""
        return self.container.ready and self.engine is not None
