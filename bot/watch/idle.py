"""GPUs that are held, or stand free, and do nothing: from the account of GPU-hours, never from missing data."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from bot.watch.notice import Found, Looked

if TYPE_CHECKING:
    from tools.costs_figures import Spent
    from tools.costs_output import Costs

LEAST = 0.95
# More than this unseen, and nothing is said.
MOST_UNSEEN = 0.05
_IDLE = ("idle",)
_FREE = ("free", "stranded")


def idle(costs: Costs, hours: float, least: float = LEAST) -> Looked:
    """Who did nothing with its GPUs for the whole of a window of `hours`, in at least a share of its GPU-hours.

    Whoever has not held them for the whole window is still in its grace; whoever is kept warm on purpose is left alone.
    """
    found: list[Found] = []
    unknown: list[tuple[str, str]] = []
    for one in costs.workloads:
        whole = one.gpus * hours
        share = _share(one.spent, _IDLE, whole)
        if _share(one.spent, ("unseen",), whole) > MOST_UNSEEN:
            unknown.append((one.workload, _reasons(one.spent, ("unseen",))))
        elif share >= least:
            price = _price(one.usd_per_hour.value if one.usd_per_hour else None)
            said = f"{_gpus(one.gpus)} idle in {_percent(share)} of the last {costs.window} ({_reasons(one.spent, _IDLE)}){price}."
            propose = "If nobody needs it, its owner can scale it down; if it is kept warm on purpose, declare it a standby or allow it here."
            found.append(Found(one.workload, said, one.owner or one.tenant, propose))
    for node in costs.nodes:
        whole = node.devices * hours
        share = _share(node.spent, _FREE, whole)
        if _share(node.spent, ("unseen",), whole) > MOST_UNSEEN:
            unknown.append((f"node/{node.node}", _reasons(node.spent, ("unseen",))))
        elif share >= least:
            price = _price(node.usd_per_hour.value if node.usd_per_hour else None)
            said = f"{_gpus(node.devices)} that nobody held in {_percent(share)} of the last {costs.window} ({_reasons(node.spent, _FREE)}){price}."
            propose = (
                "If no workload is to come, the node pool can be made smaller; if it is kept in reserve, allow it here."
            )
            found.append(Found(f"node/{node.node}", said, "", propose))
    return Looked(tuple(found), (*unknown, *((one.what, one.why) for one in costs.blind)))


def _share(spent: Iterable[Spent], kinds: tuple[str, ...], whole: float) -> float:
    # Over the whole window, not over what was accounted for: a pod of ten minutes is not idle for hours.
    return sum(one.gpu_hours for one in spent if one.kind in kinds) / whole if whole > 0 else 0.0


def _reasons(spent: Iterable[Spent], kinds: tuple[str, ...]) -> str:
    told = sorted((one for one in spent if one.kind in kinds), key=lambda one: -one.gpu_hours)
    return ", ".join(dict.fromkeys(one.reason for one in told[:3]))


def _gpus(count: float) -> str:
    return f"{count:g} GPU{'' if count == 1 else 's'}"


def _price(usd: float | None) -> str:
    return f", ${usd:,.2f} an hour" if usd is not None else ""


def _percent(share: float) -> str:
    return f"{min(100, round(100 * share))} %"
