"""One GPU as a device: who holds it, what runs on it, and what dcgm reads from it every 30 seconds."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

from evals.fleet.engine import Activity
from evals.fleet.hardware import LANES, MIB, GpuModel
from evals.fleet.identity import hexes

COLLECT = 30.0
DENSE = 0.4  # tensor activity at which a board is at its power limit now and then
_BUSES = ("1B", "43", "52", "61", "9D", "C3", "D1", "DF", "0F", "2D", "35", "4E", "6A", "7F", "87", "AE")


@dataclass(slots=True)
class Reading:
    """The values of one dcgm collection; shares are averages over the 30 seconds before it."""

    busy: float = 0.0
    tensor: float = 0.0
    dram: float = 0.0
    pcie: float = 0.0
    link: float = 0.0
    fetched: float = 0.0
    power: float = 0.0
    temperature: float = 0.0
    memory: float = 0.0
    clock: int = 0
    energy: float = 0.0
    xid: int = 0
    lost: bool = False
    reasons: int = 0
    thermal: float = 0.0
    powered: float = 0.0
    replays: int = 0


# Clock event reasons as NVML numbers them.
GPU_IDLE, CLOCKS_SETTING, SW_POWER_CAP, HW_SLOWDOWN = 0x1, 0x2, 0x4, 0x8
SW_THERMAL, HW_THERMAL, HW_POWER_BRAKE = 0x20, 0x40, 0x80
_SLOW = {
    "hot": (0.36, HW_SLOWDOWN | SW_THERMAL | HW_THERMAL),
    "power_brake": (0.3, HW_SLOWDOWN | HW_POWER_BRAKE),
    "power_cap": (0.62, SW_POWER_CAP),
    "locked": (0.5, CLOCKS_SETTING),
}


@dataclass(slots=True)
class Device:
    """A GPU.

    ``holder`` is namespace, pod and container of who it is allocated to, empty strings for nobody.
    """

    node: str
    index: int
    model: GpuModel
    holder: tuple[str, str, str] = ("", "", "")
    used: float = 0.0
    context: bool = False
    xid: int = 0
    lost: bool = False
    healthy: bool = True
    energy: float = 0.0
    temperature: float = 31.0
    power: float = 0.0
    reading: Reading = field(default_factory=Reading)
    exposed: Any = None
    ailment: str = "well"
    thermal: float = 0.0
    powered: float = 0.0
    replays: float = 0.0
    dense: bool = False
    _since: float = 0.0
    _sums: list[float] = field(default_factory=lambda: [0.0] * 6)
    _collected: float = -1.0

    @property
    def uuid(self) -> str:
        """The device's UUID as the driver prints it."""
        raw = hexes(32, "gpu", self.node, self.index)
        return f"GPU-{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"

    @property
    def bus(self) -> str:
        """The PCI bus id."""
        return f"00000000:{_BUSES[self.index]}:00.0"

    @property
    def clock_share(self) -> float:
        """The share of its full clock that it runs at while it works; heat takes a few minutes to slow it down."""
        share, _ = _SLOW.get(self.ailment, (1.0, 0))
        if self.ailment == "hot":
            return 1.0 if self.temperature < 84 else share
        return share

    @property
    def reasons(self) -> int:
        """The clock event reasons of the moment, as a bit mask."""
        if not self.context:
            return GPU_IDLE
        # Dense computation touches the board's power limit for moments, which costs next to no clock.
        return _SLOW[self.ailment][1] if self.clock_share < 1.0 else SW_POWER_CAP * self.dense

    @property
    def power_limit(self) -> float:
        """Watts that it may draw: what was set, or the board's own."""
        return round(self.model.tdp * (0.55 if self.ailment == "power_cap" else 1.0))

    @property
    def lanes(self) -> int:
        """Lanes of its PCIe link."""
        return LANES // 4 if self.ailment == "narrow" else LANES

    @property
    def link_generation(self) -> int:
        """Generation at which its PCIe link runs: the first one at rest."""
        return self.model.pcie if self.reading.busy > 0.01 else 1

    def idle_memory(self) -> float:
        """Bytes that the driver shows as used with no process on the device."""
        return (1 if self.model.hbm else 3) * MIB

    def step(self, now: float, dt: float, doing: Activity | None) -> None:
        """Let ``dt`` pass with the activity of whoever runs on it; collect when 30 seconds are over."""
        act = doing if doing is not None and not self.lost else Activity()
        model = self.model
        spread = model.tdp - model.idle_power
        warm = 0.16 if self.context else 0.0
        load = warm * (1 - act.busy) + act.busy * 0.22 + 0.42 * act.dram + 0.85 * act.tensor
        self.power = 0.0 if self.lost else min(model.tdp * 0.99, model.idle_power + spread * load)
        self.power *= self.clock_share**0.8
        goal = 29 + 42 * self.power / model.tdp
        if self.ailment == "hot":
            goal = 88.0 if act.busy > 0.05 else 52.0
        self.dense = act.tensor >= DENSE
        slowed = dt * 1e9 * act.busy
        if self.reasons & (SW_THERMAL | HW_THERMAL):
            self.thermal += slowed
        elif self.reasons & (SW_POWER_CAP | HW_POWER_BRAKE):
            self.powered += slowed
        self.replays += dt * 1.7 if self.ailment == "pcie" else 0.0
        self.temperature += (goal - self.temperature) * (1 - math.exp(-dt / 45))
        self.energy += self.power * dt
        for place, value in enumerate((act.busy, act.tensor, act.dram, act.pcie, act.link, act.fetched)):
            self._sums[place] += value * dt
        self._since += dt
        due = self._collected < 0 or now - self._collected >= COLLECT - 1e-6
        if due and self.ailment != "frozen":
            self._collect(now)

    def _collect(self, now: float) -> None:
        busy, tensor, dram, pcie, link, fetched = (value / self._since for value in self._sums)
        self.reading = Reading(
            busy=busy,
            tensor=tensor,
            dram=dram,
            pcie=pcie,
            link=link,
            fetched=fetched,
            power=self.power,
            temperature=self.temperature,
            memory=self.used if self.context else self.idle_memory(),
            clock=round(self.model.sm_clock * self.clock_share / 15) * 15
            if self.context
            else (345 if self.model.hbm else 210),
            reasons=self.reasons,
            thermal=self.thermal,
            powered=self.powered,
            replays=int(self.replays),
            energy=self.energy,
            xid=self.xid,
            lost=self.lost,
        )
        self._collected, self._since, self._sums = now, 0.0, [0.0] * 6
