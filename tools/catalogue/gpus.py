"""GPUs: memory as NVML and as CUDA see it, dense rates, bandwidth, links, MIG profiles, and the names they go by.

The figures with their sources and dates are in gpus.toml beside this module. What no source confirmed is listed per row.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from tools.catalogue.spelling import UnknownNameError, fold, index, nearest

MIB_PER_GIB = 1024
# CUDA sees less than NVML by the driver's own share: 0.45 to 0.7 GiB on every card where both are known.
CUDA_SHORTFALL_GIB = 0.7
# A slice's name rounds up, on H200 (1g.18gb has 16 GiB) the most of all cards: the least that a slice has, of its name.
MIG_MEMORY_SHARE = 0.89
_SEVENTHS = 7
_RATES = ("fp16", "bf16", "fp8", "int8", "fp4")
_MIG_SUFFIX = ("-mig-", "-shared")


@dataclass(frozen=True, slots=True)
class Source:
    """Where a figure was read, and the date of what was read."""

    title: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class MigProfile:
    """One way to slice a GPU: `1g.10gb`, and how many of it fit at once."""

    name: str
    most: int

    @property
    def resource(self) -> str:
        """The Kubernetes resource under the mixed strategy."""
        return f"nvidia.com/mig-{self.name}"


@dataclass(frozen=True, slots=True)
class Gpu:
    """One kind of GPU. Rates are dense TFLOPS (TOPS for int8); a rate of None is not in its tensor cores."""

    id: str
    title: str
    names: tuple[str, ...]
    architecture: str
    capability: str
    marketed: str
    vram_mib: int
    bandwidth_gbs: float
    link: str
    pcie: str
    watts: int
    fp16: float | None = None
    bf16: float | None = None
    fp8: float | None = None
    int8: float | None = None
    fp4: float | None = None
    measured_cuda_gib: float | None = None
    nvlink_gbs: float | None = None
    island: int = 1
    per_node: int = 8
    vendor: str = "NVIDIA"
    mig: tuple[MigProfile, ...] = ()
    profile: str = ""
    aliases: tuple[str, ...] = ()
    note: str = ""
    sources: tuple[Source, ...] = ()
    unconfirmed: frozenset[str] = field(default_factory=frozenset)

    @property
    def vram_gib(self) -> float:
        """The total as nvidia-smi and DCGM report it, in GiB."""
        return self.vram_mib / MIB_PER_GIB

    @property
    def cuda_gib(self) -> float:
        """The total as CUDA, and so vLLM, sees it: measured where a public message says so, else a little under NVML's."""
        return self.measured_cuda_gib or self.vram_gib - CUDA_SHORTFALL_GIB

    @property
    def labels(self) -> tuple[str, ...]:
        """Values of the node label nvidia.com/gpu.product: device names with dashes for spaces, without parentheses."""
        return tuple(name.replace("(", "").replace(")", "").replace(" ", "-") for name in self.names)

    def rate(self, dtype: str) -> float | None:
        """Dense TFLOPS of a type of the tensor cores, None when they do not have it."""
        if dtype not in _RATES:
            raise ValueError(f"{dtype!r} is no type of tensor cores; known: {', '.join(_RATES)}")
        value: float | None = getattr(self, dtype)
        return value


@cache
def gpus() -> tuple[Gpu, ...]:
    """Every GPU of the catalogue, in its order."""
    content = tomllib.loads(Path(__file__).with_name("gpus.toml").read_text(encoding="utf-8"))
    sources = {key: Source(**row) for key, row in content["sources"].items()}
    return tuple(_gpu(row, sources) for row in content["gpu"])


def gpu(name: str) -> Gpu:
    """The GPU of a name, an alias, a product label or a DCGM model name; raises UnknownNameError with near names."""
    found = product(name)
    if found is None:
        raise UnknownNameError("GPU", name, nearest(name, {key: _by_id()[i].title for key, i in names().items()}))
    return found


def product(label: str) -> Gpu | None:
    """The GPU behind a node label nvidia.com/gpu.product, a DCGM modelName or a plain name; None when it is not known.

    Suffixes that sharing adds (`-MIG-1g.10gb`, `-SHARED`) are put aside.
    """
    text = label.strip().lower()
    for suffix in _MIG_SUFFIX:
        text = text.split(suffix, 1)[0]
    return _by_id().get(names().get(fold(text), ""))


def slice_of(whole: Gpu, profile: str) -> Gpu:
    """A MIG slice as a GPU of its own: memory and bandwidth by its gigabytes, rates by its sevenths, no NVLink.

    Raises UnknownNameError naming the profiles that the GPU has.
    """
    known = {one.name for one in whole.mig}
    wanted = profile.strip().lower()
    if wanted not in known:
        raise UnknownNameError(f"MIG profile of the {whole.title}", profile, tuple(one.name for one in whole.mig))
    sevenths, _, memory = wanted.removesuffix("gb").partition("g.")
    gib = int(memory) * MIG_MEMORY_SHARE
    share = int(sevenths) / _SEVENTHS
    rates = {name: round(rate * share, 1) for name in _RATES if (rate := getattr(whole, name)) is not None}
    return replace(
        whole,
        id=f"{whole.id}:{wanted}",
        title=f"{whole.title} slice {wanted}",
        vram_mib=round(gib * MIB_PER_GIB),
        measured_cuda_gib=gib,
        bandwidth_gbs=round(whole.bandwidth_gbs * min(1.0, int(memory) / whole.vram_gib), 1),
        link="none",
        nvlink_gbs=None,
        island=1,
        per_node=1,
        mig=(),
        profile=wanted,
        unconfirmed=whole.unconfirmed | {"vram_mib", "cuda_gib"},
        **rates,
    )


@cache
def names() -> dict[str, str]:
    """Every folded name to the id of its GPU."""
    short = ((name.removeprefix("NVIDIA ").removeprefix("Tesla ") for name in one.names) for one in gpus())
    return index(
        (one.id, (one.title, *one.names, *one.aliases, *more)) for one, more in zip(gpus(), short, strict=True)
    )


@cache
def _by_id() -> dict[str, Gpu]:
    return {one.id: one for one in gpus()}


def _gpu(row: dict[str, Any], sources: dict[str, Source]) -> Gpu:
    row = dict(row)
    profiles = (one.split(":") for one in row.pop("mig", ()))
    return Gpu(
        names=tuple(row.pop("names")),
        aliases=tuple(row.pop("aliases", ())),
        mig=tuple(MigProfile(name, int(most)) for name, most in profiles),
        measured_cuda_gib=row.pop("cuda_gib", None),
        sources=tuple(sources[key] for key in row.pop("sources")),
        unconfirmed=frozenset(row.pop("unconfirmed", ())),
        **row,
    )
