"""How fast decoding can be at most: memory bandwidth over the bytes that a step reads. A ceiling, never a promise."""

from __future__ import annotations

from dataclasses import dataclass

from tools.sizing import Sizing
from tools.sizing_memory import GIB, WEIGHT_BYTES, weights_bytes

# What engines reach of the ceiling: all-reduce, kernel launches and sampling take the rest.
REALISTIC = (0.5, 0.7)


@dataclass(frozen=True, slots=True)
class Speed:
    """Ceilings of decoding: tokens a second of one request alone, and of each and all at the load asked for.

    `ridge` is the batch from which a step is bound by arithmetic instead of bandwidth; None where the rate is unknown.
    """

    alone: float
    each: float
    together: float
    ridge: int | None


def speed(found: Sizing) -> Speed | None:
    """The ceilings where at least one request of the length fits, else None."""
    if found.layout is None or found.sequences == 0:
        return None
    users = min(found.request.at_once, found.sequences)
    alone, each = (1 / _step_seconds(found, batch) for batch in (1, users))
    return Speed(alone, each, each * users, ridge(found))


def ridge(found: Sizing) -> int | None:
    """Requests in a step beyond which arithmetic is the limit: peak rate × bytes per weight ÷ (2 × bandwidth)."""
    gpu, dtype = found.request.gpu, found.request.weights
    rate = {"fp8": gpu.fp8, "int8": gpu.int8, "nvfp4": gpu.fp4, "mxfp4": gpu.fp4}.get(dtype) or gpu.bf16 or gpu.fp16
    if not rate:
        return None
    return round(rate * 1e12 * WEIGHT_BYTES[dtype] / (2 * gpu.bandwidth_gbs * 1e9))


def _step_seconds(found: Sizing, batch: int) -> float:
    layout, gpu = found.layout, found.request.gpu
    assert layout is not None
    weights = weights_bytes(found.request.model, found.request.weights) * _touched(found, batch) / layout.tp
    cache = batch * found.sequence * GIB * layout.pp
    return (weights + cache) / (gpu.bandwidth_gbs * 1e9)


def _touched(found: Sizing, batch: int) -> float:
    """The share of the weights that a step reads: of a mixture, the experts that a batch is expected to choose."""
    model = found.request.model
    if not model.experts:
        return 1.0
    one = (model.params - model.active_params) / (model.experts - model.experts_per_token)
    everywhere = model.active_params - model.experts_per_token * one
    chosen = model.experts * (1 - (1 - model.experts_per_token / model.experts) ** batch)
    return (everywhere + chosen * one) / model.params
