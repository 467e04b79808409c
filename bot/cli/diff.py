"""`rackside diff A B`: two namespaces or clusters side by side."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ask import SAW_NOTHING

if TYPE_CHECKING:
    from rich.console import Console

    from bot.settings import Settings
    from tools.parity import Pair, Parity, Side
    from tools.snapshot import Snapshot

BAD_USAGE = 2
FORM = "NAMESPACE, CLUSTER:NAMESPACE, or CLUSTER: for all of a cluster"


def diff(
    a: Annotated[str, typer.Argument(help=f"One environment: {FORM}.")],
    b: Annotated[str, typer.Argument(help="The other.")],
    as_json: Annotated[bool, typer.Option("--json", help="Print the differences as JSON.")] = False,
) -> None:
    """Compare the inference workloads of two namespaces or clusters: engine, settings, image, limits, GPUs, replicas, probes."""
    from rich.console import Console

    from bot.settings import load_settings
    from tools.parity import parity

    settings = load_settings()
    taken: dict[str | None, Snapshot] = {}
    with Console(stderr=True).status("Reading Kubernetes ..."):
        first, second = (_side(settings, name, taken) for name in (a, b))
    found = parity(first, second)
    if as_json:
        from pydantic import TypeAdapter

        from tools.parity import Parity

        print(json.dumps(TypeAdapter(Parity).dump_python(found, mode="json"), ensure_ascii=False))
    else:
        show(found, Console(highlight=False))
    if any(side.snapshot.sees_nothing for side in (first, second)):
        print("rackside: no source answered for one of them; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)
    for side in (first, second):
        if not side.workloads():
            print(f"rackside: there is no inference workload in {side.name}.", file=sys.stderr)
            raise typer.Exit(BAD_USAGE)


def _side(settings: Settings, name: str, taken: dict[str | None, Snapshot]) -> Side:
    from bot.app import make_sources
    from tools.parity import Side, asks
    from tools.survey import survey

    cluster, colon, namespace = name.rpartition(":")
    chosen = cluster if colon else None
    if not name.strip() or (colon and not cluster):
        raise typer.BadParameter(f"{name!r} is no environment: write {FORM}")
    if chosen not in taken:
        prom, kube, matchers = make_sources(settings, chosen)
        taken[chosen] = survey(prom, kube, asks(), time.time(), matchers=matchers)
    return Side(name, taken[chosen], namespace or None)


def show(found: Parity, console: Console) -> None:
    """Print what differs, a pair of workloads at a time."""
    from rich.padding import Padding
    from rich.text import Text

    from bot.terminal import WIDEST, safe

    width = min(console.width, WIDEST)
    count = sum(len(pair.differences) for pair in found.pairs)
    same = sum(pair.same for pair in found.pairs)
    unseen = sum(len(pair.unseen) for pair in found.pairs)
    said = f"{count} differences in {len(found.pairs)} pairs of workloads, {same} fields are the same"
    said += f", {unseen} could not be compared." if unseen else "."
    if not found.pairs:
        said = "Not one workload of the two could be compared" + (": not all of them was seen." if found.blind else ".")
    console.print(Text(said, style="bold"), width=width)
    for pair in found.pairs:
        _pair(pair, found, console)
    for title, lines in (
        (f"Only in {found.a}", found.only_a),
        (f"Only in {found.b}", found.only_b),
        ("Could not see", [f"{one.what}: {one.why}" for one in found.blind]),
    ):
        if lines:
            console.print(Text(f"\n{safe(title)}", style="bold"))
            for line in lines:
                console.print(Padding(Text(safe(line)), (0, 0, 0, 2)), width=width)


def _pair(pair: Pair, found: Parity, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import WIDEST, safe

    width = min(console.width, WIDEST)
    names = pair.a if pair.a == pair.b else f"{pair.a} and {pair.b}"
    rest = f", {len(pair.unseen)} could not be compared" if pair.unseen else ""
    console.print()
    console.print(Text.assemble((safe(names), "bold cyan"), f"  {pair.same} fields are the same{rest}"), width=width)
    if not pair.differences:
        return
    table = Table(box=None, padding=(0, 2, 0, 2), show_edge=False)
    table.add_column("", overflow="fold")
    table.add_column(Text(safe(found.a)), overflow="fold", style="red")
    table.add_column(Text(safe(found.b)), overflow="fold", style="green")
    for one in pair.differences:
        field = one.field if one.group in {one.field, "flags", "settings"} else f"{one.group}: {one.field}"
        table.add_row(Text(safe(field)), Text(safe(one.a)), Text(safe(one.b)))
    console.print(table, width=width)
