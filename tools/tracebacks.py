"""Which part of a program raised the error that ended it, by the frames of Python's traceback: what to go by where no wording is known.

An error of the hub's client is a failed fetch whatever its words are, and one of the loader's code means a model that does not fit the
engine. The frame nearest to the error that lies in a part with a meaning decides; what the part means is the name of a log's signal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.last_error import LONGEST_READ, exception

# Site-packages or sources: the path from the package on. Nearer the top wins where several fit one frame.
_PARTS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "log.model_download",
        re.compile(
            r"/(?:huggingface_hub|hf_transfer|hf_xet|boto3|botocore|s3fs|gcsfs|adlfs|google/(?:cloud/storage|auth|api_core)|azure/(?:storage|identity)"
            r"|runai_model_streamer|tensorizer|modelscope|kserve_storage|safetensors)/|/torch/serialization\.py|/kserve/storage/"
        ),
    ),
    (
        "log.build_tools",
        re.compile(
            r"/(?:torch/_inductor|torch/utils/cpp_extension|triton/(?:compiler|runtime|backends)|flashinfer/jit|deep_gemm/jit|tvm_ffi|tilelang/jit)\b"
        ),
    ),
    (
        "log.kv_transfer",
        re.compile(r"/sglang/srt/disaggregation/|/vllm/distributed/kv_transfer/|/(?:nixl|lmcache|mooncake)/"),
    ),
    (
        "log.nccl_init",
        re.compile(
            r"/torch/distributed/(?:distributed_c10d|rendezvous)\.py|/(?:vllm|sglang/srt)/distributed/(?:parallel_state|device_communicators)|/pynccl"
        ),
    ),
    (
        "log.config_refused",
        re.compile(
            r"/vllm/(?:config(?:/\w+)?|engine/arg_utils)\.py|/sglang/srt/(?:server_args|configs/model_config)\.py|/tensorrt_llm/llmapi/llm_args\.py"
        ),
    ),
    (
        "log.unsupported_model",
        re.compile(
            r"/transformers/(?:models/auto|dynamic_module_utils|configuration_utils|tokenization_utils\w*|modeling_utils|integrations|quantizers)"
            r"|/(?:vllm/model_executor|sglang/srt)/(?:model_loader|models|layers/quantization)\b|/(?:vllm|sglang/srt)/(?:transformers_utils|utils/hf_transformers_utils)\b"
            r"|/text_generation_server/(?:models|utils/weights)|/tensorrt_llm/(?:_torch/)?models/|/vllm/transformers_utils/"
        ),
    ),
)
# The loader's code and the model's code also run while requests are served: only a load says that the model does not fit.
_LOADS = re.compile(
    r"^(?:load_\w+|_load_\w+|get_model|get_\w*config|from_pretrained|initialize_model|init_\w+|__init__|create_\w+|get_tokenizer)$"
)
_FRAME = re.compile(r'File "(?P<path>[^"\n]{1,400})", line \d{1,7}, in (?P<name>\S{1,120})')
_MOST_FRAMES = 400
_LONGEST_FRAME = 160


@dataclass(frozen=True, slots=True)
class Traced:
    """An exception as its last line tells it, and the frames that it came through (path, function), nearest to it last."""

    said: str
    frames: tuple[tuple[str, str], ...]

    def told(self) -> tuple[str, str]:
        """The signal that the failing part stands for and the frame that shows it, empty where no frame lies in a known part."""
        for path, function in reversed(self.frames):
            for means, part in _PARTS:
                if found := part.search(path):
                    loads = means != "log.unsupported_model" or any(_LOADS.match(name) for _path, name in self.frames)
                    return (means, f"{path[found.start() + 1 :][:_LONGEST_FRAME]} in {function}") if loads else ("", "")
        return "", ""


def traced(log: str) -> Iterator[Traced]:
    """The tracebacks of a log, in its order. What loggers put before each line is passed over."""
    frames: list[tuple[str, str]] = []
    for line in log.splitlines():
        head = line[:LONGEST_READ]
        if found := _FRAME.search(head):
            frames.append((found["path"].replace("\\", "/"), found["name"]))
            del frames[:-_MOST_FRAMES]
        elif frames and (said := exception(head)):
            yield Traced(said, tuple(frames))
            frames = []


def inferred(log: str) -> tuple[str, str]:
    """The signal that the last telling traceback stands for, and the error's line with where it was raised; two empty texts where none tells."""
    for one in reversed(list(traced(log))):
        means, frame = one.told()
        if means:
            return means, f"{one.said} [raised in {frame}]"
    return "", ""
