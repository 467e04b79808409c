"""TensorRT-LLM on its own (`trtllm-serve`, and behind Dynamo's worker), by the names of its metrics collector.

Releases up to 1.1 count requests and time them, and only where `return_perf_metrics` is set; the gauges of running and waiting requests and
of the KV cache came after. `trtllm_kv_cache_utilization` is a ratio from 0 to 1. It counts no preemptions. Up to 1.1 the prefix is
Dynamo's. Behind Triton it tells itself by other names (`tools.runtimes.triton`).
"""

from __future__ import annotations

from tools.series import Series, Source
from tools.signals import (
    GENERATION_TOKENS,
    ITL,
    KV_USAGE,
    PREFILL_TIME,
    PROMPT_TOKENS,
    QUEUE_TIME,
    REQUESTS_FINISHED,
    REQUESTS_RUNNING,
    REQUESTS_WAITING,
    TTFT,
    Per,
)

SOURCES = (
    Source(
        name="tensorrt_llm",
        title="TensorRT-LLM",
        per=Per.REPLICA,
        anchor=("trtllm_num_requests_running", "trtllm_request_success_total"),
        keys=("namespace", "pod"),
        signals={
            REQUESTS_RUNNING: (Series("trtllm_num_requests_running"),),
            REQUESTS_WAITING: (Series("trtllm_num_requests_waiting"),),
            KV_USAGE: (Series("trtllm_kv_cache_utilization"),),
            REQUESTS_FINISHED: (Series("trtllm_request_success_total"),),
            PROMPT_TOKENS: (Series("trtllm_prompt_tokens_total"),),
            GENERATION_TOKENS: (Series("trtllm_generation_tokens_total"),),
            TTFT: (Series("trtllm_time_to_first_token_seconds"),),
            QUEUE_TIME: (Series("trtllm_request_queue_time_seconds"),),
            PREFILL_TIME: (Series("trtllm_request_prefill_time_seconds"),),
            ITL: (Series("trtllm_time_per_output_token_seconds"),),
        },
        images=("tensorrt-llm/release", "tensorrt-llm-release", "trtllm-serve"),
        serving=True,
        order=14,
        port=8000,
        path="/prometheus/metrics",
    ),
)
