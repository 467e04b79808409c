"""What a fleet costs, as far as a digest tells it; kept with the audit, so that next week can compare."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from tools.costs_output import UNLABELLED, Costs, WorkloadCost


@dataclass(frozen=True, slots=True)
class Idle:
    """GPU-hours of the window that a workload held and did nothing with; `usd` is None without a price.

    `owner` is empty where no label says; `owner_unseen` then says why labels could not be seen, empty where there is none.
    """

    workload: str
    owner: str
    gpu_hours: float
    usd: float | None
    reason: str
    owner_unseen: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """What one workload or node costs an hour (None without a price), and its owner (empty where no label says)."""

    usd_per_hour: float | None
    owner: str


@dataclass(frozen=True, slots=True)
class Spending:
    """What a place costs. `hours` are GPU-hours of the window by kind (tools/costs_figures.py), `usd` their prices.

    Where nothing is known, `why` says so and the figures are None; `blind` are sources that did not answer, each with its reason.
    """

    window: str = ""
    usd_per_hour: float | None = None
    gpus: float | None = None
    unpriced: float = 0.0
    hours: Mapping[str, float] = field(default_factory=dict)
    usd: Mapping[str, float | None] = field(default_factory=dict)
    workloads: Mapping[str, Runs] = field(default_factory=dict)
    idle: tuple[Idle, ...] = ()
    why: str = ""
    blind: tuple[str, ...] = ()

    @property
    def known(self) -> bool:
        """Whether there is anything to tell."""
        return not self.why

    @property
    def whole(self) -> bool:
        """Whether all of the place was seen and priced, so that two of them can be compared."""
        return self.known and not self.blind and not self.unpriced and self.usd_per_hour is not None


def _unseen(one: WorkloadCost) -> str:
    return "" if one.owner or one.owner_why == UNLABELLED else one.owner_why


def spending_of(costs: Costs) -> Spending:
    """The costs as a digest tells them."""
    blind = tuple(f"{one.what}: {one.why}" for one in costs.blind)
    if costs.usd_per_hour is None and costs.gpus is None:
        return Spending(window=costs.window, why="; ".join(blind) or "no GPU can be seen")
    hours: dict[str, float] = {}
    usd: dict[str, float | None] = {}
    for one in costs.spent:
        hours[one.kind] = hours.get(one.kind, 0.0) + one.gpu_hours
        before = usd.get(one.kind, 0.0)
        usd[one.kind] = None if before is None or one.usd is None else before + one.usd
    idle = [
        Idle(each.workload, each.owner, one.gpu_hours, one.usd, one.reason, _unseen(each))
        for each in costs.workloads
        for one in each.spent
        if one.kind == "idle"
    ]
    nodes = {f"node/{one.node}": Runs(one.usd_per_hour.value if one.usd_per_hour else None, "") for one in costs.nodes}
    return Spending(
        window=costs.window,
        usd_per_hour=costs.usd_per_hour.value if costs.usd_per_hour else None,
        gpus=costs.gpus,
        unpriced=costs.unpriced,
        hours=hours,
        usd=usd,
        workloads={
            each.workload: Runs(each.usd_per_hour.value if each.usd_per_hour else None, each.owner)
            for each in costs.workloads
        }
        | nodes,
        idle=tuple(sorted(idle, key=lambda one: (-(one.usd or 0.0), -one.gpu_hours, one.workload))),
        blind=blind,
    )
