"""What a report of costs holds: plain and frozen, so that a terminal, JSON and the digest tell the same."""

from __future__ import annotations

from dataclasses import dataclass, field

from tools.costs_break_even import BreakEven
from tools.costs_figures import Figure, Spent
from tools.costs_provision import Provision
from tools.costs_tokens import Tokens
from tools.finding import BlindSpot

# Why no owner or tenant is told, where labels were seen.
UNLABELLED = "no label"


@dataclass(frozen=True, slots=True)
class GpuKind:
    """GPUs of one kind that a workload or a node has, with their price. `why` says why there is none."""

    gpu: str
    count: float
    usd_per_gpu_hour: float | None
    price: str
    date: str
    url: str
    own: bool
    spot: bool
    why: str


@dataclass(frozen=True, slots=True)
class WorkloadCost:
    """One workload that holds GPUs. `usd_per_hour` is what it costs now; `spent` where its GPU-hours of the window went.

    `owner` and `tenant` are empty where no label says; `owner_why` and `tenant_why` then say that, or why labels could not be seen.
    """

    workload: str
    namespace: str
    owner: str
    tenant: str
    engine: str
    gpus: float
    kinds: tuple[GpuKind, ...]
    usd_per_hour: Figure | None
    spent: tuple[Spent, ...]
    tokens: Tokens
    provision: Provision
    owner_why: str = ""
    tenant_why: str = ""


@dataclass(frozen=True, slots=True)
class NodeCost:
    """One node with GPUs: what it costs, and what became of the hours that no present pod accounts for."""

    node: str
    kind: GpuKind
    usd_per_hour: Figure | None
    devices: float
    held: float
    spent: tuple[Spent, ...]


@dataclass(frozen=True, slots=True)
class Share:
    """What somebody (an owner, a tenant, a namespace) costs an hour; None where a price is missing. `workloads` are counted."""

    name: str
    gpus: float
    usd_per_hour: float | None
    workloads: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What a scope costs. `spent` adds up to the GPU-hours of the window (`gpu_hours`). `unpriced` are GPUs without a price.

    `gpus` and `gpu_hours` are null where none was seen and nobody could tell of any: that is not zero.
    """

    at: str
    window: str
    gpus: float | None
    gpu_hours: float | None
    usd_per_hour: Figure | None
    unpriced: float
    workloads: tuple[WorkloadCost, ...]
    nodes: tuple[NodeCost, ...]
    owners: tuple[Share, ...]
    namespaces: tuple[Share, ...]
    tenants: tuple[Share, ...]
    not_attributable: str
    spent: tuple[Spent, ...]
    break_even: tuple[BreakEven, ...]
    assumed: tuple[str, ...]
    blind: tuple[BlindSpot, ...] = field(default=())
