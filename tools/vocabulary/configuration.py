"""How a serving engine is configured: as its container resolves it, and as the running server says of itself.

What cannot be known is absent. Values may be a version's default; `engine.configured_by` says where each comes from.
"""

from __future__ import annotations

from tools.series import Series
from tools.signals import Kind, Per, Signal, fact, signal


def _engine(name: str, meaning: str, unit: str = "", join: str = "max", told_by: str = "") -> Signal:
    return fact(f"engine.{name}", unit, Per.REPLICA, meaning, join, "config", told_by)


def _actual(name: str, meaning: str) -> Signal:
    """What the running server says; a server that exports no such series leaves nothing to compare."""
    return signal(f"engine.{name}", "", Per.REPLICA, Kind.FACT, meaning, evidence="metric", optional=True)


ENGINE_NAME = _engine("name", "Engine that is launched")
ENGINE_VERSION = _engine("version", "Version of the engine")
MODEL = _engine("model", "Model that is launched")
REVISION = _engine("revision", "Revision of the model")
MAX_MODEL_LEN = _engine("max_model_len", "Longest request", "tokens", "min")
DTYPE = _engine("dtype", "Data type of the weights")
QUANTIZATION = _engine("quantization", "Quantization that is set")
PREFIX_CACHING = _engine("prefix_caching", "Prefix caching set", "bool", "min")
GPUS_USED = _engine("gpus_used", "GPUs that the parallel sizes use", "GPUs")
CONFIGURED_BY = _engine("configured_by", "Where its settings come from")
STATED = _engine("stated", "Settings that are stated")
OUTDATED = _engine("outdated", "Settings unlike those of its workload", told_by="deployments")

ACTUAL_SHARE = _actual("actual_gpu_memory_utilization", "gpu-memory-utilization of the running server")
ACTUAL_CACHE_DTYPE = _actual("actual_cache_dtype", "KV cache data type of the running server")
ACTUAL_PREFIX_CACHING = _actual("actual_prefix_caching", "Prefix caching of the running server")

_INFO = "vllm:cache_config_info"
SERIES = {
    "vllm": {
        ACTUAL_SHARE: (Series(_INFO, label="gpu_memory_utilization"),),
        ACTUAL_CACHE_DTYPE: (Series(_INFO, label="cache_dtype"),),
        ACTUAL_PREFIX_CACHING: (Series(_INFO, label="enable_prefix_caching"),),
    },
}
