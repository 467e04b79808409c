"""What healthy starts print proves nothing: warnings that are survived, retries that succeed, choices that are explained.

Each line was read in the source that prints it, as a warning or as information, and the holes hold what they really hold.
"""

from __future__ import annotations

import pytest

from tools.log_lines import matches
from tools.signals import LOG_SERVING

SURVIVED = {
    # Errors that are named in advance, or as the reason of a choice.
    "vllm utils": "Found ulimit of 1024 and failed to automatically increase with error current limit exceeds maximum limit. This can"
    " cause fd limit errors like `OSError: [Errno 24] Too many open files`. Consider increasing with ulimit -n",
    "production-stack utils": "Found ulimit of 1024 and failed to automatically increasewith error 1. This can cause fd limit errors"
    " like`OSError: [Errno 24] Too many open files`. Consider increasing with ulimit -n",
    "vllm loader": "Gemma4ForCausalLM has no vLLM implementation, falling back to Transformers implementation. Some features may not be"
    " supported and performance may not be optimal.",
    "sglang loader": "Gemma4ForCausalLM has no SGLang implementation, falling back to Transformers implementation. Some features may not"
    " be supported and performance may not be optimal.",
    "sglang model_runner": "Compute capability below sm80. Use float16 due to lack of bfloat16 support.",
    "sglang chunked": "Automatically turn off --chunked-prefill-size as it is not supported for qwen2_vl",
    "vllm allreduce": "Custom allreduce is disabled because your platform lacks GPU P2P capability or P2P test failed. To silence this"
    " warning, specify disable_custom_all_reduce=True explicitly.",
    "vllm pcie": "Custom allreduce is disabled because it's not supported on more than two PCIe-only GPUs.",
    "vllm symm": "SymmMemCommunicator: Device capability 8.0 not supported, communicator is not available.",
    "vllm nccl headers": "Failed to compile NCCL memory allocator. Symmetric memory will be disabled. This is expected if NCCL headers"
    " are not available. optionally set VLLM_NCCL_INCLUDE_PATH to point to them",
    "vllm prompt embeds": "--enable-prompt-embeds and --enable-prefix-caching are not supported together in V1. Prefix caching has been"
    " disabled.",
    "vllm flashinfer": "FlashInfer failed to import for V1 engine on Blackwell (SM 10.0) GPUs; it is recommended to install FlashInfer"
    " for better performance.",
    "vllm kv_scale": "Found kv_scale in the checkpoint (e.g. model.layers.0.self_attn.kv_scale), but not found the expected name in the"
    " model (e.g. model.layers.0.self_attn.attn.kv_scale). kv_scale is not loaded.",
    "vllm eager": "CUDA graph is not supported on BitsAndBytes 8bit yet, fallback to the eager mode.",
    "vllm compile": "`torch.compile` is turned on, but the model x does not support it. Please open an issue on GitHub if you want it to"
    " be supported.",
    "vllm trust": "Unable to register remote classes used by trust_remote_code with by-value serialization. This may lead to a later"
    " error. If remote code is not needed remove `--trust-remote-code`.",
    "vllm port": "Address already in use. Retrying with a new port.",
    "vllm next port": "Port 5557 is already in use, trying port 5558",
    "sglang next port": "Port 20001 is already in use, trying port 20002",
    "sglang snapshot": "Found incomplete sharded model /models/x. Missing shards: ['model-00002-of-00004.safetensors']. Will attempt"
    " download.",
    "sglang scaling": "Defaulting to KV cache scaling factors = 1.0 for all layers in TP rank 0 as an error occurred during loading.",
    "sglang nccl": "sglang is using nccl==2.27.5",
    "sglang pd": "Some requests timed out when bootstrapping, which means prefill instances fail to receive the KV indices from the decode"
    " instance of this request.",
    "sglang truncation": "Requested token count (4000 input + 200 new) exceeds the model's context length (4096 tokens). Truncating"
    " max_new_tokens.",
    "sglang longer": "Warning: User-specified context_length (65536) is greater than the derived context_length (32768). This may lead to"
    " incorrect model outputs or CUDA errors.",
    "vllm longer": "User-specified max_model_len (65536) is greater than the derived max_model_len (max_position_embeddings=32768.0 or"
    " model_max_length=None in model's config.json). VLLM_ALLOW_LONG_MAX_MODEL_LEN must be used with extreme caution.",
    "vllm longer, before": "User-specified max_model_len (65536) is greater than the derived max_model_len (max_position_embeddings=32768"
    " or model_max_length=None in model's config.json). This may lead to incorrect model outputs or CUDA errors. Make sure the value is"
    " correct and within the model context size.",
    "vllm context": "max_num_batched_tokens (8192) exceeds max_num_seqs * max_model_len (4096). This may lead to unexpected behavior.",
    "transformers": "Ignore import error when loading sglang.srt.models.x: cannot import name 'x'",
    # Kernels and libraries for which there is another way.
    "tgi flash": "Could not import Flash Attention enabled models: GPU with CUDA capability 7 0 is not supported",
    "tgi kernels": "Could not import Flash Attention enabled models: Could not import attention kernels. Make sure your installation is"
    " correct. Complete error: No module named 'attention_kernels'",
    "tgi mamba": "Could not import Mamba: No module named 'mamba_ssm'",
    "tei flash": "Could not import Flash Attention enabled models: CUDA is not available",
    "tei flash v2": "Unable to use Flash Attention V2: GPU with CUDA capability 7 5 is not supported for Flash Attention V2",
    "tei bin": "safetensors weights not found. Using `pytorch_model.bin` instead. Model loading will be significantly slower.",
    "tei tokenizer": "Could not download `tokenizer_config.json`: request error: HTTP status client error (404 Not Found)",
    "tgi chunking": "Prefill chunking does not support speculation yet. Prefill chunking will be turned off",
    # Ray tries again, waits for nodes and explains itself.
    "ray agent": "Failed to bind to port 52365 (attempt 1/20). Retrying in 0.1s. Error: error while attempting to bind",
    "ray serve slow": "Deployment 'llm' in application 'default' has 1 replicas that have taken more than 30s to be scheduled. This may be"
    " due to waiting for the cluster to auto-scale or for a runtime environment to be installed.",
    "ray serve slow init": "Deployment 'llm' in application 'default' has 1 replicas that have taken more than 30s to initialize.",
    "ray fd": "File descriptor limit 1024 is too low for production servers and may result in connection errors. At least 8192 is"
    " recommended. --- Fix with 'ulimit -n 8192'",
    "ray compaction": "Compaction failed 3 times in a row. Retrying after 60 seconds.",
    "ray queue length": "Failed to get queue length from Replica(id='a1', deployment='llm', app='default') within 0.1s.",
    "ray health": "Health check for Replica(id='a1', deployment='llm', app='default') failed: ",
    "ray passed": "Deployment actor 'x' (llm) passed the health check after 2 consecutive failures.",
    # NCCL and torch.distributed say what they leave out, and that others have gone.
    "nccl p2p": "NCCL INFO P2P not supported between GPU0 and GPU1",
    "nccl plugin": "NCCL INFO NET/Plugin: Could not find: libnccl-net.so. Using internal net plugin.",
    "nccl qp": "NCCL INFO Call to ibv_modify_qp failed with 110 Connection timed out, on dev mlx5_0:1, retrying 1/34 after 100 msec of"
    " sleep",
    "nccl dmabuf": "NCCL INFO Failed to register memory with DMA-BUF, error=1. Trying a different method.",
    "nccl dlsym": "NCCL INFO ncclOsDlopen(libcuda.so.1) failed: 1",
    "torch store": 'Failed to check the "should dump" flag on TCPStore, (maybe TCPStore server has shut down too early), with error:'
    " Failed to recv, got 0 bytes. Connection was likely closed. Did the remote server shutdown or crash?",
    "torch store retry": "TCP client failed to connect/validate to host 10.0.0.4:29500 - retrying (try=0, timeout=600000ms, delay=1ms):"
    " Interrupted system call",
    "torch IPv6": "[W socket.cpp:697] [c10d] The client socket has failed to connect to [rank-0.ranks.default.svc.cluster.local]:29500"
    " (errno: 97 - Address family not supported by protocol).",
    "torch no IPv6 name": "[W socket.cpp:460] [c10d] The IPv6 network addresses of (rank-0.ranks, 29500) cannot be retrieved (gai error:"
    " -2 - Name or service not known).",
    "torch IPv6 listen": "[W socket.cpp:436] [c10d] The server socket has failed to bind to [::]:29500 (errno: 98 - Address already in"
    " use).",
    "torch somaxconn": "Starting store with 4096 workers but somaxconn is 4096.This might cause instability during bootstrap, consider"
    " increasing it.",
    "torch cuda on a CPU": "UserWarning: CUDA initialization: Found no NVIDIA driver on your system. Please check that you have an NVIDIA"
    " GPU and installed a driver from http://www.nvidia.com/Download/index.aspx",
    "vllm variables": "Unknown vLLM environment variable detected: VLLM_SERVICE_HOST",
    "vllm serve --model": "With `vllm serve`, you should provide the model as a positional argument or in a config file instead of via the"
    " `--model` option. The `--model` option will be removed in a future version.",
    "vllm local path": "Error retrieving safetensors: Repo id must be in the form 'repo_name' or 'namespace/repo_name': '/models/llama'."
    " Use `repo_type` argument if needed., retrying 1 of 2",
    # What is looked up beside the model, and telemetry that nobody takes.
    "sglang warm cache": "Failed to find local snapshot in default HF cache: [Errno 2] No such file or directory: '/cache/hub'",
    "vllm hub": "Cannot connect to Hugging Face Hub. Skipping file download for 'org/model':",
    "otlp": "Transient error StatusCode.UNAVAILABLE encountered while exporting traces to otel-collector:4317, retrying in 1s.",
    # Dynamo and gateways wait for who comes later.
    "dynamo etcd": "etcd not reachable yet; retrying startup connection",
    "dynamo nats": "NATS not reachable yet; retrying startup connection",
    "dynamo topology": "Failed to set up consolidator endpoints: x. Continuing without KV event consolidation.",
    "router discovery": "Deferred client session init failed: 1",
}


@pytest.mark.parametrize("line", SURVIVED.values(), ids=SURVIVED)
def test_a_line_that_a_healthy_start_prints_proves_nothing(line: str) -> None:
    # SGLang's form, which tells no level.
    told = {signal.name: text for signal, text in matches(f"[2026-06-01 10:00:00 TP0] {line}").items() if text}
    assert not told.keys() - {LOG_SERVING.name}


@pytest.mark.parametrize(
    ("line", "means"),
    [
        ("OSError: [Errno 24] Too many open files: '/models/x'", "log.os_limits"),
        ("accept() failed: Too many open files", "log.os_limits"),
        (
            "ValueError: X has no vLLM implementation and the Transformers implementation is not compatible with vLLM.",
            "log.unsupported_model",
        ),
        ("RuntimeError: Failed to bind to address '0.0.0.0:8000'.", "log.address_in_use"),
        (
            "torch.distributed.DistNetworkError: The client socket has timed out after 600000ms while trying to connect to (rank-0, 29500).",
            "log.nccl_init",
        ),
        (
            "[E socket.cpp:522] [c10d] The client socket has failed to connect to any network address of (rank-0, 29500).",
            "log.nccl_init",
        ),
        (
            "[c10d] The IPv4 network addresses of (rank-0.ranks, 29500) cannot be retrieved (gai error: -2 - Name or service not known).",
            "log.unresolved",
        ),
        (
            "ConnectionError: HTTPSConnectionPool(host='hub', port=443): Max retries exceeded with url: /o/m/resolve/main/config.json (Caused by ConnectTimeoutError",
            "log.model_download",
        ),
        (
            "ValueError: Warning: User-specified context_length (65536) is greater than the derived context_length (32768).",
            "log.max_len_model",
        ),
        ("User-specified max_model_len (65536) is greater than the derived max_model_len", "log.max_len_model"),
        ("RuntimeError: Found no NVIDIA driver on your system.", "log.device_gone"),
    ],
)
def test_the_same_words_of_a_start_that_failed_still_do(line: str, means: str) -> None:
    assert {signal.name for signal, text in matches(line).items() if text} - {"log.unreachable"} == {means}


@pytest.mark.parametrize(
    ("host", "path"),
    [("prefill-0", "/route?engine_rank=-1"), ("otel-collector", "/v1/traces"), ("engine", "/health_generate")],
)
def test_a_neighbour_that_cannot_be_reached_is_no_model_that_cannot_be_fetched(host: str, path: str) -> None:
    told = matches(
        f"requests.exceptions.ConnectionError: HTTPConnectionPool(host='{host}', port=8998): Max retries exceeded with url: {path} (Caused by"
        " NewConnectionError('<urllib3.connection.HTTPConnection object at 0x7f>: Failed to establish a new connection: [Errno 111]"
        " Connection refused'))"
    )
    assert {signal.name for signal, text in told.items() if text} == {"log.unreachable"}
