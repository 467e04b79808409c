"""The catalogues as pages: GPUs one by one and compared, MIG profiles, models, list prices.

`python -m tools.hardware_pages` writes them into the pack `hardware`, `--check` says which are stale. Nobody edits them by hand.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from tools.catalogue.gpus import Gpu, Source, gpus
from tools.hardware_page_form import figure, page
from tools.hardware_page_tables import machines, model_catalogue, prices

ROOT = Path(__file__).resolve().parent.parent
PACK = ROOT / "knowledge" / "packs" / "hardware"
# Rows of a table that stay one passage of the knowledge base.
_ROWS = 4
_SHOWN = {"bandwidth_gbs", "bf16", "fp16", "fp8"}
_ARCHITECTURES = ("Turing", "Volta", "Ampere", "Ada", "Hopper", "Blackwell", "CDNA 3", "CDNA 4")


def pages() -> dict[Path, str]:
    """Every generated page with its content."""
    return {
        PACK / "gpu-catalogue.md": _gpu_catalogue(),
        PACK / "gpu-comparison.md": _gpu_comparison(),
        PACK / "mig-profiles.md": _mig(),
        PACK / "model-catalogue.md": model_catalogue(),
        PACK / "gpu-prices.md": prices(),
        PACK / "cloud-machine-types.md": machines(),
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
    return page("GPU catalogue", aliases, _all_sources(), related, body)


def _about(one: Gpu) -> list[str]:
    rates = [f"{figure(value)} {name}" for name, value in _rates(one)]
    missing = [name for name, value in (("BF16", one.bf16), ("FP8", one.fp8)) if value is None]
    link = f"{one.link}, {figure(one.nvlink_gbs)} GB/s both ways together" if one.nvlink_gbs else f"NVLink: {one.link}"
    tool = "nvidia-smi" if one.vendor == "NVIDIA" else "amd-smi"
    seen = f", {one.cuda_gib:.2f} GiB to CUDA and vLLM" if one.vendor == "NVIDIA" else ""
    lines = [
        (
            f"The {one.title} ({one.architecture}, {'compute capability ' if one.vendor == 'NVIDIA' else ''}{one.capability}) has {one.marketed}:"
            f" {one.vram_mib:,} MiB = {one.vram_gib:.2f} GiB in {tool}{seen}. Memory bandwidth is {figure(one.bandwidth_gbs)} GB/s. Dense TFLOPS: {', '.join(rates)}"
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
        whole = [one for one in gpus() if one.architecture == name]
        for rows in (whole[part : part + _ROWS] for part in range(0, len(whole), _ROWS)):
            body += ["", f"## {name} compared: {', '.join(one.title for one in rows)}", "", *_compared(rows)]
    aliases = "gpu comparison, h100 vs h200, a100 vs h100, l4 vs a10g, l4 vs t4, a10 vs a10g, h200 vs b200, gpu table, mi300x vs h100"
    related = "hardware/gpu-catalogue, hardware/choosing-a-gpu, hardware/decode-speed, hardware/gpu-prices"
    return page("GPUs compared", aliases, _all_sources(), related, body)


def _compared(rows: Sequence[Gpu]) -> list[str]:
    lines = ["| GPU | GiB to CUDA | GB/s | BF16 (FP16) | FP8 | NVLink GB/s |", "|---|---|---|---|---|---|"]
    for one in rows:
        half = figure(one.bf16) if one.bf16 else f"no ({figure(one.fp16)})"
        fp8, link = (figure(one.fp8) if one.fp8 else "no"), (figure(one.nvlink_gbs) if one.nvlink_gbs else "none")
        mark = " *" if one.unconfirmed & _SHOWN else ""
        lines.append(
            f"| {one.title}{mark} | {one.cuda_gib:.1f} | {figure(one.bandwidth_gbs)} | {half} | {fp8} | {link} |"
        )
    unread = ["", "\\* a rate or the bandwidth was read in no source named here."]
    return [*lines, *(unread if any(one.unconfirmed & _SHOWN for one in rows) else [])]


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
    return page(
        "MIG profiles by card",
        aliases,
        sources,
        "gpu/mig-and-sharing, hardware/gpu-catalogue, hardware/choosing-a-gpu",
        body,
    )


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
