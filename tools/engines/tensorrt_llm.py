"""TensorRT-LLM: `trtllm-serve MODEL`, and Dynamo's worker of it (`python -m dynamo.trtllm`), each flag there also a variable.

Checked against tensorrt_llm/commands/serve.py, its pages for 0.18 and later, and dynamo/trtllm/backend_args.py of 1.0. The batch
limits have other defaults from release to release, so only stated ones are told. The share is of the memory that weights leave.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from tools.engines.command_line import program
from tools.engines.options import Engine, Form, Option, number_of
from tools.engines.setting import Key

_VARIES = "its default differs between releases"


def launched(words: Sequence[str]) -> int | None:
    """The place of the command, or of its `serve`."""
    for place, word in enumerate(words[:64]):
        if program(word) == "trtllm-serve":
            return place + 1 if words[place + 1 : place + 2] == ("serve",) else place
    return None


ENGINE = Engine(
    name="tensorrt_llm",
    title="TensorRT-LLM",
    images=re.compile(r"tensorrt-llm|trtllm-serve", re.IGNORECASE),
    releases=re.compile(r"\btensorrt-llm/release$", re.IGNORECASE),
    launched=launched,
    options=(
        Option(Key.MODEL, ()),
        Option(Key.REVISION, ("--revision", "--hf-revision"), depends="the hub's main branch, as of the download"),
        number_of(Key.MAX_MODEL_LEN, "--max-seq-len", depends="the model's own context"),
        number_of(Key.MAX_NUM_SEQS, "--max-batch-size", depends=_VARIES),
        number_of(Key.MAX_BATCHED_TOKENS, "--max-num-tokens", depends=_VARIES),
        Option(
            Key.GPU_MEMORY_UTILIZATION,
            ("--kv-cache-free-gpu-memory-fraction", "--free-gpu-memory-fraction"),
            Form.NUMBER,
            depends=_VARIES,
        ),
        number_of(Key.TENSOR_PARALLEL, "--tp-size", "--tensor-parallel-size", default=1),
        number_of(Key.PIPELINE_PARALLEL, "--pp-size", "--pipeline-parallel-size", default=1),
        Option(Key.KV_CACHE_DTYPE, ("--kv-cache-dtype",), depends=_VARIES),
        Option(Key.TRUST_REMOTE_CODE, ("--trust-remote-code",), Form.SWITCH, depends=_VARIES),
        number_of(Key.PORT, "--port", default=8000),
    ),
    switches=frozenset({"--enable-chunked-prefill", "--grpc"}),
    config=("--extra-llm-api-options", "--config"),
    verified=((0, 18), (1, 3)),
    positional=True,
)
