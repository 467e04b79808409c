"""A sizing question worked out: the sizing, what works instead, speed and price, as one value for every surface."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.advisor.sizing_question import SizingQuestion
from tools.catalogue.gpus import Source
from tools.catalogue.models import Model
from tools.prices import HOURS_PER_MONTH, PriceBook
from tools.sizing import UTILIZATION, Request, Sizing, formula, size
from tools.sizing_memory import GIB, sequence_bytes, weights_bytes
from tools.sizing_nearest import USUAL_CONTEXT, Option, cost, fewest, nearest, smallest
from tools.sizing_speed import REALISTIC, Speed, speed


class SizingProblemError(ValueError):
    """The question cannot be sized; the message says what is unknown or missing."""


@dataclass(frozen=True, slots=True)
class SizingReport:
    """What was found. `sizing` is None when no GPU was named: then `options` are the fewest GPUs of each kind."""

    question: str | None
    verdict: str
    model: Model
    sizing: Sizing | None
    options: tuple[Option, ...]
    speed: Speed | None
    usd_per_hour: float | None
    priced: str
    assumed: tuple[str, ...]
    formula: tuple[str, ...]
    caveats: tuple[str, ...]
    sources: tuple[Source, ...]

    @property
    def usd_per_month(self) -> float | None:
        """Dollars a month of 730 hours."""
        return None if self.usd_per_hour is None else self.usd_per_hour * HOURS_PER_MONTH


def report(
    asked: SizingQuestion,
    prices: PriceBook,
    *,
    question: str | None = None,
    utilization: float = UTILIZATION,
    tp: int | None = None,
    reserve: float | None = None,
) -> SizingReport:
    """Work a question out. Raises SizingProblemError when a name is not known or no model is named, SizingError for nonsense."""
    if asked.problem or asked.model is None:
        raise SizingProblemError(asked.problem or "Name a model, for example Llama 3.1 70B.")
    if asked.gpu is None:
        return _without_gpu(asked, prices, question)
    request = Request(
        asked.model,
        asked.gpu,
        1 if asked.count is None else asked.count,
        asked.context,
        asked.users,
        asked.dtype,
        asked.kv_dtype,
        utilization,
        tp,
        reserve,
    )
    found = size(request)
    counted = () if asked.count is not None else ("No number of GPUs was named: one.",)
    if asked.how_many:
        found = fewest(request)
        request = found.request
        counted = (f"The fewest were asked for: {request.count}, tried in powers of two.",)
    price = prices.price(asked.gpu.id)
    return SizingReport(
        question,
        found.verdict,
        asked.model,
        found,
        nearest(found, prices),
        speed(found),
        cost(found, prices),
        price.said if price else "",
        (*asked.assumed, *counted, *found.assumed),
        formula(found),
        found.caveats,
        _sources(asked.model, (*asked.gpu.sources,)),
    )


def rows(told: SizingReport) -> list[tuple[str, str]]:
    """The sizing as lines of a table: what, and how much."""
    found = told.sizing
    if found is None or found.layout is None:
        return []
    request, gpu = found.request, found.request.gpu
    lines = [
        ("GPUs", f"{request.count} × {gpu.title}, {found.layout.flags}"),
        (
            "memory per GPU",
            f"{found.total:.2f} GiB, of which {found.budget:.2f} at a fraction of {request.utilization:g}",
        ),
        ("weights per GPU", f"{found.weights:.2f} GiB ({request.weights})"),
        ("kept free per GPU", f"{found.reserve:.2f} GiB"),
        ("cache per GPU", f"{found.cache:.2f} GiB ({'FP8' if request.cache == 'fp8' else '16 bit'})"),
        (f"one request of {request.tokens:,} tokens", f"{found.sequence:.3f} GiB per GPU"),
        ("requests of that length at once", f"{found.sequences:,}"),
        ("tokens in the cache", f"{found.tokens:,}"),
        (f"longest context for {request.at_once} at once", f"{found.longest:,} tokens"),
    ]
    if told.speed:
        low, high = REALISTIC
        lines.append(
            (
                "decode ceiling",
                f"{told.speed.each:,.0f} tokens/s each, {told.speed.together:,.0f} together; expect {low:.0%} to {high:.0%} of it",
            )
        )
    if told.usd_per_hour is not None:
        lines.append(
            ("price", f"${told.usd_per_hour:,.2f} an hour, ${told.usd_per_month:,.0f} a month ({told.priced})")
        )
    return lines


def markdown(told: SizingReport) -> str:
    """The whole answer as Markdown."""
    parts = [told.verdict]
    table = rows(told)
    if table:
        parts.append("\n".join(f"- **{what}**: {much}" for what, much in table))
    if told.options:
        title = "The fewest GPUs of each kind" if told.sizing is None else "The nearest that works"
        parts.append(f"### {title}\n\n" + "\n".join(f"{n}. {said(one)}" for n, one in enumerate(told.options, 1)))
    elif told.sizing is not None and not told.sizing.works:
        parts.append("I found nothing in the catalogue that holds this load in one copy of the model.")
    for title, lines in (("Formula", told.formula), ("Assumed", told.assumed), ("Mind", told.caveats)):
        if lines:
            parts.append(f"### {title}\n\n" + "\n".join(f"- {line}" for line in lines))
    parts.append("### Sources\n\n" + "\n".join(f"- [{one.title}]({one.url}), {one.date}" for one in told.sources))
    return "\n\n".join(parts)


def said(option: Option) -> str:
    """An option in one line: the change, what it gives, what it costs."""
    found = option.sizing
    price = f", ${option.usd_per_hour:,.2f} an hour" if option.usd_per_hour is not None else ""
    tight = ", only just" if found.fit == "tight" else ""
    return f"{option.change}: room for {found.sequences:,} × {found.request.tokens:,} tokens{tight}{price}"


def _without_gpu(asked: SizingQuestion, prices: PriceBook, question: str | None) -> SizingReport:
    assert asked.model is not None
    model, assumed = asked.model, list(asked.assumed)
    context = asked.context
    if context is None:
        context = min(USUAL_CONTEXT, model.context)
        assumed.append(f"No context was named: {context:,} tokens.")
    if asked.users is None:
        assumed.append("No number of users was named: one.")
    options = smallest(model, prices, context=context, users=asked.users, dtype=asked.dtype, kv_dtype=asked.kv_dtype)
    load = f"{asked.users or 1} × {context:,} tokens"
    if options:
        first = options[0].sizing.request
        whole = weights_bytes(model, first.weights) / GIB
        each = sequence_bytes(model, context, first.cache) / GIB
        verdict = (
            f"{model.title} in {first.weights} with {load} takes {whole:.1f} GiB of weights and {each:.2f} GiB of cache per request:"
            f" at least {_listed(options[:3])}."
        )
        found = options[0].sizing
        lines, caveats, gpu_sources = formula(found), found.caveats, found.request.gpu.sources
        assumed += [one for one in found.assumed if one not in assumed and not one.startswith("No number")]
    else:
        verdict = f"No single node or NVLink island of the catalogue holds {model.title} with {load}."
        lines, caveats, gpu_sources = (), (), ()
    return SizingReport(
        question,
        verdict,
        model,
        None,
        options,
        None,
        None,
        "",
        tuple(assumed),
        lines,
        caveats,
        _sources(model, gpu_sources),
    )


def _listed(options: Sequence[Option]) -> str:
    names = [f"{one.sizing.request.count} × {one.sizing.request.gpu.title}" for one in options]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} or {names[-1]}"


def _sources(model: Model, more: Sequence[Source]) -> tuple[Source, ...]:
    own = (model.source,) if model.source else ()
    return tuple(dict.fromkeys((*own, *more)))
