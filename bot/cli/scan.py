"""`rackside scan`: what is deployed."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.cli.ask import SAW_NOTHING, Cluster, Namespace, Workload

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

    from bot.scan_output import Coverage, Deployed, Fact, Objective, Scan
    from bot.settings import Settings
    from tools.intent import Intent
    from tools.intent_bundle import Bundle

BAD_USAGE = 2
ROOMY = 110
_COVER = {"detected": ("●", "green"), "partial": ("◐", "yellow"), "absent": ("○", "dim"), "unknown": ("?", "magenta")}


def scan(
    cluster: Cluster = None,
    namespace: Namespace = None,
    workload: Workload = None,
    claims: Annotated[
        list[Path] | None,
        typer.Option(help="A facts bundle of the PIQC scanner (piqc-facts.json), held against what is seen; may be given several times."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the scan as JSON.")] = False,
    modelspec: Annotated[bool, typer.Option("--modelspec", help="Print the workloads as ModelSpec documents (YAML).")] = False,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Show settings with their origin, and each fact's source.")] = False,
) -> None:  # fmt: skip
    """List every inference workload: model, engine, settings, GPUs, objectives, and how far it can be observed."""
    from rich.console import Console

    from bot.app import make_sources
    from bot.scan import asks
    from bot.scan import scan as look
    from bot.settings import load_settings
    from tools.diagnose import Within
    from tools.survey import survey

    if as_json and modelspec:
        raise typer.BadParameter("--json and --modelspec are two forms of one thing; choose one")
    settings = load_settings()
    intents, bundles = _read(settings, cluster, claims or [])
    prom, kube, matchers = make_sources(settings, cluster)
    with Console(stderr=True).status("Reading Prometheus and Kubernetes ..."):
        snapshot = survey(prom, kube, asks(), time.time(), matchers=matchers)
    within = Within(namespace, workload)
    nothing = snapshot.sees_nothing
    if (namespace or workload) and not nothing and not any(within.holds(one) for one in snapshot.topology.workloads):
        print("rackside: no such workload is known; `rackside doctor` says what can be seen.", file=sys.stderr)
        raise typer.Exit(BAD_USAGE)
    found = look(snapshot, within, intents, bundles)
    if as_json:
        from pydantic import TypeAdapter

        from bot.scan_output import Scan

        print(json.dumps(TypeAdapter(Scan).dump_python(found, mode="json"), ensure_ascii=False, allow_nan=False))
    elif modelspec:
        import yaml

        from bot.scan import modelspecs

        print(yaml.safe_dump_all(modelspecs(found), sort_keys=False, allow_unicode=True), end="")
    else:
        show(found, Console(highlight=False), verbose)
    if nothing:
        print("rackside: no source answered; `rackside doctor` says why.", file=sys.stderr)
        raise typer.Exit(SAW_NOTHING)


def _read(settings: Settings, cluster: str | None, claims: list[Path]) -> tuple[tuple[Intent, ...], tuple[Bundle, ...]]:
    from bot.intent_file import load_intents
    from tools.intent_bundle import read_bundle
    from tools.intent_text import IntentError

    try:
        return load_intents(settings, cluster=cluster), tuple(
            read_bundle(path.read_bytes(), path.name) for path in claims
        )
    except OSError as error:
        raise typer.BadParameter(f"{error.filename} cannot be read: {error.strerror}") from None
    except IntentError as error:
        for line in error.problems:
            print(f"rackside: {line}", file=sys.stderr)
        raise typer.Exit(BAD_USAGE) from None


def show(found: Scan, console: Console, verbose: bool = False) -> None:
    """Print the scan as a table; with `verbose` each workload with its settings and sources after it."""
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe

    if not found.workloads:
        rest = ", and not all could be seen" if found.blind else ""
        console.print(Text(f"No inference workload was seen{rest}.", style="bold"))
    else:
        wide = console.width >= ROOMY
        table = Table(box=None, padding=(0, 2, 0, 0), show_edge=False)
        for title in ("workload", "model", "engine", "GPUs", "ready", *(("objectives",) if wide else ()), "seen"):
            table.add_column(title, overflow="fold", no_wrap=title in {"ready", "seen"})
        for one in found.workloads:
            cells = [
                Text(safe(one.workload.partition("/")[2]), style="bold"),
                _said(one.model),
                Text(
                    safe(" ".join(_plain(fact) for fact in (one.engine, one.version) if fact.value is not None) or "?")
                ),
                Text(safe(_gpus(one))),
                Text(f"{_plain(one.replicas_ready)}/{_plain(one.replicas_wanted)}"),
            ]
            if wide:
                cells.append(Text("\n".join(_objective(each) for each in one.objectives) or "-"))
            table.add_row(*cells, _covered(one.coverage))
        console.print(table)
        legend = "  ".join(f"{mark} {state}" for state, (mark, _) in _COVER.items())
        what = ", ".join(each.what for each in max((one.coverage for one in found.workloads), key=len))
        console.print(Text(f"\nseen: {what}   {legend}", style="dim"), width=console.width)
    if verbose:
        for one in found.workloads:
            _details(one, console)
    clash = [f"{one.workload}: {each.key} is {each.value} by {each.source}, {each.why}" for one in found.workloads for each in one.claims if each.held == "contradicts"]  # fmt: skip
    lacking = [f"{one.what}: {one.state}, {one.seen} of {one.of}. {one.why}" for one in found.coverage if one.state != "detected"]  # fmt: skip
    unseen = [f"{one.what}: {one.why}" for one in found.blind if one.what not in {each.what for each in found.coverage}]
    for title, lines in (("Claims that what is seen contradicts", clash), ("Not seen whole", [*lacking, *unseen])):
        if lines:
            console.print(Text(f"\n{title}", style="bold"))
            for line in lines:
                console.print(Padding(Text(safe(line)), (0, 0, 0, 2)), width=console.width)


def _details(one: Deployed, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    from bot.terminal import safe

    console.print(Text(f"\n{safe(one.workload)}", style="bold cyan"))
    table = Table(box=None, padding=(0, 2, 0, 2), show_header=False)
    facts = [("model", one.model), ("served name", one.served_name), ("engine", one.engine), ("version", one.version), ("image", one.image), ("GPU", one.gpus.kind), ("GPUs of a replica", one.gpus.per_replica), ("owner", one.owner)]  # fmt: skip
    for name, fact in facts:
        where = f"{fact.source} {fact.query}".strip() if fact.value is not None else fact.why
        table.add_row(name, Text(safe(_plain(fact))), Text(f"{fact.confidence or ''}"), Text(safe(where), style="dim"))
    for setting in (each for each in one.settings if each.name != "model"):
        value = "not known" if setting.value is None else f"{setting.value:g}" if isinstance(setting.value, float) else str(setting.value)  # fmt: skip
        table.add_row(Text(safe(setting.name)), Text(safe(value)), Text(setting.confidence or ""), Text(safe(setting.origin), style="dim"))  # fmt: skip
    for each in one.coverage:
        mark, style = _COVER[each.state]
        table.add_row(each.what, Text(f"{mark} {each.seen} of {each.of}", style=style), each.state, Text(safe(each.why), style="dim"))  # fmt: skip
    for claim in one.claims:
        table.add_row(Text(safe(claim.key)), Text(safe(str(claim.value))), claim.held, Text(safe(f"{claim.why} {claim.source}"), style="dim"))  # fmt: skip
    console.print(table)


def _plain(fact: Fact) -> str:
    return "?" if fact.value is None else f"{fact.value:g}" if isinstance(fact.value, float) else fact.value


def _said(fact: Fact) -> Text:
    from rich.text import Text

    from bot.terminal import safe

    return Text(safe(_plain(fact))) if fact.value is not None else Text("?", style="magenta")


def _gpus(one: Deployed) -> str:
    count = one.gpus.held.value
    if count is None:
        return "?"
    if not count and not one.gpus.per_replica.value:
        return "none"
    kind = _plain(one.gpus.kind)
    return f"{count:g} {kind}" if isinstance(count, float) else kind


def _objective(each: Objective) -> str:
    from tools.check import duration_shown

    if each.unit != "seconds":
        return f"{each.name} {each.declared:g} %"
    now = duration_shown(each.measured.value) if isinstance(each.measured.value, float) else "?"
    return f"{each.name} {now} of {duration_shown(each.declared)}"


def _covered(coverage: tuple[Coverage, ...]) -> Text:
    from rich.text import Text

    return Text.assemble(*(_COVER[one.state] for one in coverage))
