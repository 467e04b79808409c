"""Pages of tables: the models, the list prices, the clouds' machine types. Written by tools/hardware_pages.py."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from tools.catalogue.gpus import Source, gpus
from tools.catalogue.instances import CLOUDS, instances
from tools.catalogue.models import Model, models
from tools.hardware_page_form import billions, page
from tools.prices import HOURS_PER_MONTH, ListPrice, list_prices
from tools.sizing_memory import GIB, kv_bytes_per_token, sequence_bytes, weights_bytes

_FAMILIES = ("Llama", "Qwen", "Mistral", "Mixtral", "Gemma", "Phi", "DeepSeek", "Kimi", "gpt-oss")
# Rows of a table that stay one passage of the knowledge base.
_ROWS = 4


def model_catalogue() -> str:
    body = [
        (
            "These are the shapes of the models that Rackside can size, counted from their config.json: parameters decide the weights, layers × KV heads"
            " × head size decide the cache. Sizes are GiB of bf16 weights and KiB of 16-bit cache per token; what quantisation and parallelism make of"
            " them is under [model sizing](../hardware/model-sizing.md)."
        ),
        "",
        "## How to read the tables of models",
        "",
        (
            "`rackside size MODEL --gpu GPU` uses these rows. MLA caches one latent vector per layer; a sliding window caps the cache of its layers; linear"
            " attention keeps a fixed state. With a window, the cache per token is that of a long sequence. A model that is not listed is sized by its"
            " numbers: `--params`, `--layers`, `--kv-heads`, `--head-dim`."
        ),
    ]
    rest = [one for one in models() if not one.like]
    for chunk in _chunks(rest):
        body += [
            "",
            f"## {_span(chunk)}: parameters, layers, KV heads, cache",
            "",
            "| model | params | weights | layers | KV heads × size | cache per token | context |",
            "|---|---|---|---|---|---|---|",
            *(_model_row(one) for one in chunk),
        ]
    mixtures = [one for one in rest if one.experts]
    for part in range(0, len(mixtures), 2 * _ROWS):
        chunk = mixtures[part : part + 2 * _ROWS]
        body += [
            "",
            f"## Mixtures of experts, total and active parameters: {_span(chunk)}",
            "",
            "All experts must be in memory, so the total counts for sizing; the active ones count for speed at small batches.",
            "",
            "| model | total | active | experts, chosen |",
            "|---|---|---|---|",
            *(
                f"| {one.title} | {billions(one.params)} | {billions(one.active_params)} | {one.experts}, {one.experts_per_token} |"
                for one in chunk
            ),
        ]
    aliases = "model shapes, kv heads of llama, layers of llama 70b, model parameters, qwen config, deepseek config, how many kv heads, model context length"
    sources = [one.source for one in models() if one.source]
    related = "hardware/model-sizing, hardware/kv-cache-arithmetic, serving/quantization, serving/kv-cache"
    return page("Model catalogue", aliases, sources, related, body)


def _chunks(rest: Sequence[Model]) -> Iterator[list[Model]]:
    def family(one: Model) -> str:
        title = one.title.replace("QwQ", "Qwen")
        return next((name for name in _FAMILIES if title.startswith(name)), "")

    for name in (*_FAMILIES, ""):
        rows = [one for one in rest if family(one) == name]
        for part in range(0, len(rows), _ROWS):
            yield rows[part : part + _ROWS]


def _span(chunk: Sequence[Model]) -> str:
    return chunk[0].title if len(chunk) == 1 else f"{chunk[0].title} to {chunk[-1].title}"


def _model_row(one: Model) -> str:
    heads = f"MLA {one.latent}" if one.latent else f"{one.kv_heads} × {one.head_dim}"
    if one.window_layers:
        heads += f", {one.window_layers} layers see {one.window:,}"
    if one.linear_layers:
        heads += f", {one.linear_layers} linear"
    cache = kv_bytes_per_token(one, "bf16") / 1024 if one.caching_layers else 0
    long = (
        f"{cache:.4g} KiB"
        if cache
        else f"window only, {sequence_bytes(one, one.context, 'bf16') / GIB:.2f} GiB at most"
    )
    weights = f"{weights_bytes(one, 'bf16') / GIB:.4g} GiB"
    return f"| {one.title} | {billions(one.params)} | {weights} | {one.layers} | {heads} | {long} | {one.context:,} |"


def prices() -> str:
    rows = list_prices()
    body = [
        (
            "The price of a GPU-hour is yours first: put it under `prices` in the settings, by GPU or machine type, and every cost uses it. Without one,"
            " Rackside takes the lowest dated on-demand list price below, and says its date."
            f" By these lists an H100 80 GB is {_by_cloud('h100-sxm')} an hour."
        ),
        "",
        "## How old the list prices are",
        "",
        *(
            f"- {cloud}: {first.region}, on demand, {first.date}."
            for cloud in CLOUDS
            if (first := next(r for r in rows if r.cloud == cloud))
        ),
        "",
        f"List prices rot, commitments and spot differ widely, and the host's CPUs, memory and disks are inside the machine's price. A month is {HOURS_PER_MONTH} hours.",
    ]
    ids = [one for one in gpus() if any(row.gpu == one.id for row in rows)]
    for one in ids:
        mine = sorted(
            (row for row in rows if row.gpu == one.id), key=lambda row: (row.usd_per_hour / row.count, row.count)
        )
        mine = list({row.cloud: row for row in reversed(mine)}.values())[::-1]
        best = mine[0].usd_per_hour / mine[0].count
        body += [
            "",
            f"## Price of the {one.title} per hour",
            "",
            f"The lowest listed price of the {one.title} is ${best:.2f} per GPU-hour, ${best * HOURS_PER_MONTH:,.0f} a month.",
            "",
            "| machine type | GPUs | $ an hour | $ per GPU-hour |",
            "|---|---|---|---|",
            *(
                f"| {row.cloud} `{row.type}` | {row.count} | {row.usd_per_hour:.2f} | {row.usd_per_hour / row.count:.2f} |"
                for row in mine
            ),
        ]
    aliases = "price of an h100 per hour, gpu price, gpu cost per hour, gpu hourly price, a100 price, l4 price, cheapest gpu, cloud gpu pricing"
    sources = [Source(_cloud_title(row), row.url, row.date) for row in rows]
    return page("GPU prices", aliases, sources, "hardware/cost-per-token, hardware/choosing-a-gpu, gpu/idle-gpus", body)


def _by_cloud(identity: str) -> str:
    lowest: dict[str, float] = {}
    for row in list_prices():
        if row.gpu == identity:
            lowest[row.cloud] = min(lowest.get(row.cloud, row.usd_per_hour), row.usd_per_hour / row.count)
    shown = [f"${usd:.2f} on {cloud}" for cloud, usd in lowest.items()]
    return f"{', '.join(shown[:-1])} and {shown[-1]}"


def _cloud_title(row: ListPrice) -> str:
    return f"{row.cloud} on-demand prices as generated into Karpenter ({row.date})"


def machines() -> str:
    body = [
        (
            "A cloud machine type fixes the GPU and how many of it share a node: AWS p5.48xlarge is 8 H100, Azure ND96isr_H200_v5 is 8 H200, Google"
            " Cloud g2-standard-4 is one L4. In Kubernetes the type is the label `node.kubernetes.io/instance-type`."
        ),
    ]
    for cloud in CLOUDS:
        for one in gpus():
            mine = sorted(
                (row for row in instances().values() if row.cloud == cloud and row.gpu == one.id),
                key=lambda row: (row.count, row.type),
            )
            if mine:
                listed = ", ".join(f"`{row.type}` ({row.count})" for row in mine)
                body += [
                    "",
                    f"## {cloud}: machine types with {one.title}",
                    "",
                    f"On {cloud}, the {one.title} comes in {listed}; the number of GPUs is in brackets.",
                ]
    aliases = "instance types with gpus, which instance has h100, p5.48xlarge, g5 instance gpu, g6e gpu, a3-highgpu, nd96isr, aws gpu instances, gcp gpu machine types"
    sources = [one.source for one in instances().values()]
    return page(
        "Cloud machine types and their GPUs", aliases, sources, "hardware/gpu-prices, hardware/gpu-catalogue", body
    )
