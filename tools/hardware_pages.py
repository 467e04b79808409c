"""The catalogues as pages: GPUs one by one and compared, MIG profiles, models, list prices.

`python -m tools.hardware_pages` writes them into the pack `hardware`, `--check` says which are stale. Nobody edits them by hand.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from tools.catalogue.gpus import Gpu, Source, gpus
from tools.catalogue.instances import CLOUDS, instances
from tools.catalogue.models import Model, models
from tools.prices import HOURS_PER_MONTH, ListPrice, list_prices
from tools.sizing_memory import GIB, kv_bytes_per_token, sequence_bytes, weights_bytes

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "knowledge" / "packs" / "hardware"
DATE = "2026-11-21"
_ARCHITECTURES = ("Turing", "Volta", "Ampere", "Ada", "Hopper", "Blackwell", "CDNA 3", "CDNA 4")
_FAMILIES = ("Llama", "Qwen", "Mistral", "Mixtral", "Gemma", "Phi", "DeepSeek", "Kimi", "gpt-oss")


def pages() -> dict[Path, str]:
    """Every generated page with its content."""
    return {
        PACK / "gpu-catalogue.md": _gpu_catalogue(),
        PACK / "gpu-comparison.md": _gpu_comparison(),
        PACK / "mig-profiles.md": _mig(),
        PACK / "model-catalogue.md": _model_catalogue(),
        PACK / "gpu-prices.md": _prices(),
        PACK / "cloud-machine-types.md": _machines(),
    }


def stale() -> list[Path]:
    """The generated pages that are missing or out of date."""
    return sorted(p for p, text in pages().items() if not p.exists() or p.read_text(encoding="utf-8") != text)


def write() -> None:
    """Write every generated page."""
    for path, text in pages().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def main(arguments: Sequence[str]) -> int:
    """Write the pages, or with --check say which are stale."""
    if "--check" not in arguments:
        write()
        return 0
    wrong = stale()
    for path in wrong:
        print(f"stale: {path.name}; run python -m tools.hardware_pages", file=sys.stderr)  # noqa: T201
    return 1 if wrong else 0


def _page(title: str, aliases: str, sources: Iterable[Source], related: str, body: Sequence[str]) -> str:
    told = [
        f'  - {{title: {json.dumps(one.title, ensure_ascii=False)}, url: "{one.url}"}}'
        for one in dict.fromkeys(sources)
    ]
    head = [
        "---",
        f"title: {title}",
        f"aliases: [{aliases}]",
        f"date: {DATE}",
        "sources:",
        *told,
        f"related: [{related}]",
        "---",
    ]
    return "\n".join([*head, *body, ""])


def _all_sources() -> list[Source]:
    return [source for one in gpus() for source in one.sources]


def _gpu_catalogue() -> str:
    body = [
        (
            "Each GPU has a section here: memory as marketed, as nvidia-smi and DCGM report it and as CUDA and vLLM see it, memory bandwidth, dense"
            " TFLOPS by type, links, power, and the names it goes by. Size with the memory that CUDA sees. Rates are dense: a figure twice as high is"
            " the sheet's with sparsity."
        ),
        "",
        "## How to read the catalogue",
        "",
        (
            "GiB is 2^30 bytes, GB is 10^9. CUDA's total is the lowest common value in public out-of-memory messages (`GPU 0 has a total capacity of"
            " ...`), and NVML's minus 0.7 GiB where none was found. What no source confirmed says so. The node label `nvidia.com/gpu.product` is the"
            " device name with dashes for spaces; `-MIG-...` and `-SHARED` may follow. The same name is `modelName` in dcgm-exporter."
        ),
        "",
        "[GPUs compared](../hardware/gpu-comparison.md) has the tables, [choosing a GPU](../hardware/choosing-a-gpu.md) the advice.",
    ]
    for one in gpus():
        body += ["", f"## {one.title}: memory, bandwidth, TFLOPS", "", *_about(one)]
    aliases = "gpu specs, gpu spec sheet, vram of a gpu, h100 memory, gpu memory bandwidth, tflops, gpu product label"
    related = "hardware/gpu-comparison, hardware/choosing-a-gpu, hardware/mig-profiles, gpu/memory-accounting"
    return _page("GPU catalogue", aliases, _all_sources(), related, body)


def _about(one: Gpu) -> list[str]:
    rates = [f"{_n(value)} {name}" for name, value in _rates(one)]
    missing = [name for name, value in (("BF16", one.bf16), ("FP8", one.fp8)) if value is None]
    link = f"{one.link}, {_n(one.nvlink_gbs)} GB/s both ways together" if one.nvlink_gbs else f"NVLink: {one.link}"
    tool = "nvidia-smi" if one.vendor == "NVIDIA" else "amd-smi"
    seen = f", {one.cuda_gib:.2f} GiB to CUDA and vLLM" if one.vendor == "NVIDIA" else ""
    lines = [
        (
            f"The {one.title} ({one.architecture}, {'compute capability ' if one.vendor == 'NVIDIA' else ''}{one.capability}) has {one.marketed}:"
            f" {one.vram_mib:,} MiB = {one.vram_gib:.2f} GiB in {tool}{seen}. Memory bandwidth is {_n(one.bandwidth_gbs)} GB/s. Dense TFLOPS: {', '.join(rates)}"
            f"{'; no ' + ' and no '.join(missing) + ' in its tensor cores' if missing else ''}. {link}. PCIe {one.pcie}, {one.watts} W."
        ),
        "",
        f"Names: {', '.join(f'`{label}`' for label in one.labels)}.",
    ]
    if one.note:
        lines[-1] += f" {one.note}"
    if one.unconfirmed:
        lines[-1] += f" Not confirmed in a source: {', '.join(sorted(one.unconfirmed))}."
    return lines


def _rates(one: Gpu) -> list[tuple[str, float]]:
    found = (("FP16", one.fp16), ("BF16", one.bf16), ("FP8", one.fp8), ("INT8", one.int8), ("FP4", one.fp4))
    return [(name, value) for name, value in found if value is not None]


def _gpu_comparison() -> str:
    body = [
        (
            "Compare GPUs for serving by three columns: memory decides what fits, memory bandwidth decides how fast single requests decode, and dense"
            " TFLOPS decide prefill and large batches. H200 against H100: the same TFLOPS, 141 GB instead of 80, 4,800 GB/s instead of 3,350."
        ),
    ]
    for name in _ARCHITECTURES:
        rows = [one for one in gpus() if one.architecture == name]
        titles = ", ".join(one.title for one in rows)
        body += [
            "",
            f"## {name} compared: {titles}",
            "",
            "| GPU | GiB to CUDA | GB/s | BF16 (FP16) | FP8 | NVLink GB/s |",
            "|---|---|---|---|---|---|",
        ]
        for one in rows:
            half = _n(one.bf16) if one.bf16 else f"no ({_n(one.fp16)})"
            marked = " *" if one.unconfirmed & {"bandwidth_gbs", "bf16", "fp16", "fp8"} else ""
            body.append(
                f"| {one.title}{marked} | {one.cuda_gib:.1f} | {_n(one.bandwidth_gbs)} | {half} | {_n(one.fp8) if one.fp8 else 'no'} |"
                f" {_n(one.nvlink_gbs) if one.nvlink_gbs else 'none'} |"
            )
        if any(one.unconfirmed & {"bandwidth_gbs", "bf16", "fp16", "fp8"} for one in rows):
            body += ["", "\\* a rate or the bandwidth was read in no source named here."]
    aliases = "gpu comparison, h100 vs h200, a100 vs h100, l4 vs a10g, l4 vs t4, a10 vs a10g, h200 vs b200, gpu table, mi300x vs h100"
    related = "hardware/gpu-catalogue, hardware/choosing-a-gpu, hardware/decode-speed, hardware/gpu-prices"
    return _page("GPUs compared", aliases, _all_sources(), related, body)


def _mig() -> str:
    able = [one for one in gpus() if one.mig]
    no = [one.title for one in gpus() if not one.mig and one.vendor == "NVIDIA"]
    body = [
        (
            f"MIG slices exist on {', '.join(one.title for one in able[:3])} and the other cards below; {', '.join(no[:5])} have none. A profile such as"
            " `1g.10gb` names compute slices and memory; in Kubernetes with the mixed strategy the resource is `nvidia.com/mig-1g.10gb`."
        ),
    ]
    for one in able:
        listed = ", ".join(f"`{p.name}` × {p.most}" for p in one.mig)
        small = one.mig[0]
        body += [
            "",
            f"## MIG profiles of the {one.title}",
            "",
            (
                f"The {one.title} takes {listed} (the largest number of each alone). The smallest is requested as `{small.resource}: 1`. A model fits a"
                f" slice when weights, about 1.5 GiB and the cache stay under 90 % of the slice's memory."
            ),
        ]
    aliases = "mig profiles h100, mig profiles a100, mig profiles h200, mig profiles b200, mig slice sizes, nvidia.com/mig-1g.10gb, 1g.10gb, 3g.40gb"
    sources = [source for one in able for source in one.sources if "mig-parted" in source.url]
    return _page(
        "MIG profiles by card",
        aliases,
        sources,
        "gpu/mig-and-sharing, hardware/gpu-catalogue, hardware/choosing-a-gpu",
        body,
    )


def _model_catalogue() -> str:
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
    for family in (*_FAMILIES, ""):
        rows = [
            one for one in rest if (one.title.startswith(family) if family else not one.title.startswith(_FAMILIES))
        ]
        if family == "Qwen":
            rows = [one for one in rest if one.title.startswith(("Qwen", "QwQ"))]
        if not family:
            rows = [one for one in rows if not one.title.startswith("QwQ")]
        for part in range(0, len(rows), 6):
            chunk = rows[part : part + 6]
            body += [
                "",
                f"## {_span(chunk)}: parameters, layers, KV heads, cache",
                "",
                "| model | params | weights | layers | KV heads × size | cache per token | context |",
                "|---|---|---|---|---|---|---|",
                *(_model_row(one) for one in chunk),
            ]
    body += [
        "",
        "## Mixtures of experts: total and active parameters",
        "",
        "All experts of a mixture-of-experts model must be in memory, so the total counts for sizing; the active ones count for speed at small batches.",
        "",
        "| model | total | active | experts, chosen |",
        "|---|---|---|---|",
        *(
            f"| {one.title} | {_b(one.params)} | {_b(one.active_params)} | {one.experts}, {one.experts_per_token} |"
            for one in rest
            if one.experts
        ),
    ]
    aliases = "model shapes, kv heads of llama, layers of llama 70b, model parameters, qwen config, deepseek config, how many kv heads, model context length"
    sources = [one.source for one in models() if one.source]
    related = "hardware/model-sizing, hardware/kv-cache-arithmetic, serving/quantization, serving/kv-cache"
    return _page("Model catalogue", aliases, sources, related, body)


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
    return f"| {one.title} | {_b(one.params)} | {weights} | {one.layers} | {heads} | {long} | {one.context:,} |"


def _prices() -> str:
    rows = list_prices()
    body = [
        (
            "The price of a GPU-hour is yours first: put it under `prices` in the settings, by GPU or machine type, and every cost uses it. Without one,"
            " Rackside takes the lowest dated on-demand list price below, and says its date. An H100 80 GB is $6.88 an hour on AWS, $11.06 on Google Cloud"
            " and $12.29 on Azure by these lists."
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
        mine = sorted((row for row in rows if row.gpu == one.id), key=lambda row: row.usd_per_hour / row.count)[:4]
        best = mine[0].usd_per_hour / mine[0].count
        body += [
            "",
            f"## Price of a {one.title} per hour",
            "",
            f"The lowest listed price of a {one.title} is ${best:.2f} per GPU-hour, ${best * HOURS_PER_MONTH:,.0f} a month.",
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
    return _page(
        "GPU prices", aliases, sources, "hardware/cost-per-token, hardware/choosing-a-gpu, gpu/idle-gpus", body
    )


def _cloud_title(row: ListPrice) -> str:
    return f"{row.cloud} on-demand prices as generated into Karpenter ({row.date})"


def _machines() -> str:
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
    return _page(
        "Cloud machine types and their GPUs", aliases, sources, "hardware/gpu-prices, hardware/gpu-catalogue", body
    )


def _n(value: float | None) -> str:
    return "" if value is None else f"{value:,.1f}".removesuffix(".0")


def _b(count: int) -> str:
    return f"{count / 1e9:.2f} B" if count < 1e11 else f"{count / 1e9:.0f} B"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
