"""vLLM in KServe's Hugging Face server: `python -m huggingfaceserver`, which takes vLLM's flags beside its own.

Flags and defaults are those of python/huggingfaceserver in kserve 0.14 to 0.18: the model is `--model_id`, else what lies in `--model_dir`; until
0.14 `auto` was made half precision on a GPU, since 0.15 vLLM decides. What vLLM does not support falls back to Transformers, which spreads over GPUs by itself: how many are used is told
only where vLLM is asked for.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.engines import vllm
from tools.engines.options import Default, Option, nothing_derived, number_of
from tools.engines.setting import Configuration, Container, Key

_MODULE = "huggingfaceserver"
_OWN = {
    Key.MODEL: Option(Key.MODEL, ("--model-id", "--model-dir"), defaults=(Default("/mnt/models"),)),
    Key.REVISION: Option(Key.REVISION, ("--model-revision",), depends="the hub's main branch, as of the download"),
    Key.MAX_MODEL_LEN: number_of(
        Key.MAX_MODEL_LEN, "--max-model-len", "--max-length", depends="the model's own context"
    ),
    Key.DTYPE: Option(
        Key.DTYPE, ("--dtype",), defaults=(Default("float16", before=(0, 15)), Default("auto", since=(0, 15)))
    ),
    Key.PORT: number_of(Key.PORT, "--http-port", default=8080),
}
# The version is KServe's: what depends on vLLM's own is not known by it.
_BY_VERSION = "the vLLM inside decides it"
_ASKS_FOR_VLLM = ("tensor-parallel-size", "tp", "pipeline-parallel-size", "pp", "gpu-memory-utilization")


def launched(words: Sequence[str]) -> int | None:
    """The place of the module."""
    return next((i for i, word in enumerate(words[:64]) if word == _MODULE and i and words[i - 1] == "-m"), None)


def count(configuration: Configuration, container: Container) -> int | None:
    """GPUs of one pod as vLLM counts them, None where Transformers may serve the model."""
    backend = configuration.flags.get("backend", "auto")
    if backend != "vllm" and (backend != "auto" or not any(name in configuration.flags for name in _ASKS_FOR_VLLM)):
        return None
    return vllm.count(configuration, container)


def _option(option: Option) -> Option:
    bound = any(one.since or one.before for one in option.defaults)
    return _OWN.get(option.key) or (replace(option, defaults=(), depends=_BY_VERSION) if bound else option)


ENGINE = replace(
    vllm.ENGINE,
    name="kserve_vllm",
    title="vLLM in KServe's Hugging Face server",
    images=re.compile(r"huggingface-?server", re.IGNORECASE),
    releases=re.compile(r"huggingface-?server$", re.IGNORECASE),
    launched=launched,
    options=tuple(map(_option, vllm.OPTIONS)),
    positional=False,
    config=(),
    verified=((0, 14), (0, 18)),
    derive=nothing_derived,
    count=count,
)
