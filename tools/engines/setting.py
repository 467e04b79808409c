"""What a serving engine is set to, and where each value comes from: an argument, a variable, a file, or a default of its version.

A value that cannot be known is `Origin.UNKNOWN` with the reason in `detail`; nothing here is guessed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Value = float | str | bool
Version = tuple[int, ...]


class Key(StrEnum):
    """The settings that engines share, whatever their flags are called."""

    MODEL = "model"
    REVISION = "revision"
    MAX_MODEL_LEN = "max_model_len"
    MAX_NUM_SEQS = "max_num_seqs"
    MAX_CONCURRENT_REQUESTS = "max_concurrent_requests"  # with those that wait: what comes beyond is refused
    MAX_BATCHED_TOKENS = "max_batched_tokens"
    GPU_MEMORY_UTILIZATION = "gpu_memory_utilization"
    TENSOR_PARALLEL = "tensor_parallel"
    PIPELINE_PARALLEL = "pipeline_parallel"
    DATA_PARALLEL = "data_parallel"
    DTYPE = "dtype"
    QUANTIZATION = "quantization"
    KV_CACHE_DTYPE = "kv_cache_dtype"
    PREFIX_CACHING = "prefix_caching"
    LOAD_FORMAT = "load_format"
    TRUST_REMOTE_CODE = "trust_remote_code"
    ADAPTERS = "adapters"
    ADAPTER_SLOTS = "adapter_slots"
    PORT = "port"


class Origin(StrEnum):
    """Where a value comes from."""

    ARGUMENT = "argument"
    ENVIRONMENT = "environment"
    FILE = "file"
    DEFAULT = "default"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Setting:
    """A value with its origin; `detail` names the flag, variable, file or version, or why it is not known."""

    value: Value | None
    origin: Origin
    detail: str = ""

    @property
    def stated(self) -> bool:
        """Whether somebody wrote it down, rather than the engine choosing it."""
        return self.origin in {Origin.ARGUMENT, Origin.ENVIRONMENT, Origin.FILE}

    @property
    def said(self) -> str:
        """Where it comes from, for a reader: `argument --tp`, `default of vLLM 0.11.0`, `unknown: ...`."""
        return (
            f"{self.origin}: {self.detail}" if self.origin is Origin.UNKNOWN else f"{self.origin} {self.detail}".strip()
        )


NOT_KNOWN = Setting(None, Origin.UNKNOWN, "nothing tells it")


@dataclass(frozen=True, slots=True)
class Container:
    """A container as the manifest has it.

    A variable whose value is None is taken from a secret, a config map or a field and cannot be read here; `env_from` says that
    there may be more of them. `files` are texts by the path at which they are mounted, as far as they could be read.
    `gpu_memory` is that of one GPU in bytes, 0 where it is not known, `gpu_name` its product name.
    """

    image: str = ""
    command: tuple[str, ...] = ()
    args: tuple[str, ...] = ()
    env: tuple[tuple[str, str | None], ...] = ()
    env_from: bool = False
    files: tuple[tuple[str, str], ...] = ()
    gpu_memory: float = 0.0
    gpu_name: str = ""


@dataclass(frozen=True, slots=True)
class Configuration:
    """How an engine resolves a container's configuration.

    `engine` is empty where none is known, `version` where the image's tag does not name one. `flags` are all the flags of the
    command line without dashes in front, `true` for a switch. `gpus` is how many GPUs one container puts to use, None where
    that is not known.
    """

    engine: str = ""
    title: str = ""
    version: str = ""
    settings: Mapping[Key, Setting] = field(default_factory=dict)
    flags: Mapping[str, str] = field(default_factory=dict)
    gpus: int | None = None

    def __getitem__(self, key: Key) -> Setting:
        """A setting; unknown where the engine has none such."""
        return self.settings.get(key, NOT_KNOWN)

    def number(self, key: Key) -> float | None:
        """A setting's number, None where it has none."""
        value = self[key].value
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def text(self, key: Key) -> str:
        """A setting's text, empty where it has none."""
        value = self[key].value
        return value if isinstance(value, str) else ""

    def on(self, key: Key) -> bool | None:
        """Whether a switch is on, None where that is not known."""
        value = self[key].value
        return value if isinstance(value, bool) else None
