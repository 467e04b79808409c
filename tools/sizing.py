"""Whether a model fits on GPUs: weights, cache, concurrency, with the formula and everything that was assumed.

Pure arithmetic over the catalogues; nothing is asked of a cluster. `size` answers one request, tools/sizing_nearest.py looks
for the nearest one that works.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Literal

from tools.catalogue.gpus import Gpu
from tools.catalogue.models import Model
from tools.sizing_layout import Layout, LayoutError, lay
from tools.sizing_memory import (
    BLOCK,
    GIB,
    KV_BYTES,
    WEIGHT_BYTES,
    kv_bytes_per_token_layer,
    reserve_gib,
    sequence_bytes,
    step_tokens,
    weights_bytes,
)

Fit = Literal["fits", "tight", "short", "no"]
UTILIZATION = 0.9
PLANNED_USE = 0.8
MOST_TOKENS = 2**31
MOST_USERS = 10**7


class SizingError(ValueError):
    """The request makes no sense; the message says what to change."""


@dataclass(frozen=True, slots=True)
class Request:
    """What to size. `context` is prompt and answer together, in tokens, per request; `users` are requests at the same time.

    None takes the model's own context, one user, the type of the published weights, a cache in 16 bit.
    """

    model: Model
    gpu: Gpu
    count: int = 1
    context: int | None = None
    users: int | None = None
    dtype: str | None = None
    kv_dtype: str | None = None
    utilization: float = UTILIZATION
    tp: int | None = None
    reserve: float | None = None

    @property
    def tokens(self) -> int:
        """The context that is sized for."""
        return self.context or self.model.context

    @property
    def at_once(self) -> int:
        """The requests that are sized for."""
        return self.users or 1

    @property
    def weights(self) -> str:
        """The weights' type; fp16 stands in for bf16 on GPUs without it."""
        chosen = self.dtype or self.model.shipped
        return "fp16" if chosen == "bf16" and self.gpu.bf16 is None and self.dtype is None else chosen

    @property
    def cache(self) -> str:
        """The cache's type."""
        return self.kv_dtype or "bf16"


@dataclass(frozen=True, slots=True)
class Sizing:
    """The answer. Memory is in GiB per GPU; `sequences` of `request.tokens` fit at once, over the whole copy.

    `fit`: fits | tight (it does, using more than 80 % of the cache) | short (the model starts, the load does not fit) | no.
    """

    request: Request
    fit: Fit
    verdict: str
    layout: Layout | None = None
    total: float = 0.0
    budget: float = 0.0
    weights: float = 0.0
    reserve: float = 0.0
    cache: float = 0.0
    sequence: float = 0.0
    sequences: int = 0
    tokens: int = 0
    longest: int = 0
    caveats: tuple[str, ...] = ()
    assumed: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether the load that was asked for fits."""
        return self.fit in {"fits", "tight"}


def size(request: Request) -> Sizing:
    """Size a request; raises SizingError when it makes no sense. What cannot run is an answer, not an error."""
    _check(request)
    refused = _refused(request)
    if refused:
        return Sizing(request, "no", refused)
    try:
        layout = lay(request.model, request.gpu, request.count, request.tp)
    except LayoutError as error:
        return Sizing(request, "no", str(error))
    total = request.gpu.cuda_gib
    budget = total * request.utilization
    weights = weights_bytes(request.model, request.weights) / layout.count / GIB
    reserve = reserve_gib(request.gpu) if request.reserve is None else request.reserve
    cache = budget - weights - reserve
    sequence = _sequence(request, layout, request.tokens)
    sequences = int(max(0.0, cache) * GIB // sequence)
    found = Sizing(
        request,
        "no",
        "",
        layout,
        total,
        budget,
        weights,
        reserve,
        max(0.0, cache),
        sequence / GIB,
        sequences,
        int(max(0.0, cache) * GIB / sequence * request.tokens),
        longest(request, layout, max(0.0, cache) * GIB, request.at_once),
        tuple(_caveats(request, layout)),
        tuple(_assumed(request, reserve)),
    )
    return _judged(found, cache)


def longest(request: Request, layout: Layout, cache_bytes: float, users: int) -> int:
    """The longest context, in whole blocks, of which `users` fit into a GPU's cache; 0 when not even one block does."""
    low, high = 0, max(request.model.context, request.tokens) // BLOCK
    while low < high:
        middle = (low + high + 1) // 2
        if _sequence(request, layout, middle * BLOCK) * users <= cache_bytes:
            low = middle
        else:
            high = middle - 1
    return low * BLOCK


def _sequence(request: Request, layout: Layout, tokens: int) -> int:
    return sequence_bytes(request.model, tokens, request.cache, layout.tp, layout.pp)


def _check(request: Request) -> None:
    wrong = []
    if request.context is not None and not 1 <= request.context <= MOST_TOKENS:
        wrong.append("the context must be a positive number of tokens")
    if request.users is not None and not 1 <= request.users <= MOST_USERS:
        wrong.append(f"users must be between 1 and {MOST_USERS:,}")
    if not 0.05 <= request.utilization <= 1:
        wrong.append("the memory fraction must lie between 0.05 and 1")
    if request.reserve is not None and not 0 <= request.reserve <= 1000:
        wrong.append("the reserve must lie between 0 and 1000 GiB")
    if request.weights not in WEIGHT_BYTES:
        wrong.append(f"weights can be {', '.join(WEIGHT_BYTES)}, not {request.weights!r}")
    if request.cache not in KV_BYTES:
        wrong.append(f"the cache can be {', '.join(KV_BYTES)}, not {request.cache!r}")
    if wrong:
        said = "; ".join(wrong)
        raise SizingError(said[:1].upper() + said[1:] + ".")


def _refused(request: Request) -> str:
    gpu, dtype = request.gpu, request.weights
    volta_or_turing = gpu.vendor == "NVIDIA" and float(gpu.capability) < 8
    if dtype == "bf16" and gpu.bf16 is None:
        return f"{gpu.title} has no BF16: vLLM needs compute capability 8.0 for it. Use fp16 (`--dtype half`)."
    if dtype in {"fp8", "nvfp4", "mxfp4"} and volta_or_turing:
        return f"{gpu.title} (compute capability {gpu.capability}) is too old for {dtype} weights. Use int4 or fp16."
    if gpu.profile and request.count > 1:
        return "One engine cannot span MIG slices: NCCL does not run across them. Size one slice, or a whole GPU."
    if request.context and request.context > request.model.context:
        return f"{request.model.title} has a context of {request.model.context:,} tokens: {request.context:,} is beyond it."
    return ""


def _judged(found: Sizing, cache: float) -> Sizing:
    request, layout = found.request, found.layout
    assert layout is not None
    where = f"{request.count} × {request.gpu.title}"
    what = f"{request.model.title} in {request.weights}"
    need = found.weights + found.reserve
    if cache * GIB < _sequence(request, layout, BLOCK):
        said = (
            f"No: {what} needs {need:.1f} GiB on each GPU before any cache, and {where} gives"
            f" {found.budget:.1f} GiB each at a memory fraction of {request.utilization:g}."
        )
        return replace(found, fit="no", verdict=said)
    load = f"{request.at_once} × {request.tokens:,} tokens"
    if found.sequences >= request.at_once:
        used = request.at_once * found.sequence / found.cache
        if used > PLANNED_USE:
            said = f"Only just: {what} fits on {where} with {load}, at {used:.0%} of the cache; plan for {PLANNED_USE:.0%}."
            return replace(found, fit="tight", verdict=said)
        return replace(
            found, fit="fits", verdict=f"Yes: {what} fits on {where} with {load}, at {used:.0%} of the cache."
        )
    if found.sequences == 0:
        said = (
            f"Not at {request.tokens:,} tokens: {what} starts on {where} with --max-model-len"
            f" {longest(request, layout, found.cache * GIB, 1)} at most."
        )
    else:
        said = f"Not with {load}: {what} starts on {where}, and {found.sequences} of these fit at once."
    return replace(found, fit="short", verdict=said)


def _caveats(request: Request, layout: Layout) -> list[str]:
    gpu, dtype = request.gpu, request.weights
    found = list(layout.notes)
    if dtype == "fp8" and gpu.fp8 is None:
        found.append(f"{gpu.title} has no FP8 tensor cores: FP8 weights save memory there, not arithmetic.")
    if dtype in {"nvfp4", "mxfp4"} and gpu.fp4 is None:
        found.append(f"{gpu.title} has no FP4 tensor cores: {dtype} weights are unpacked to 16 bit to compute.")
    if request.cache == "fp8":
        found.append("An FP8 cache can cost accuracy at long context: compare answers before and after.")
    if gpu.unconfirmed:
        found.append(f"Not confirmed in a source for {gpu.title}: {', '.join(sorted(gpu.unconfirmed))}.")
    if request.model.unconfirmed:
        found.append(f"Not confirmed for {request.model.title}: {', '.join(sorted(request.model.unconfirmed))}.")
    if request.model.note:
        found.append(request.model.note)
    return found


def _assumed(request: Request, reserve: float) -> list[str]:
    gpu, model = request.gpu, request.model
    seen = "in public out-of-memory messages" if gpu.measured_cuda_gib else "estimated: 0.7 GiB under NVML's total"
    if gpu.profile:
        seen = "estimated from the slice's name: nvidia-smi inside the pod has the real figure"
    found = [
        f"Memory per GPU is {gpu.cuda_gib:.2f} GiB as CUDA sees it ({seen}); nvidia-smi shows {gpu.vram_gib:.2f}.",
        f"The memory fraction is {request.utilization:g} of the total (vLLM's default is 0.9 through 0.15, 0.92 in newer ones).",
        f"{reserve:.1f} GiB per GPU stay free for context, communication, CUDA graphs and activations"
        + (f" of {step_tokens(gpu):,} tokens a step" if request.reserve is None else "")
        + ": a rule of thumb, the start-up log has the real figure.",
        "Every user fills the whole context at the same time, and no prefix is shared; half as long means about twice as many.",
    ]
    if model.experts:
        found.append(
            f"All experts are in memory: {model.params / 1e9:.1f} B parameters in total, {model.active_params / 1e9:.1f} B of them"
            " active per token."
        )
    if request.context is None:
        found.append(
            f"No context was named: the model's own, {model.context:,} tokens, which the engine takes by default."
        )
    if request.users is None:
        found.append("No number of users was named: one.")
    if request.dtype is None:
        found.append(
            f"Weights are in {request.weights}: "
            + ("as published." if request.weights == model.shipped else "no bf16 here.")
        )
    if request.kv_dtype is None:
        found.append("The cache is in 16 bit (--kv-cache-dtype auto).")
    return found


def formula(found: Sizing) -> tuple[str, ...]:
    """The arithmetic in words and figures, a line each; empty without a layout."""
    request, layout = found.request, found.layout
    if layout is None:
        return ()
    model = request.model
    layer = kv_bytes_per_token_layer(model, request.cache, layout.tp)
    parts = (
        f"{model.latent} latent values × {KV_BYTES[request.cache]} bytes"
        if model.latent
        else f"2 × {max(1, -(-model.kv_heads // layout.tp))} KV heads × {model.head_dim} × {KV_BYTES[request.cache]} bytes"
    )
    extra = f" (with scales and an index of {model.extra_kv_bytes})" if model.extra_kv_bytes else ""
    lines = [
        f"weights per GPU = {model.params / 1e9:.2f} B parameters in {request.weights} ÷ {layout.count} = {found.weights:.2f} GiB",
        f"cache per GPU = {found.total:.2f} × {request.utilization:g} − {found.weights:.2f} − {found.reserve:.2f} = {found.cache:.2f} GiB",
        f"one token in one layer = {parts}{extra} = {layer:,} bytes",
    ]
    kinds = [f"{model.caching_layers} layers × {request.tokens:,} tokens"]
    if model.window_layers:
        kinds.append(f"{model.window_layers} layers × at most {model.window:,} tokens")
    if model.state_bytes:
        kinds.append(f"{model.state_bytes / 2**20:.0f} MiB of state")
    lines += [
        f"one request = {' + '.join(kinds)}"
        + (f" ÷ {layout.pp} stages" if layout.pp > 1 else "")
        + f" = {found.sequence:.3f} GiB per GPU",
        f"requests at once = {found.cache:.2f} ÷ {found.sequence:.3f} = {found.sequences:,}",
    ]
    return tuple(lines)
