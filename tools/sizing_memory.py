"""The memory arithmetic of serving a model: weights, KV cache, what the engine keeps free. Bytes and GiB (2^30) throughout.

Formulas and measured check values: knowledge/packs/hardware. Reserves for activations, CUDA graphs and communication are
heuristics: the engine's start-up log has the real ones.
"""

from __future__ import annotations

from tools.catalogue.gpus import Gpu
from tools.catalogue.models import Model

GIB = 2**30
BLOCK = 16
# 4-bit formats carry a scale per group: 16 bit and a 4-bit zero per 128 (AWQ, GPTQ), 8 bit per 16 (NVFP4), 8 bit per 32 (MXFP4).
WEIGHT_BYTES = {
    "fp32": 4.0,
    "bf16": 2.0,
    "fp16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "int4": 0.5 + 2 / 128 + 0.5 / 128,
    "nvfp4": 0.5 + 1 / 16,
    "mxfp4": 0.5 + 1 / 32,
}
KV_BYTES = {"bf16": 2, "fp16": 2, "fp8": 1}
# vLLM's fp8_ds_mla layout: 512 bytes of latent in FP8, 16 of scales, 128 of rotary part in 16 bit, per token and layer.
DS_MLA_FP8_BYTES = 656
RUNTIME_GIB = 1.0
# vLLM's default budget of tokens per step, and what activations of one take at most, by the GPU's memory.
_ACTIVATIONS_GIB = ((160, 16384, 3.0), (70, 8192, 1.5), (0, 2048, 0.5))


def weights_bytes(model: Model, dtype: str) -> float:
    """All weights in a type, over all GPUs; what quantised checkpoints keep in 16 bit counts as 16 bit."""
    per = WEIGHT_BYTES[dtype]
    if per >= 2:
        return model.params * per
    return (model.params - model.keep16) * per + model.keep16 * 2.0


def rounded(tokens: int, block: int = BLOCK) -> int:
    """Tokens rounded up to whole blocks of the cache."""
    return -(-tokens // block) * block


def kv_bytes_per_token_layer(model: Model, kv_dtype: str, tp: int = 1) -> int:
    """Bytes of one token in one caching layer on one GPU.

    Tensor parallelism divides KV heads down to one per GPU and copies them beyond; MLA's latent is copied on every GPU.
    """
    size = KV_BYTES[kv_dtype]
    if model.latent:
        sparse_fp8 = model.extra_kv_bytes and size == 1
        return (DS_MLA_FP8_BYTES if sparse_fp8 else model.latent * size) + model.extra_kv_bytes
    heads = max(1, -(-model.kv_heads // tp))
    return 2 * heads * model.head_dim * size


def kv_bytes_per_token(model: Model, kv_dtype: str) -> int:
    """Bytes that one more token of a long sequence adds, over all layers, on one GPU without parallelism."""
    return model.caching_layers * kv_bytes_per_token_layer(model, kv_dtype)


def sequence_bytes(model: Model, tokens: int, kv_dtype: str, tp: int = 1, pp: int = 1, block: int = BLOCK) -> int:
    """The cache of one sequence of `tokens` on the fullest GPU: whole blocks, windows capped, states added."""
    layer = kv_bytes_per_token_layer(model, kv_dtype, tp)
    whole = rounded(tokens, block)
    kept = min(whole, rounded(model.window, block) + block) if model.window_layers else 0
    cached = -(-model.caching_layers // pp) * whole * layer + -(-model.window_layers // pp) * kept * layer
    return cached + -(-model.state_bytes // (tp * pp))


def reserve_gib(gpu: Gpu) -> float:
    """What one GPU needs beside weights and cache: context, communication, CUDA graphs, and activations of a step (heuristic)."""
    return RUNTIME_GIB + next(gib for least, _tokens, gib in _ACTIVATIONS_GIB if gpu.vram_gib >= least)


def step_tokens(gpu: Gpu) -> int:
    """vLLM's default of tokens per step on a GPU; the A100 counts as a small one there."""
    if gpu.id.startswith("a100"):
        return 2048
    return next(tokens for least, tokens, _gib in _ACTIVATIONS_GIB if gpu.vram_gib >= least)
