"""When reserving a GPU, keeping one on demand, or paying by use is the cheapest, on the user's own prices. It compares; it promises nothing."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tools.catalogue.gpus import gpu
from tools.catalogue.spelling import UnknownNameError, printable
from tools.costs_figures import plain
from tools.prices import PricesError

PLANS = ("reserved", "on_demand", "burst")


@dataclass(frozen=True, slots=True)
class Plans:
    """A GPU's prices in dollars an hour: reserved (paid always), on demand (paid while it is held), burst (paid while it works)."""

    gpu: str
    title: str
    reserved: float | None
    on_demand: float | None
    burst: float | None


@dataclass(frozen=True, slots=True)
class BreakEven:
    """Two ways of buying a GPU compared. `share` is the part of the time at which both cost the same, None where one always wins.

    `now` is the measured share of that kind of GPU (None where it was not seen), `cheaper` the plan that costs less at it.
    """

    gpu: str
    plans: tuple[str, str]
    share: float | None
    now: float | None
    cheaper: str
    how: str


def plans(told: Mapping[str, Mapping[str, float]]) -> tuple[Plans, ...]:
    """The user's plans by GPU; raises PricesError naming every entry that is no GPU, no plan or no price."""
    found: list[Plans] = []
    wrong: list[str] = []
    for name, prices in told.items():
        shown = printable(str(name))
        try:
            known = gpu(shown)
        except UnknownNameError as error:
            wrong.append(f"plans.{shown}: {error}")
            continue
        for plan, value in prices.items():
            if plan not in PLANS:
                wrong.append(f"plans.{shown}: {printable(str(plan))!r} is no plan; known: {', '.join(PLANS)}")
            elif (
                isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value <= 0
            ):
                wrong.append(
                    f"plans.{shown}: {plan} has no price in dollars an hour: write a number above 0, such as 2.5"
                )
        found.append(Plans(known.id, known.title, *(_number(prices.get(plan)) for plan in PLANS)))
    if wrong:
        raise PricesError("; ".join(wrong))
    return tuple(found)


def compare(one: Plans, held: float | None, worked: float | None) -> tuple[BreakEven, ...]:
    """Each pair of plans. `held` is the share of the time in which such GPUs are held, `worked` in which they work."""
    found = []
    if one.reserved and one.on_demand:
        found.append(_pair(one.title, ("reserved", "on_demand"), one.reserved, one.on_demand, held, "held"))
    if one.on_demand and one.burst:
        of_held = worked / held if worked is not None and held else None
        found.append(_pair(one.title, ("on_demand", "burst"), one.on_demand, one.burst, of_held, "at work while held"))
    if one.reserved and one.burst:
        found.append(_pair(one.title, ("reserved", "burst"), one.reserved, one.burst, worked, "at work"))
    return tuple(found)


def _pair(title: str, names: tuple[str, str], always: float, by_use: float, now: float | None, doing: str) -> BreakEven:
    """`always` is paid all the time, `by_use` for a share of it: equal at always / by_use."""
    said = f"{names[0]} ${plain(always)} an hour all the time; {names[1]} ${plain(by_use)} an hour while it is {doing}"
    if by_use <= always:
        how = f"{said}: {names[1]} costs no more at any share"
        return BreakEven(title, names, None, now, names[1], how)
    share = always / by_use
    how = f"{said}; equal at ${plain(always)} / ${plain(by_use)} = {share:.0%}"
    if now is None:
        return BreakEven(title, names, share, None, "", f"{how}; how long such GPUs are {doing} was not seen")
    cheaper = names[0] if now > share else names[1]
    how += f"; {doing} {now:.0%} of the window: ${plain(always)} against ${plain(by_use * now)} an hour"
    return BreakEven(title, names, share, now, cheaper, how)


def _number(value: object) -> float | None:
    good = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value) and value > 0
    return float(value) if good and isinstance(value, int | float) else None
