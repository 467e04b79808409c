"""Dynamo's workers: `python -m dynamo.vllm`, `dynamo.sglang`, `dynamo.trtllm`, each with its engine's own flags.

A worker's image counts Dynamo's versions, so no default of the engine is told. Checked against dynamo/*/args.py of 1.0.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from tools.engines import sglang, tensorrt_llm, vllm
from tools.engines.setting import Key

_VARIABLES = {
    Key.MODEL: ("--model-path", "DYN_TRTLLM_MODEL"),
    Key.TENSOR_PARALLEL: ("--tensor-parallel-size", "DYN_TRTLLM_TENSOR_PARALLEL_SIZE"),
    Key.PIPELINE_PARALLEL: ("--pipeline-parallel-size", "DYN_TRTLLM_PIPELINE_PARALLEL_SIZE"),
    Key.MAX_NUM_SEQS: ("--max-batch-size", "DYN_TRTLLM_MAX_BATCH_SIZE"),
    Key.MAX_BATCHED_TOKENS: ("--max-num-tokens", "DYN_TRTLLM_MAX_NUM_TOKENS"),
    Key.MAX_MODEL_LEN: ("--max-seq-len", "DYN_TRTLLM_MAX_SEQ_LEN"),
    Key.GPU_MEMORY_UTILIZATION: ("--free-gpu-memory-fraction", "DYN_TRTLLM_FREE_GPU_MEMORY_FRACTION"),
}


def _trtllm(words: Sequence[str]) -> int | None:
    return next(
        (i for i, word in enumerate(words[:64]) if word == "dynamo.trtllm" and i and words[i - 1] == "-m"), None
    )


ENGINES = (
    vllm.worker("dynamo_vllm", "Dynamo with vLLM", "dynamo.vllm"),
    sglang.worker("dynamo_sglang", "Dynamo with SGLang", "dynamo.sglang"),
    replace(
        tensorrt_llm.ENGINE,
        name="dynamo_trtllm",
        title="Dynamo with TensorRT-LLM",
        images=re.compile(r"(?!)"),
        launched=_trtllm,
        options=tuple(
            replace(one, flags=(_VARIABLES[one.key][0], *one.flags), env=(_VARIABLES[one.key][1],))
            if one.key in _VARIABLES
            else one
            for one in tensorrt_llm.ENGINE.options
        ),
        config=("--extra-engine-args",),
        verified=((), ()),
        positional=False,
    ),
)
