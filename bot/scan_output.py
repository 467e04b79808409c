"""What a scan holds: every inference workload, each fact with its source, confidence and age. What is not known says why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from tools.finding import BlindSpot, Confidence

Cover = Literal["detected", "partial", "absent", "unknown"]
Held = Literal["agrees", "contradicts", "not compared", "distrusted"]


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that is known, or not: then `value` is None and `why` says why. `age_s` is how old the reading is, None unread.

    Confidence: high where an object states it or a fresh sample shows it, medium where it is a default or replicas differ, low where
    it is guessed from a name.
    """

    value: str | float | None
    unit: str
    source: str
    query: str
    confidence: Confidence | None
    age_s: float | None
    why: str = ""


@dataclass(frozen=True, slots=True)
class SettingFact:
    """One setting as the engine resolves it, and where that comes from (`argument --tp`, `default of vLLM 0.11.0`)."""

    name: str
    value: str | float | bool | None
    origin: str
    confidence: Confidence | None


@dataclass(frozen=True, slots=True)
class GpuFact:
    """GPUs of a workload: kind, how many a replica requests and all hold, memory of one in GiB, and on which nodes."""

    kind: Fact
    per_replica: Fact
    held: Fact
    memory_gib: Fact
    nodes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Objective:
    """One declared objective, what was measured, and where it is declared."""

    name: str
    declared: float
    unit: str
    source: str
    measured: Fact


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far something can be observed. `absent` never means failed, `unknown` that nobody could look."""

    what: str
    state: Cover
    seen: int
    of: int
    why: str


@dataclass(frozen=True, slots=True)
class Claimed:
    """What a scanner's bundle claims of it, held against what was seen here. A claim is never taken over."""

    key: str
    value: str | float | bool
    unit: str
    source: str
    confidence: str
    observed_at: str
    held: Held
    why: str


@dataclass(frozen=True, slots=True)
class Deployed:
    """One inference workload."""

    workload: str
    namespace: str
    model: Fact
    served_name: Fact
    engine: Fact
    version: Fact
    image: Fact
    settings: tuple[SettingFact, ...]
    flags: tuple[SettingFact, ...]
    gpus: GpuFact
    replicas_wanted: Fact
    replicas_ready: Fact
    autoscaler: str
    owner: Fact
    intent: str
    objectives: tuple[Objective, ...]
    coverage: tuple[Coverage, ...]
    claims: tuple[Claimed, ...]


@dataclass(frozen=True, slots=True)
class Scan:
    """Everything that is deployed in a scope, and how far the scope itself can be observed."""

    at: str
    workloads: tuple[Deployed, ...]
    coverage: tuple[Coverage, ...]
    blind: tuple[BlindSpot, ...]
