"""Lines of starts that are refused for the model, the settings, the image or the system, and lines that only look alike."""

from __future__ import annotations

import time

import pytest

from tools.log_lines import matches
from tools.vocabulary.host_faults import LOG_CAPABILITY
from tools.vocabulary.refused_starts import (
    LOG_ADDRESS,
    LOG_BUILD_TOOLS,
    LOG_KV_TRANSFER,
    LOG_LIBRARY,
    LOG_OS_LIMITS,
    LOG_PERMISSION,
    LOG_REFUSED,
    LOG_UNSUPPORTED,
    PATTERNS,
)


@pytest.mark.parametrize(
    ("line", "signal"),
    [
        ("ValueError: Model architectures ['Qwen3ForCausalLM'] are not supported for now. Supported", LOG_UNSUPPORTED),
        ("Value error, Model architectures ['Step3VL'] failed to be inspected. Please check the logs", LOG_UNSUPPORTED),
        (
            "ValueError: The checkpoint you are trying to load has model type `gpt_oss` but Transformers does not recognize this architecture.",
            LOG_UNSUPPORTED,
        ),
        (
            "ValueError: The repository for org/m contains custom code which must be executed to correctly load the model. You can inspect",
            LOG_UNSUPPORTED,
        ),
        ("KeyError: 'layers.0.mlp.experts.w2_weight_scale_inv'", LOG_UNSUPPORTED),
        (
            "ValueError: There is no module or parameter named 'block' in GptOssForCausalLM",
            LOG_UNSUPPORTED,
        ),
        (
            "AssertionError: Attempted to load weight (torch.Size([32000, 4096])) into parameter (torch.Size([32064, 4096]))",
            LOG_UNSUPPORTED,
        ),
        (
            "ValueError: Tokenizer class TokenizersBackend does not exist or is not currently imported.",
            LOG_UNSUPPORTED,
        ),
        ("llama_model_load: error loading model: unknown model architecture: 'gemma4'", LOG_UNSUPPORTED),
        ("pydantic_core._pydantic_core.ValidationError: 1 validation error for VllmConfig", LOG_REFUSED),
        (
            "(APIServer pid=1)   Value error, Chunked MM input disabled but max tokens is larger. [type=value_error, input_value=ArgsKwargs((), {'a': 1}), input_type=ArgsKwargs]",
            LOG_REFUSED,
        ),
        (
            "ValueError: VLLM_PORT 'tcp://10.0.0.7:8000' appears to be a URI. This may be caused by a Kubernetes service discovery issue,check",
            LOG_REFUSED,
        ),
        (
            "AssertionError: Speculative decoding is not supported with pipeline parallelism.",
            LOG_REFUSED,
        ),
        ("ValueError: invalid literal for int() with base 10: 'tcp://10.96.12.7:8000'", LOG_REFUSED),
        ("AssertionError: Currently HybridAttentionBackend does not support speculative decoding.", LOG_REFUSED),
        ("AssertionError: Speculative decoding not yet supported for RayGPU backend.", LOG_REFUSED),
        ("ValueError: LoRA rank 64 is greater than max_lora_rank 16.", LOG_REFUSED),
        (
            "Error Code 1: Serialization (Serialization assertion stdVersionRead == serializationVersion failed.",
            LOG_UNSUPPORTED,
        ),
        ("OSError: [Errno 98] Address already in use", LOG_ADDRESS),
        (
            "ERROR:    [Errno 98] error while attempting to bind on address ('0.0.0.0', 8000): address already in use",
            LOG_ADDRESS,
        ),
        ("zmq.error.ZMQError: Address already in use (addr='tcp://127.0.0.1:5555')", LOG_ADDRESS),
        ('F0101 main.go:50] "listen tcp :9090: bind: address already in use"', LOG_ADDRESS),
        ("Error: Address already in use (os error 98)", LOG_ADDRESS),
        ("RuntimeError: Failed to find C compiler. Please specify via CC environment variable.", LOG_BUILD_TOOLS),
        ("FileNotFoundError: [Errno 2] No such file or directory: 'ninja'", LOG_BUILD_TOOLS),
        ("FileNotFoundError: [Errno 2] No such file or directory: '/usr/local/cuda/bin/nvcc'", LOG_BUILD_TOOLS),
        (
            "RuntimeError: Could not find nvcc and default cuda_home='/usr/local/cuda' doesn't exist",
            LOG_BUILD_TOOLS,
        ),
        ("cuda_utils.c:9:10: fatal error: Python.h: No such file or directory", LOG_BUILD_TOOLS),
        (
            "InvalidCxxCompiler: No working C++ compiler found in torch._inductor.config.cpp.cxx: (None, 'g++')",
            LOG_BUILD_TOOLS,
        ),
        ("/bin/sh: 1: nvcc: not found", LOG_BUILD_TOOLS),
        ("ptxas fatal   : Value 'sm_121a' is not defined for option 'gpu-name'", LOG_BUILD_TOOLS),
        ("nvcc fatal   : Unsupported gpu architecture 'compute_120'", LOG_BUILD_TOOLS),
        ("/usr/bin/ld: cannot find -lcuda: No such file or directory", LOG_BUILD_TOOLS),
        ("fatal error: curand_kernel.h: No such file or directory", LOG_BUILD_TOOLS),
        ("/bin/sh: 1: :/usr/local/cuda-12.8/bin/nvcc: not found", LOG_BUILD_TOOLS),
        ("zmq.error.ZMQError: Too many open files", LOG_OS_LIMITS),
        ("OpenBLAS blas_thread_init: pthread_create: Resource temporarily unavailable", LOG_OS_LIMITS),
        ("OSError: [Errno 24] Too many open files: '/models/model-00001.safetensors'", LOG_OS_LIMITS),
        ("thread 'main' panicked: Too many open files (os error 24)", LOG_OS_LIMITS),
        ("RuntimeError: can't start new thread", LOG_OS_LIMITS),
        ("  what():  Resource temporarily unavailable", LOG_OS_LIMITS),
        (
            "OpenBLAS blas_thread_init: pthread_create failed for thread 50 of 64: Resource temporarily unavailable",
            LOG_OS_LIMITS,
        ),
        (
            "UCX  ERROR mlx5_0: ibv_create_cq(cqe=4096) failed: Cannot allocate memory : Please set max locked memory (ulimit -l) to 'unlimited' (current: 64 kbytes)",
            LOG_OS_LIMITS,
        ),
        (
            "ImportError: libcuda.so.1: cannot open shared object file: No such file or directory",
            LOG_LIBRARY,
        ),
        ("ModuleNotFoundError: No module named 'flash_attn'", LOG_LIBRARY),
        (
            "ImportError: cannot import name 'ALLOWED_LAYER_TYPES' from 'transformers.configuration_utils' (/usr/lib/x.py)",
            LOG_LIBRARY,
        ),
        (
            "ImportError: /usr/lib/python3/dist-packages/vllm/_C.abi3.so: undefined symbol: _ZN3c104cuda9SetDeviceEi",
            LOG_LIBRARY,
        ),
        (
            "tritonserver: error while loading shared libraries: libdcgm.so.3: cannot open shared object file",
            LOG_LIBRARY,
        ),
        (
            "RuntimeError: Failed to infer device type, please set the environment variable `VLLM_LOGGING_LEVEL=DEBUG`",
            LOG_LIBRARY,
        ),
        ("exec /usr/bin/python3: exec format error", LOG_LIBRARY),
        ("PermissionError: [Errno 13] Permission denied: '/.cache'", LOG_PERMISSION),
        ("OSError: [Errno 30] Read-only file system: '/home/app/.config'", LOG_PERMISSION),
        ("mkdir: cannot create directory '/data/models': Permission denied", LOG_PERMISSION),
        (
            "ERROR:    [Errno 13] error while attempting to bind on address ('0.0.0.0', 80): permission denied",
            LOG_CAPABILITY,
        ),
        ("KeyError: 'getpwuid(): uid not found: 1000680000'", LOG_PERMISSION),
        ("Error: Permission denied (os error 13)", LOG_PERMISSION),
        (
            "RuntimeError: cannot cache function '__shear_dense': no locator available for file '/usr/local/lib/x.py'",
            LOG_PERMISSION,
        ),
        (
            "OSError: PermissionError at /.cache when downloading mistralai/Mistral-7B. Check cache directory permissions.",
            LOG_PERMISSION,
        ),
        (
            "Decode transfer failed for request rank=0 decode_req.req.rid='a' with exception KVTransferError(bootstrap_room=1): Failed to get kvcache from prefill instance, it might be dead",
            LOG_KV_TRANSFER,
        ),
        ("nixl._bindings.nixlRemoteDisconnectError: NIXL_ERR_REMOTE_DISCONNECT", LOG_KV_TRANSFER),
    ],
)
def test_each_line_is_told_by_its_own_pattern(line: str, signal: object) -> None:
    found = matches(f"before\n{line}\nafter")
    assert {told for told, text in found.items() if text} == {signal}


@pytest.mark.parametrize(
    "line",
    [
        "INFO Resolved architecture: Qwen3ForCausalLM",
        "INFO Port 8000 is already in use, trying port 8001",
        "WARNING [c10d] The server socket has failed to bind to [::]:29500 (errno: 97 - Address family not supported by protocol).",
        "WARNING Failed to import from vllm._C with ImportError('libcuda.so.1: cannot open shared object file: No such file or directory')",
        "INFO Compiling the model with ninja, nvcc and gcc",
        "INFO the limit of open files is 1048576, threads 63",
        "FileNotFoundError: [Errno 2] No such file or directory: '/models/config.json'",
        "HTTP 403 permission denied for key",
        "INFO NIXL is available",
        "INFO NIXL_SUCCESS",
        "WARNING vLLM's custom all-reduce is disabled because it's not supported on more than two PCIe-only GPUs.",
        "WARNING FlashInfer is not supported with this head size, falling back to FLASH_ATTN",
        "INFO trust_remote_code is set",
        "1 validation error for ChatCompletionRequest",
        "KeyError: 'messages'",
    ],
)
def test_a_near_miss_says_nothing(line: str) -> None:
    assert {told for told, text in matches(line).items() if text} == set()


@pytest.mark.parametrize(
    "bait", ["ImportError: ", "Value error, ", "Model architectures [", "mkdir: ", "ValueError: is ", "Error: "]
)
def test_a_giant_line_is_read_in_no_time(bait: str) -> None:
    started = time.process_time()
    for pattern in PATTERNS.values():
        pattern.search(bait + "a" * 262_144)
        pattern.search(bait * (262_144 // len(bait)))
    assert time.process_time() - started < 4
