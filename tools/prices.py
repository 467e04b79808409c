"""What GPUs cost an hour: the user's own prices first, then dated list prices of the clouds.

List prices rot: whoever shows one shows its date. A month is 730 hours.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tools.catalogue.gpus import gpu
from tools.catalogue.instances import instance, instances
from tools.catalogue.spelling import UnknownNameError, printable

HOURS_PER_MONTH = 730
_TABLE = Path(__file__).parent / "catalogue" / "prices.toml"


class PricesError(ValueError):
    """The user's price table cannot be read; the message says every line that is wrong."""


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars an hour of one GPU, with where it is from; `own` when it is from the user's table."""

    gpu: str
    usd_per_hour: float
    said: str
    date: str
    url: str = ""
    own: bool = False

    def month(self, count: int) -> float:
        """US dollars a month of `count` GPUs that run all the time."""
        return self.usd_per_hour * count * HOURS_PER_MONTH


@dataclass(frozen=True, slots=True)
class PriceBook:
    """Prices of one GPU-hour by GPU id: the user's, and the list's lowest per GPU."""

    own: Mapping[str, Price]
    listed: Mapping[str, Price]

    def price(self, gpu_id: str, machine: str = "") -> Price | None:
        """The price of a GPU: the user's, that of the machine type it is in, the lowest listed; None when nobody gave one."""
        return self.own.get(gpu_id) or _of_machine(gpu_id, machine) or self.listed.get(gpu_id)


def price_book(own: Mapping[str, object] | None = None) -> PriceBook:
    """The price book. `own` maps a GPU or machine type to dollars an hour of one GPU, or of the whole machine for a machine type.

    Raises PricesError naming every entry that is no known name or no positive, finite number.
    """
    prices: dict[str, Price] = {}
    wrong: list[str] = []
    for name, value in (own or {}).items():
        shown = printable(str(name))
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0:
            wrong.append(
                f"prices.{shown}: {printable(str(value))!r} is no price in dollars an hour: write a number above 0, such as 2.5"
            )
            continue
        try:
            if shown.lower() in instances():
                machine = instance(shown)
                prices[machine.gpu] = Price(
                    machine.gpu, value / machine.count, f"your price of {machine.type}", "", own=True
                )
            else:
                known = gpu(shown)
                prices[known.id] = Price(known.id, float(value), "your price", "", own=True)
        except UnknownNameError as error:
            wrong.append(f"prices.{shown}: {error}")
    if wrong:
        raise PricesError("; ".join(wrong))
    return PriceBook(prices, _lowest())


def cost_per_million(usd_per_hour: float, tokens_per_second: float, duty: float = 1.0) -> float:
    """Dollars per million tokens of GPUs that cost `usd_per_hour` together, busy for the share `duty` of the time.

    Raises ValueError for a rate or a share that is not positive, or a share above 1.
    """
    if not (tokens_per_second > 0 and 0 < duty <= 1 and usd_per_hour >= 0):
        raise ValueError("tokens per second and duty must be positive, duty at most 1, the price not negative")
    return usd_per_hour / (tokens_per_second * 3600) * 1e6 / duty


@dataclass(frozen=True, slots=True)
class ListPrice:
    """One machine type's list price in US dollars an hour of the whole machine."""

    type: str
    cloud: str
    region: str
    gpu: str
    count: int
    usd_per_hour: float
    date: str
    url: str


@cache
def list_prices() -> tuple[ListPrice, ...]:
    """Every list price that is kept, in the table's order."""
    content = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    found = []
    for name, usd in content["usd_per_hour"].items():
        machine = instance(name)
        cloud = content["clouds"][machine.cloud]
        found.append(
            ListPrice(
                name,
                machine.cloud,
                cloud["region"],
                machine.gpu,
                machine.count,
                float(usd),
                cloud["date"],
                cloud["url"],
            )
        )
    return tuple(found)


@cache
def _lowest() -> Mapping[str, Price]:
    lowest: dict[str, Price] = {}
    for row in sorted(list_prices(), key=lambda one: one.usd_per_hour / one.count):
        lowest.setdefault(row.gpu, _listed(row))
    return lowest


@cache
def _by_machine() -> Mapping[str, Price]:
    return {row.type.lower(): _listed(row) for row in list_prices()}


def _of_machine(gpu_id: str, machine: str) -> Price | None:
    found = _by_machine().get(machine.lower())
    return found if found is not None and found.gpu == gpu_id else None


def _listed(row: ListPrice) -> Price:
    said = f"on demand, {row.cloud} {row.type} in {row.region}, list price of {row.date}"
    return Price(row.gpu, row.usd_per_hour / row.count, said, row.date, row.url)
