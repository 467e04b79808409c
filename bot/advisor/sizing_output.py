"""A sizing as JSON: the contract of `rackside size --json` (its schema: `rackside schema size`). Memory is in GiB per GPU."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from bot.advisor.sizing_report import SizingReport
from tools.sizing import Sizing
from tools.sizing_nearest import Option


@dataclass(frozen=True, slots=True)
class ModelOut:
    """The model as it was sized."""

    id: str
    title: str
    repo: str
    params: int
    active: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    attention: str
    context: int


@dataclass(frozen=True, slots=True)
class GpuOut:
    """The GPU as it was sized."""

    id: str
    title: str
    nvml_gib: float
    cuda_gib: float
    bandwidth_gbs: float
    unconfirmed: list[str]


@dataclass(frozen=True, slots=True)
class LoadOut:
    """What it was sized for."""

    count: int
    context: int
    users: int
    dtype: str
    kv_dtype: str
    utilization: float


@dataclass(frozen=True, slots=True)
class MemoryOut:
    """GiB on each GPU."""

    total: float
    budget: float
    weights: float
    reserve: float
    cache: float
    per_request: float


@dataclass(frozen=True, slots=True)
class CapacityOut:
    """What fits at once: requests of the context, tokens, and the longest context for the users that were asked for."""

    requests: int
    tokens: int
    longest_context: int


@dataclass(frozen=True, slots=True)
class LayoutOut:
    """How the model is split, and the flags that say so."""

    tensor_parallel: int
    pipeline_parallel: int
    flags: str


@dataclass(frozen=True, slots=True)
class SpeedOut:
    """Ceilings of decoding in tokens a second, never a promise."""

    alone: float
    each: float
    together: float
    ridge_batch: int | None


@dataclass(frozen=True, slots=True)
class PriceOut:
    """US dollars of all GPUs, and whose price it is."""

    usd_per_hour: float
    usd_per_month: float
    said: str


@dataclass(frozen=True, slots=True)
class OptionOut:
    """Something that works instead."""

    change: str
    gpu: str
    load: LoadOut
    fit: str
    requests: int
    usd_per_hour: float | None


@dataclass(frozen=True, slots=True)
class SourceOut:
    """Where figures are from."""

    title: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class SizeOutput:
    """The answer of `rackside size`. `fit` is null when no GPU was named: `nearest` then lists the fewest of each kind."""

    question: str | None
    verdict: str
    fit: Literal["fits", "tight", "short", "no"] | None
    model: ModelOut
    gpu: GpuOut | None
    load: LoadOut | None
    memory: MemoryOut | None
    capacity: CapacityOut | None
    layout: LayoutOut | None
    speed: SpeedOut | None
    price: PriceOut | None
    nearest: list[OptionOut]
    formula: list[str]
    assumed: list[str]
    caveats: list[str]
    sources: list[SourceOut]


def output(told: SizingReport) -> SizeOutput:
    """A report in the contract's form, figures rounded to what they are worth."""
    found, model = told.sizing, told.model
    laid = found is not None and found.layout is not None
    return SizeOutput(
        question=told.question,
        verdict=told.verdict,
        fit=found.fit if found else None,
        model=ModelOut(
            model.id,
            model.title,
            model.repo,
            model.params,
            model.active_params,
            model.layers,
            model.heads,
            model.kv_heads,
            model.head_dim,
            model.attention,
            model.context,
        ),
        gpu=_gpu(found) if found else None,
        load=_load(found) if found else None,
        memory=_memory(found) if found and laid else None,
        capacity=CapacityOut(found.sequences, found.tokens, found.longest) if found and laid else None,
        layout=_layout(found) if found else None,
        speed=SpeedOut(
            round(told.speed.alone, 1), round(told.speed.each, 1), round(told.speed.together, 1), told.speed.ridge
        )
        if told.speed
        else None,
        price=PriceOut(round(told.usd_per_hour, 4), round(told.usd_per_month or 0.0, 2), told.priced)
        if told.usd_per_hour is not None
        else None,
        nearest=[_option(one) for one in told.options],
        formula=list(told.formula),
        assumed=list(told.assumed),
        caveats=list(told.caveats),
        sources=[SourceOut(one.title, one.url, one.date) for one in told.sources],
    )


def _gpu(found: Sizing) -> GpuOut:
    gpu = found.request.gpu
    return GpuOut(
        gpu.id, gpu.title, round(gpu.vram_gib, 2), round(gpu.cuda_gib, 2), gpu.bandwidth_gbs, sorted(gpu.unconfirmed)
    )


def _load(found: Sizing) -> LoadOut:
    asked = found.request
    return LoadOut(asked.count, asked.tokens, asked.at_once, asked.weights, asked.cache, asked.utilization)


def _memory(found: Sizing) -> MemoryOut:
    return MemoryOut(
        total=round(found.total, 3),
        budget=round(found.budget, 3),
        weights=round(found.weights, 3),
        reserve=round(found.reserve, 3),
        cache=round(found.cache, 3),
        per_request=round(found.sequence, 6),
    )


def _layout(found: Sizing) -> LayoutOut | None:
    layout = found.layout
    return None if layout is None else LayoutOut(layout.tp, layout.pp, layout.flags)


def _option(option: Option) -> OptionOut:
    found = option.sizing
    price = None if option.usd_per_hour is None else round(option.usd_per_hour, 4)
    return OptionOut(option.change, found.request.gpu.id, _load(found), found.fit, found.sequences, price)
