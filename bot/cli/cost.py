"""`rackside cost`: what the fleet costs, whose it is, and where its GPU-hours went."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import compress
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli import moments
from bot.cli.ask import SAW_NOTHING, At, Cluster, Namespace, Workload

if TYPE_CHECKING:
    from rich.console import Console

    from tools.costs_figures import Figure, Spent
    from tools.costs_output import Costs

BAD_USAGE = 2
SHOWN = 40
ROOMY = 110
_STYLES = {"used": "green", "standby": "cyan", "idle": "yellow", "free": "blue", "stranded": "red", "unseen": "magenta"}


def cost(
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    at: At = None,
    window: Annotated[str, typer.Option(help="How far back hours and tokens are counted, from 15m to 7d.")] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="Print the costs as JSON.")] = False,
) -> None:
    """What GPUs cost by workload, owner, token and request; where GPU-hours went, and why idle ones are idle."""
    import time

    from rich.console import Console

    from bot.cost import read_costs
    from bot.settings import load_settings
    from tools.costs import WindowError
    from tools.diagnose import Within

    settings = load_settings()
    within = Within(namespace, workload)
    moment = moments.parse(at, time.time())
    try:
        with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
            found, snapshot = read_costs(settings, cluster, within, window, at=moment)
    except WindowError as problem:
        raise typer.BadParameter(str(problem)) from None
    nothing = snapshot.sees_nothing
    if (namespace or workload) and not nothing and not any(within.holds(one) for one in snapshot.topology.workloads):
        print("rackside: no such workload is known; `rackside doctor` says what can be seen.", file=sys.stderr)
        raise typer.Exit(BAD_USAGE)
    if as_json:
        from pydantic import TypeAdapter

        from tools.costs_output import Costs

        print(json.dumps(TypeAdapter(Costs).dump_python(found, mode="json"), ensure_ascii=False, allow_nan=False))
    else:
        show(found, Console(highlight=False))
    if nothing:
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


def show(found: Costs, console: Console) -> None:
    """Print the costs as tables."""
    from rich.padding import Padding
    from rich.text import Text

    from bot.terminal import WIDEST, safe

    width = min(console.width, WIDEST)
    console.print(Text(_verdict(found), style="bold"), width=width)
    _hours(found.spent, found.gpu_hours, console, width)
    _workloads(found, console)
    for title, lines in _lists(found):
        if lines:
            console.print(Text(f"\n{title}", style="bold"))
            for line in lines:
                console.print(Padding(Text(safe(line)), (0, 0, 0, 2)), width=width)


def _verdict(found: Costs) -> str:
    if not found.gpus:
        return f"No GPU {'was seen' if found.gpus is None else 'is there'}, so nothing is said of costs."
    total = f"{money(found.usd_per_hour)} an hour" if found.usd_per_hour else "at a price that is not known"
    said = f"{found.gpus:,.4g} GPUs, {total}."
    if found.unpriced:
        said += f" {found.unpriced:.4g} of them have no price and are not in it."
    return said


def _hours(spent: Sequence[Spent], whole: float | None, console: Console, width: int) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe

    if not spent:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), title_justify="left", show_edge=False)
    for title in ("GPU-hours", "share", "USD", "", "why"):
        table.add_column(title, justify="right" if title in {"GPU-hours", "share", "USD"} else "left", overflow="fold")
    for one in spent:
        table.add_row(
            f"{one.gpu_hours:,.2f}",
            f"{one.gpu_hours / whole:.0%}" if whole else "",
            money_of(one.usd),
            Text(one.kind, style=_STYLES.get(one.kind, "dim")),
            Text(safe(one.reason)),
        )
    console.print()
    console.print(table, width=width)


def _workloads(found: Costs, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe

    if not found.workloads:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
    wide = console.width >= ROOMY
    titles = ["workload", "owner", "GPUs", "$/hour", "used", "idle", "unseen", "$/1k tokens", "$/request", "size"]
    shown = [True, wide, wide, True, True, True, wide, True, wide, True]
    for title in compress(titles, shown):
        text = title in {"workload", "owner", "GPUs", "size"}
        table.add_column(title, justify="left" if text else "right", overflow="fold", no_wrap=not text)
    for one in found.workloads[:SHOWN]:
        hours = sum(each.gpu_hours for each in one.spent) or 1.0
        share = {
            kind: sum(each.gpu_hours for each in one.spent if each.kind == kind) / hours
            for kind in ("used", "idle", "unseen")
        }
        size = one.provision.verdict
        cells = [
            Text(safe(one.workload.partition("/")[2])),
            Text(safe(one.owner or "-")),
            Text(safe(", ".join(f"{kind.count:.4g} {kind.gpu}" for kind in one.kinds))),
            Text(money(one.usd_per_hour)),
            *(Text(f"{part:.0%}" if part else "-") for part in share.values()),
            Text(money(one.tokens.usd_per_1k_tokens)),
            Text(money(one.tokens.usd_per_request)),
            Text(size, style={"over": "yellow", "under": "red"}.get(size, "")),
        ]
        table.add_row(*compress(cells, shown))
    console.print()
    console.print(table, width=console.width)
    if len(found.workloads) > SHOWN:
        console.print(Text(f"and {len(found.workloads) - SHOWN} more; --json lists them all", style="dim"))


def _lists(found: Costs) -> list[tuple[str, list[str]]]:
    shares = [(title, [f"{one.name}: {money_of(one.usd_per_hour)} an hour, {one.gpus:.4g} GPUs" for one in each]) for title, each in (("By owner", found.owners), ("By tenant", found.tenants))]  # fmt: skip
    if found.not_attributable:
        shares[1][1].append(found.not_attributable)
    sizes = [
        f"{one.workload}: {one.provision.verdict}. {one.provision.why}. {'; '.join(one.provision.looked_at)}".rstrip(
            ". "
        )
        for one in found.workloads
        if one.provision.verdict in {"over", "under"}
    ]
    even = [f"{one.gpu}: {one.how}" + (f"; {one.cheaper} is the lower of the two" if one.cheaper else "") for one in found.break_even]  # fmt: skip
    prices = {
        f"{kind.gpu}: " + (f"${kind.usd_per_gpu_hour:,.4g} an hour, {kind.price}{' ' + kind.url if kind.url else ''}" if kind.usd_per_gpu_hour else kind.why): None
        for kind in (*(kind for one in found.workloads for kind in one.kinds), *(one.kind for one in found.nodes))
    }  # fmt: skip
    notes = [f"{one.workload}: {one.tokens.note}" for one in found.workloads if one.tokens.note]
    return [
        *shares,
        ("Too many or too few replicas (busy time, queue, KV cache and objective together)", sizes),
        ("Break-even", even),
        ("Prices", list(prices)),
        ("Tokens", notes),
        ("Could not see", [f"{one.what}: {one.why}" for one in found.blind]),
        ("Assumed", list(found.assumed)),
    ]


def money(figure: Figure | None) -> str:
    """A figure in dollars, `n/a` where there is none."""
    return money_of(figure.value if figure is not None else None)


def money_of(usd: float | None) -> str:
    """Dollars: cents for what is more than one, else three digits that count."""
    if usd is None:
        return "n/a"
    return f"${usd:,.2f}" if usd >= 1 or usd == 0 else f"${usd:.3g}"
