"""The recipe of a fleet: nodes, workloads, traffic, and the causes that change at a time.

Times are written relative to the end of the history (``-40m``, ``-1h30m``, ``0s``); durations as ``90s``,
``15m``, ``2h``, ``3d``. Sizes are Kubernetes quantities (``64Gi``, ``1500m``).
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from evals.fleet.hardware import gpu_model, language_model

_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SUFFIXES = {
    "m": 1e-3,
    "": 1.0,
    "k": 1e3,
    "M": 1e6,
    "G": 1e9,
    "Ki": 2**10,
    "Mi": 2**20,
    "Gi": 2**30,
    "Ti": 2**40,
}


def seconds(text: str | float) -> float:
    """Read ``-1h30m`` as seconds (numbers pass); raises ValueError with a sentence for anything else."""
    if isinstance(text, int | float):
        return float(text)
    match = re.fullmatch(r"(-?)((?:[0-9]+(?:\.[0-9]+)?[smhd])+)", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no duration: write for example 90s, 15m, 1h30m or -40m")
    total = sum(float(n) * _UNITS[u] for n, u in re.findall(r"([0-9]+(?:\.[0-9]+)?)([smhd])", match[2]))
    return -total if match[1] else total


def quantity(text: str | float) -> float:
    """Read a Kubernetes quantity as a number; raises ValueError with a sentence for anything else."""
    if isinstance(text, int | float):
        return float(text)
    match = re.fullmatch(r"([0-9]+(?:\.[0-9]+)?)(m|k|M|G|Ki|Mi|Gi|Ti)?", text.strip())
    if match is None:
        raise ValueError(f"{text!r} is no quantity: write for example 8, 1500m or 64Gi")
    return float(match[1]) * _SUFFIXES[match[2] or ""]


def _as_quantity(text: Any) -> str:
    quantity(text)
    return str(text)


Seconds = Annotated[float, BeforeValidator(seconds)]
Quantity = Annotated[str, BeforeValidator(_as_quantity)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Taint(_Part):
    """A node's taint."""

    key: str
    value: str = ""
    effect: Literal["NoSchedule", "NoExecute", "PreferNoSchedule"] = "NoSchedule"


class Node(_Part):
    """One machine; ``gpus`` of one model (0 for a machine without)."""

    name: str
    gpu: str = ""
    gpus: int = Field(default=0, ge=0, le=16)
    cpu: Quantity = "96"
    memory: Quantity = "1024Gi"
    zone: str = "eu-1a"
    instance_type: str = ""
    labels: dict[str, str] = {}
    taints: tuple[Taint, ...] = ()
    age: Seconds = 30 * 86400.0

    @model_validator(mode="after")
    def _known_gpu(self) -> Node:
        if self.gpus:
            gpu_model(self.gpu)
        return self


class Point(_Part):
    """A change of the arrival rate.

    From ``at`` on the base is multiplied by ``factor``, reached linearly in ``ramp``.
    """

    at: Seconds
    factor: float = Field(ge=0)
    ramp: Seconds = 0.0


class Burst(_Part):
    """A repeated burst.

    Every ``every`` seconds the rate is ``factor`` times the base for ``lasts`` seconds.
    """

    every: Seconds
    lasts: Seconds
    factor: float = Field(ge=0)


class Lengths(_Part):
    """Log-normal token lengths: the mean, the spread (sigma of the logarithm), and the largest."""

    mean: float = Field(gt=0)
    sigma: float = Field(default=0.6, ge=0)
    most: int = 100_000


class Traffic(_Part):
    """What clients send to one workload. ``rate`` is requests per second over all replicas."""

    rate: float = Field(default=0.0, ge=0)
    daily: float = Field(default=0.0, ge=0, le=1)
    noise: float = Field(default=0.08, ge=0, le=1)
    points: tuple[Point, ...] = ()
    burst: Burst | None = None
    prompt: Lengths = Lengths(mean=600)
    answer: Lengths = Lengths(mean=220)
    shared_prefix: float = Field(default=0.2, ge=0, le=0.99)
    prompt_logprobs: float = Field(default=0.0, ge=0, le=1)
    patience: Seconds = 120.0
    max_tokens: int = 1024


class Routing(_Part):
    """How requests reach replicas: evenly, to the least loaded, and a share that sticks to one replica."""

    policy: Literal["even", "least_requests"] = "even"
    pinned: float = Field(default=0.0, ge=0, le=1)
    pinned_to: int = 0


class Hpa(_Part):
    """A HorizontalPodAutoscaler on CPU (percent of the request) or on a metric per pod."""

    metric: str = "cpu"
    target: float = Field(gt=0)
    min_replicas: int = Field(ge=1)
    max_replicas: int = Field(ge=1)


class Workload(_Part):
    """One Deployment or StatefulSet. ``runtime`` none is a container that starts no engine."""

    namespace: str
    name: str
    kind: Literal["Deployment", "StatefulSet"] = "Deployment"
    runtime: Literal["vllm", "other", "none"] = "vllm"
    model: str = ""
    served_name: str = ""
    replicas: int = Field(default=1, ge=0)
    gpus: int = Field(default=1, ge=0)
    cpu: Quantity = "8"
    cpu_limit: Quantity | None = None
    memory: Quantity = "64Gi"
    memory_limit: Quantity | None = None
    args: dict[str, str | int | float | bool] = {}
    env: dict[str, str] = {}
    image: str = "vllm/vllm-openai:v0.11.0"
    command: tuple[str, ...] = ()
    container: str = "server"
    shm: Quantity | None = "16Gi"
    probes: bool = True
    startup_probe: bool = True
    pull: Literal["", "not_found", "denied"] = ""
    scraped: bool = True
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    node_selector: dict[str, str] = {}
    tolerations: tuple[dict[str, str], ...] = ({"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"},)
    max_surge: int | str = "25%"
    max_unavailable: int | str = "25%"
    hpa: Hpa | None = None
    pdb_min_available: int | None = None
    age: Seconds = 4 * 86400.0
    created: Seconds | None = None
    traffic: Traffic = Traffic()
    routing: Routing = Routing()

    @property
    def key(self) -> str:
        """``namespace/name``."""
        return f"{self.namespace}/{self.name}"

    @model_validator(mode="after")
    def _known_model(self) -> Workload:
        if self.runtime != "none":
            language_model(self.model)
        if self.hpa and self.hpa.min_replicas > self.hpa.max_replicas:
            raise ValueError(f"{self.key}: the autoscaler's least is more than its most")
        return self


Ailment = Literal[
    "hot",
    "power_brake",
    "power_cap",
    "locked",
    "remap_pending",
    "remap_failed",
    "double_bit",
    "pcie",
    "narrow",
    "frozen",
    "well",
]


class Change(_Part):
    """A cause that changes at a time: exactly one of a workload's, a GPU's or an exporter's.

    ``ailment`` is what a GPU suffers from then on: a cooler that fails, a brake from the rack's power supply, a low
    power limit, a clock that somebody locked, memory rows that wait to be remapped or cannot be, double-bit errors, a
    link that must repeat itself or lost lanes, an exporter that hears nothing of it any more and repeats itself.

    ``patch`` replaces fields of the workload's recipe. Fields of its pods (args, limits, ...) roll its pods
    out anew.
    """

    at: Seconds
    workload: str = ""
    patch: dict[str, Any] = {}
    node: str = ""
    gpu: int | None = None
    xid: int | None = None
    exporter: Literal["crash", "absent", "back"] | None = None
    ailment: Ailment | None = None

    @model_validator(mode="after")
    def _one_cause(self) -> Change:
        if bool(self.workload) == bool(self.node):
            raise ValueError("a change names a workload or a node")
        if self.node and sum(one is not None for one in (self.xid, self.exporter, self.ailment)) != 1:
            raise ValueError("a change of a node is an xid of a gpu, or its exporter, or an ailment of a gpu")
        if (self.xid is not None or self.ailment is not None) and self.gpu is None:
            raise ValueError("an xid or an ailment happens on a gpu: give its index")
        return self


class Scrape(_Part):
    """How often series are stored: every ``interval``, and every ``coarse`` before ``fine_for`` ago."""

    interval: Seconds = 30.0
    coarse: Seconds = 60.0
    fine_for: Seconds = 6 * 3600.0
    drop: str = ""


class Recipe(_Part):
    """A whole fleet."""

    seed: int = 1
    history: Seconds = 2 * 3600.0
    dt: float = Field(default=2.0, ge=0.5, le=5)
    kubernetes: str = "v1.31.4"
    driver: str = "550.127.08"
    scrape: Scrape = Scrape()
    node_exporter: bool = False
    node_problem_detector: bool = False
    dcgm_full: bool = False
    nodes: tuple[Node, ...] = Field(min_length=1)
    workloads: tuple[Workload, ...] = ()
    changes: tuple[Change, ...] = ()

    @model_validator(mode="after")
    def _names_exist(self) -> Recipe:
        workloads = [w.key for w in self.workloads]
        nodes = {n.name: n for n in self.nodes}
        if len(set(workloads)) < len(workloads) or len(nodes) < len(self.nodes):
            raise ValueError("two workloads or two nodes share one name")
        for change in self.changes:
            if change.workload and change.workload not in workloads:
                raise ValueError(f"a change names {change.workload!r}, which is no workload of this fleet")
            if change.node and change.node not in nodes:
                raise ValueError(f"a change names {change.node!r}, which is no node of this fleet")
            if change.gpu is not None and change.gpu >= nodes[change.node].gpus:
                raise ValueError(f"{change.node} has no GPU {change.gpu}")
        return self


def load(path: Path) -> Recipe:
    """Read a recipe file; raises ValueError with one sentence per mistake."""
    try:
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as why:
        raise ValueError(f"cannot read the recipe {path.name}: {why}") from None
    return parse(content, path.name)


def parse(content: Any, name: str = "recipe") -> Recipe:
    """Read a recipe from plain data; raises ValueError with one sentence per mistake."""
    try:
        return Recipe.model_validate(content)
    except ValidationError as why:
        said = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'recipe'}: {e['msg']}" for e in why.errors())
        raise ValueError(f"{name} is no recipe of a fleet: {said}") from None
