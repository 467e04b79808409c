"""What vLLM, the hub's client, Transformers and what moves KV cache print while they go on: read as information or as warnings in their sources."""

from __future__ import annotations

import pytest

from tools.log_lines import matches
from tools.signals import Signal
from tools.vocabulary.startup import LOG_DOWNLOAD, LOG_TP

SURVIVED = (
    # vLLM waits for a cluster that grows; a choice falls back; an older spelling is still taken.
    "The number of required GPUs exceeds the total number of available GPUs in the placement group.",
    "Tensor parallel size (8) exceeds available GPUs (4). This may result in Ray placement group allocation failures.",
    (
        "With `vllm serve`, you should provide the model as a positional argument or in a config file instead of via the `--model`"
        " option. The `--model` option will be removed in a future version."
    ),
    "Unknown vLLM environment variable detected: VLLM_MODEL",
    "No model architectures are specified",
    "Pooling models do not support full cudagraphs. Overriding cudagraph_mode to PIECEWISE.",
    "Failed to initialize Flashinfer allreduce workspace. Flashinfer allreduce-norm fusion will be disabled.",
    "NIXL is not available",
    "Flash Attention on XPU does not support float32 dtype. Falling back to Triton Attention backend.",
    "SymmMemCommunicator: symmetric memory initialization failed: x Communicator is not available.",
    "Possibly too large swap space. 40.00 GiB out of the 62.00 GiB total CPU memory is allocated for the swap space.",
    "Releasing expired KV blocks for request a-1 which were retrieved by 0 decode worker(s) within 480 seconds.",
    # One request after the other is refused, and the engine runs.
    "ValueError: As of transformers v4.44, default chat template is no longer allowed, so you must provide a chat template",
    # The hub's client has the file already.
    (
        "Couldn't access the Hub to check for update but local file already exists. Defaulting to existing file. (error: 401 Client"
        " Error: Unauthorized for url: https://huggingface.co/api/models/org/m)"
    ),
    (
        "Returning existing local_dir `/models/m` as remote repo cannot be accessed in `snapshot_download` (403 Client Error: Forbidden"
        " for url: https://huggingface.co/api/models/org/m)."
    ),
    "Rate limited. Waiting 12.0s before retry [Retry 1/5].",
    "Error while downloading from https://cdn-lfs.hf.co/x: The read operation timed out",
    # Transformers leaves something out.
    (
        "MXFP4 quantization is only supported on GPUs with compute capability >= 7.5 (e.g T4, A100, L4, H100, or B200) We will default"
        " to dequantizing the model to bf16."
    ),
    (
        "MXFP4 quantization requires Triton and kernels installed: CUDA requires Triton >= 3.4.0, we will default to dequantizing the"
        " model to bf16"
    ),
    (
        "FP8 quantized models is only supported on GPUs with compute capability >= 8.9 (e.g 4090/H100), actual = `8.0`. We will default"
        " to dequantizing the model to bf16."
    ),
    "Unknown quantization type, got quark - supported types are: ['awq']. Hence, we will skip the quantization.",
    "Missing required keys in `rope_scaling`: 'factor'",
    "Could not locate the configuration_x.py inside org/m.",
    "Generation config file not found, using a generation config created from the model config.",
    # Engines of transfer try the next way.
    "Pinned host allocation failed on device 'cuda'; falling back to unpinned allocation from now on.",
    "Bypassing LMCache for request a-1 after a failed async KV load; the prompt will be recomputed locally.",
    "Failed to allocate from the NIXL/LocalCPUBackend shared pool — all pages are pinned. Consider increasing `max_local_cpu_size`.",
    "GID is NULL, please check your GID index by specifying MC_GID_INDEX",
    "Active handshake RPC failed, but simultaneous-open passive setup already connected this endpoint. Reusing existing connection.",
)


@pytest.mark.parametrize("line", SURVIVED)
def test_what_is_survived_says_nothing(line: str) -> None:
    told = {signal.name: text for signal, text in matches(f"INFO before\n{line}\nINFO after").items() if text}
    assert told == {}


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("ValueError: The number of required GPUs exceeds the total number of available GPUs", LOG_TP),
        (
            (
                "RuntimeError: The number of required TPUs exceeds the total number of available TPUs in the placement group."
                "Required number of devices: 8. Total number of devices: 4."
            ),
            LOG_TP,
        ),
        ("OSError: 401 Client Error: Unauthorized for url: https://huggingface.co/api/models/org/m", LOG_DOWNLOAD),
        (
            "`snapshot_download` ended: 403 Client Error: Forbidden for url: https://huggingface.co/api/models/m",
            LOG_DOWNLOAD,
        ),
    ],
)
def test_what_ends_a_start_is_told_still(line: str, signal: Signal) -> None:
    assert {told for told, text in matches(line).items() if text} == {signal}
