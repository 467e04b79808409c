"""`rackside size`: does a model fit on GPUs, in plain words or by options; a table, the formula, and the nearest fit that works."""

from __future__ import annotations

import dataclasses
import json
import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bot.advisor.sizing_question import SizingQuestion
    from bot.advisor.sizing_report import SizingReport
    from tools.catalogue.models import Model

BAD_USAGE = 2


def size(
    words: Annotated[
        list[str] | None,
        typer.Argument(help="A question (`does llama 3.1 70b fit on 2 h100 at 32k with 16 users?`) or a model's name."),
    ] = None,
    model: Annotated[
        str | None, typer.Option("--model", "-m", help="The model, as on Hugging Face or in short.")
    ] = None,
    gpu: Annotated[
        str | None, typer.Option(help="GPU, product label or cloud machine type; without it: the fewest of each kind.")
    ] = None,
    count: Annotated[int | None, typer.Option(help="How many GPUs serve one copy of the model.")] = None,
    context: Annotated[int | None, typer.Option(help="Tokens of one request, prompt and answer together.")] = None,
    users: Annotated[int | None, typer.Option("--users", "--concurrency", help="Requests at the same time.")] = None,
    dtype: Annotated[
        str | None, typer.Option(help="Weights: bf16, fp16, fp8, int8, int4, nvfp4, mxfp4, fp32; else as published.")
    ] = None,
    kv_dtype: Annotated[str | None, typer.Option(help="KV cache: bf16, fp16 or fp8; else 16 bit.")] = None,
    tp: Annotated[int | None, typer.Option(help="Tensor parallelism; else the widest that works.")] = None,
    utilization: Annotated[
        float, typer.Option("--gpu-memory-utilization", help="The share of a GPU's memory that the engine may take.")
    ] = 0.9,
    reserve: Annotated[float | None, typer.Option(help="GiB per GPU for all but weights and cache.")] = None,
    params: Annotated[float | None, typer.Option(help="Your own model: parameters, for example 7e9.")] = None,
    layers: Annotated[int | None, typer.Option(help="Your own model: layers.")] = None,
    kv_heads: Annotated[int | None, typer.Option(help="Your own model: KV heads.")] = None,
    head_dim: Annotated[int, typer.Option(help="Your own model: width of a head.")] = 128,
    heads: Annotated[
        int | None, typer.Option(help="Your own model: attention heads; else as many as KV heads.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the sizing as JSON.")] = False,
) -> None:
    """Say whether a model fits on GPUs, how many requests with it, and what fits if it does not."""
    from bot.advisor.sizing_report import SizingProblemError, report
    from tools.catalogue.spelling import UnknownNameError
    from tools.prices import PricesError, price_book
    from tools.sizing import SizingError

    text = " ".join(words or ()).strip()
    try:
        asked = _asked(text, model, gpu)
        if params is not None:
            asked = dataclasses.replace(asked, model=_own(params, layers, kv_heads, head_dim, heads), problem="")
        given = {"count": count, "context": context, "users": users, "dtype": dtype, "kv_dtype": kv_dtype}
        asked = _overridden(asked, given)
        told = report(
            asked, price_book(_own_prices()), question=text or None, utilization=utilization, tp=tp, reserve=reserve
        )
    except (SizingProblemError, SizingError, UnknownNameError, PricesError) as problem:
        print(f"rackside: {problem}", file=sys.stderr)
        raise typer.Exit(BAD_USAGE) from None
    if as_json:
        from bot.advisor.sizing_output import output

        print(json.dumps(dataclasses.asdict(output(told)), ensure_ascii=False))
    else:
        _show(told)


def _asked(text: str, model: str | None, gpu: str | None) -> SizingQuestion:
    from bot.advisor import sizing_question
    from tools.catalogue.gpus import gpu as gpu_of
    from tools.catalogue.gpus import product, slice_of
    from tools.catalogue.instances import instance, instances
    from tools.catalogue.models import model as model_of
    from tools.catalogue.spelling import printable

    asked = sizing_question.read(text)
    if model is not None:
        named = model_of(model)
        asked = dataclasses.replace(
            asked, model=named, problem="", dtype=asked.dtype or sizing_question.weights_in(model)
        )
    if gpu is not None:
        if product(gpu) is None and printable(gpu).lower() in instances():
            machine = instance(gpu)
            asked = dataclasses.replace(asked, gpu=gpu_of(machine.gpu), count=machine.count)
        else:
            profile = sizing_question.profile_in(gpu)
            whole = gpu_of(gpu.replace(profile, "").rstrip(" :-") if profile and product(gpu) is None else gpu)
            asked = dataclasses.replace(asked, gpu=slice_of(whole, profile) if profile else whole)
        if asked.model is not None:
            asked = dataclasses.replace(asked, problem="")
    return asked


def _overridden(asked: SizingQuestion, given: Mapping[str, object]) -> SizingQuestion:
    known = {name: value for name, value in given.items() if value is not None}
    return dataclasses.replace(asked, **known)  # type: ignore[arg-type]


def _own(params: float, layers: int | None, kv_heads: int | None, head_dim: int, heads: int | None) -> Model:
    from tools.catalogue import models
    from tools.sizing import SizingError

    if layers is None or kv_heads is None:
        raise SizingError(
            "A model of your own needs --layers and --kv-heads beside --params: its config.json has them."
        )
    for name, value, most in (("params", params, 1e14), ("layers", layers, 10_000), ("kv-heads", kv_heads, 4096), ("head-dim", head_dim, 65_536)):  # fmt: skip
        if not 1 <= value <= most:
            raise SizingError(f"--{name} must be between 1 and {most:,.0f}.")
    if heads is not None and (heads < kv_heads or heads % kv_heads or heads > 65_536):
        raise SizingError("--heads must be a multiple of --kv-heads.")
    return models.Model(
        id="own",
        title=f"Your model of {params / 1e9:.3g}B",
        repo="",
        layers=layers,
        hidden=0,
        heads=heads or kv_heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        context=2**24,
        params=int(params),
    )


def _own_prices() -> Mapping[str, object] | None:
    from bot.settings import load_settings

    return load_settings().prices


def _show(told: SizingReport) -> None:
    from rich import box
    from rich.console import Console
    from rich.padding import Padding
    from rich.table import Table
    from rich.text import Text

    from bot.advisor.sizing_report import rows, said
    from bot.terminal import WIDEST, safe

    console = Console()
    width = min(console.width, WIDEST)
    good = told.sizing.works if told.sizing else bool(told.options)
    console.print(Text(safe(told.verdict), style="bold green" if good else "bold yellow"), width=width)
    table = Table(box=box.SIMPLE, show_header=False, padding=(0, 1))
    table.add_column("what", style="bold")
    table.add_column("how much", overflow="fold")
    for what, much in rows(told):
        table.add_row(Text(safe(what)), Text(safe(much)))
    if table.row_count:
        console.print(table, width=width)
    nearest = "The fewest GPUs of each kind" if told.sizing is None else "The nearest that works"
    numbered = [f"{n}. {said(one)}" for n, one in enumerate(told.options, 1)]
    if not numbered and not good:
        numbered = ["Nothing in the catalogue holds this load in one copy of the model."]
    sources = [f"{one.title}, {one.date}: {one.url}" for one in told.sources]
    for title, lines in (
        (nearest, numbered),
        ("Formula", told.formula),
        ("Assumed", told.assumed),
        ("Mind", told.caveats),
        ("Sources", sources),
    ):
        if lines:
            console.print(Text(f"\n{title}", style="bold"))
            for line in lines:
                shown = Text(safe(line))
                # A link stays in one piece, however long: a terminal makes one of it.
                if title == "Sources":
                    console.print(Text.assemble("  ", shown), soft_wrap=True)
                else:
                    console.print(Padding(shown, (0, 0, 0, 2)), width=width)
