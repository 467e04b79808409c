"""The nearest fits that work: each one computed as a whole, each with what it changes and what that costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from tools.catalogue.gpus import Gpu, gpus
from tools.catalogue.models import Model
from tools.prices import PriceBook
from tools.sizing import Request, Sizing, size

COUNTS = (1, 2, 4, 8, 16, 32, 64)
MOST = 6
LEAST_CONTEXT = 1024
# Stands in where nobody named a context: by a model's longest, nothing would be near.
USUAL_CONTEXT = 8192
_NODE = 8
_SHORTEST_SHARE = 8


@dataclass(frozen=True, slots=True)
class Option:
    """A change that makes it fit, the sizing that it gives, and dollars an hour where the price is known."""

    change: str
    sizing: Sizing
    usd_per_hour: float | None = None


def nearest(found: Sizing, prices: PriceBook, most: int = MOST) -> tuple[Option, ...]:
    """What works instead of a sizing that does not, nearest first; empty for one that does."""
    if found.works:
        return ()
    if found.request.context is None and found.fit == "no":
        usual = min(USUAL_CONTEXT, found.request.model.context)
        found = size(replace(found.request, context=usual))
    options: list[Option] = []
    for change, request in _changes(found):
        sizing = size(request)
        if sizing.works:
            options.append(Option(change, sizing, cost(sizing, prices)))
    return tuple(options[: most - 1]) + tuple(_elsewhere(found.request, prices, 2))[: max(1, most - len(options))]


def fewest(request: Request) -> Sizing:
    """The request on the fewest GPUs of its kind that hold it, up to 64; where none do, on a whole node or island."""
    enough = _more(replace(request, count=0))
    if enough is not None:
        return size(enough)
    return size(replace(request, count=max(request.gpu.per_node, request.gpu.island)))


def smallest(
    model: Model,
    prices: PriceBook,
    *,
    context: int | None = None,
    users: int | None = None,
    dtype: str | None = None,
    kv_dtype: str | None = None,
    most: int = MOST,
) -> tuple[Option, ...]:
    """The fewest GPUs of each kind that hold a load, cheapest first where prices are known, then by memory."""
    found = [
        option
        for one in gpus()
        if (option := _fewest(Request(model, one, 1, context, users, dtype, kv_dtype), prices)) is not None
    ]
    return tuple(sorted(found, key=_cheapest)[:most])


def cost(found: Sizing, prices: PriceBook) -> float | None:
    """Dollars an hour of a sizing's GPUs, None where nobody gave a price."""
    price = prices.price(found.request.gpu.id)
    return None if price is None else price.usd_per_hour * found.request.count


def _changes(found: Sizing) -> Iterator[tuple[str, Request]]:
    request = found.request
    shorter = list(_shorter(found))
    if request.context is None:
        # The length was our assumption: to name one is nearer than to change anything else.
        yield from shorter
    lighter = _lighter(request)
    cached = replace(request, kv_dtype="fp8") if request.cache != "fp8" and _fp8_cache(request.gpu) else None
    both = replace(lighter[0][1], kv_dtype="fp8") if cached and lighter else None
    changed = [("an FP8 cache (--kv-cache-dtype fp8)", cached)] if cached else []
    changed += lighter[:1]
    changed += [(f"{lighter[0][0]} and an FP8 cache", both)] if both else []
    yield from changed
    more = _more(request)
    for change, lighter_request in changed:
        fewer = _more(lighter_request)
        if fewer and (more is None or fewer.count < more.count):
            yield f"{fewer.count} × {request.gpu.title} with {change}", fewer
            break
    if more:
        yield f"{more.count} × {request.gpu.title} instead of {request.count}", more
    yield from lighter[1:]
    if request.context is not None:
        yield from shorter
    if 0 < found.sequences < request.at_once:
        yield f"{found.sequences} users at a time, the others wait", replace(request, users=found.sequences)


def _more(request: Request) -> Request | None:
    for count in COUNTS:
        if count > request.count:
            more = replace(request, count=count, tp=None)
            if size(more).works:
                return more
    return None


def _shorter(found: Sizing) -> Iterator[tuple[str, Request]]:
    # A fraction of what was asked for is no answer to it.
    least = 0 if found.request.context is None else found.request.context // _SHORTEST_SHARE
    if found.longest >= max(LEAST_CONTEXT, least):
        tokens = found.longest // LEAST_CONTEXT * LEAST_CONTEXT
        who = f" for each of {found.request.at_once}" if found.request.at_once > 1 else ""
        yield f"a context of {tokens:,} tokens{who}: --max-model-len {tokens}", replace(found.request, context=tokens)


def _lighter(request: Request) -> list[tuple[str, Request]]:
    if request.weights not in {"bf16", "fp16", "fp32", "fp8", "int8"}:
        return []
    found = []
    if request.weights in {"bf16", "fp16", "fp32"}:
        eight = "int8" if request.gpu.fp8 is None else "fp8"
        found.append((f"{eight.upper()} weights", replace(request, dtype=eight)))
    found.append(("4-bit weights (AWQ or GPTQ)", replace(request, dtype="int4")))
    return found


def _fp8_cache(gpu: Gpu) -> bool:
    return gpu.vendor != "NVIDIA" or float(gpu.capability) >= 8


def _elsewhere(request: Request, prices: PriceBook, most: int) -> Iterator[Option]:
    found = []
    for one in gpus():
        if one.id == request.gpu.id:
            continue
        option = _fewest(replace(request, gpu=one, count=1, tp=None, reserve=None), prices)
        if option is not None:
            found.append(option)
    yield from sorted(found, key=_cheapest)[:most]


def _fewest(request: Request, prices: PriceBook) -> Option | None:
    for count in COUNTS:
        if count > max(_NODE, request.gpu.island):
            return None
        sizing = size(replace(request, count=count))
        if sizing.works:
            return Option(f"{count} × {request.gpu.title}", sizing, cost(sizing, prices))
    return None


def _cheapest(option: Option) -> tuple[bool, float, float]:
    request = option.sizing.request
    unpriced = option.usd_per_hour is None
    return unpriced, option.usd_per_hour or 0.0, request.count * request.gpu.cuda_gib
